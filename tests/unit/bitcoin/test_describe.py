"""What approvers see of a PSBT: every fact, and a red flag for every danger."""

import hashlib
from dataclasses import dataclass, field

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    MAX_INDEX,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v2
from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.script import data_script, p2wpkh, witness_script
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Account
from console.domain.values import SignatureKind
from tests.unit.bitcoin.changes import (
    change_index,
    with_global_field,
    with_input_field,
    with_output,
    with_output_field,
    with_sequence,
    with_transaction,
)
from tests.unit.bitcoin.wallets import (
    CHAIN,
    FRIEND,
    KEYS,
    NETWORK,
    OTHER_KEYS,
    SingleKeys,
    coin,
    described,
    draft,
    flagged,
    transfer,
)

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)
STRANGER = p2wpkh(b"\x03" + b"\x44" * 32)


@each_account
def test_an_honest_transfer_has_all_facts_and_no_red_flag(account: Account) -> None:
    data = transfer(account)
    description = described(data)
    fields = dict(description.fields)
    assert description.action == "Transfer"
    assert description.to_address == FRIEND
    assert description.amount.base_units == 100_000
    assert description.red_flags == ()
    assert description.chain is CHAIN
    assert description.network is NETWORK
    assert description.digest == hashlib.sha256(data).digest()
    assert fields["Account"] == account.label
    assert fields["Replaceable"] == "yes"
    assert fields["Not before block"] == "800001"
    assert fields["Fee rate"] == "5.00 sat/vB"
    psbt = parse_psbt(data)
    change = change_index(data)
    output = psbt.transaction.outputs[change]
    assert output.amount == 170_000 - 100_000 - description.fee.base_units
    assert fields[f"Output {change + 1}, change"].endswith(f"({account.path}/1/4)")
    assert address_of(output.script, NETWORK) in fields[f"Output {change + 1}, change"].split()
    for number, spender in enumerate(psbt.transaction.inputs, start=1):
        assert fields[f"Input {number}"].startswith(f"{spender.outpoint.text}, 0.000")
        assert f"{account.path}/0/" in fields[f"Input {number}"]


@each_account
def test_the_payer_is_named_by_the_accounts_first_address(account: Account) -> None:
    data = (
        draft(account).pay(FRIEND, 9_000).spend(coin(50_000, account, 7)).build(KeyPosition(1, 0))
    )
    first, spent = (script_at(account, KEYS, KeyPosition(0, index)) for index in (0, 7))
    assert described(data).from_address == address_of(first, NETWORK)
    assert described(data, OTHER_KEYS).from_address == address_of(spent, NETWORK)


def test_without_a_lock_there_is_nothing_to_wait_for() -> None:
    data = draft().at(0).pay(FRIEND, 10_000).spend(coin(99_000)).build(KeyPosition(1, 0))
    assert "Not before block" not in dict(described(data).fields)


def test_several_payees_are_all_shown() -> None:
    data = (
        draft().pay(FRIEND, 10_000).pay(FRIEND, 20_000).spend(coin(99_000)).build(KeyPosition(1, 0))
    )
    description = described(data)
    shown = [value for label, value in description.fields if label.endswith("payment")]
    assert len(shown) == 2
    assert all(FRIEND in value for value in shown)
    assert description.amount.base_units == 30_000
    assert not description.red_flags


def test_everything_to_the_own_account_is_a_move() -> None:
    data = draft().spend(coin(99_000), coin(88_000, salt=1)).build(KeyPosition(0, 3))
    description = described(data)
    assert description.action == "Move to own account"
    assert description.amount.base_units == 0
    assert description.to_address == address_of(script_at(SEGWIT, KEYS, KeyPosition(0, 3)), NETWORK)
    assert [label for label, _ in description.fields if "own account" in label]
    assert not description.red_flags


def test_a_memo_is_shown_as_text_or_hexadecimal() -> None:
    plain = draft().pay(FRIEND, 10_000).memo(b"invoice 7").spend(coin(99_000))
    assert '"invoice 7"' in dict(described(plain.build(KeyPosition(1, 0))).fields).values()
    odd = draft().pay(FRIEND, 10_000).memo("\u202e".encode()).spend(coin(99_000))
    description = described(odd.build(KeyPosition(1, 0)))
    assert "0xe280ae" in dict(description.fields).values()
    assert not description.red_flags
    assert description.to_address == FRIEND


def test_paying_the_wallets_other_account_is_a_transfer() -> None:
    address = address_of(script_at(TAPROOT, KEYS, KeyPosition(0, 0)), NETWORK)
    assert address is not None
    description = described(
        draft().pay(address, 9_000).spend(coin(50_000)).build(KeyPosition(1, 0))
    )
    assert description.amount.base_units == 9_000
    assert description.action == "Transfer"


@each_account
def test_inputs_of_others_are_flagged(account: Account) -> None:
    description = described(transfer(account), OTHER_KEYS)
    assert flagged(description, "Input 1 is not of this wallet")
    assert flagged(description, "claimed as the wallet's own and is not")


@each_account
def test_change_to_a_stranger_is_no_change_whatever_it_claims(account: Account) -> None:
    data = transfer(account)
    index = change_index(data)
    outputs = list(parse_psbt(data).transaction.outputs)
    outputs[index] = TxOut(outputs[index].amount, STRANGER)
    description = described(with_transaction(data, outputs=tuple(outputs)))
    assert flagged(description, "claimed as the wallet's own and is not")
    assert description.amount.base_units == 100_000 + outputs[index].amount


@each_account
def test_an_output_is_the_wallets_own_only_at_the_place_it_claims(account: Account) -> None:
    for place in (KeyPosition(2, 0), KeyPosition(1, MAX_INDEX + 1), KeyPosition(1, 1 << 31)):
        script = script_at(account, KEYS, KeyPosition(1, 0))
        claim = output_origin(account, KEYS, KeyPosition(1, 0))
        end = place.chain.to_bytes(4, "little") + place.index.to_bytes(4, "little")
        moved = tuple(
            (key, value[:-8] + end if len(value) != 32 else value) for key, value in claim
        )
        description = described(with_output(transfer(account), TxOut(1_000, script), moved))
        assert flagged(description, "claimed as the wallet's own and is not")


def test_a_key_of_the_own_tree_with_another_fingerprint_is_not_believed() -> None:
    data = transfer()
    index = change_index(data)
    ((key, value),) = parse_psbt(data).outputs[index]
    forged = with_output_field(data, index, key[0], bytes(4) + value[4:], key[1:])
    assert flagged(described(forged), "claimed as the wallet's own and is not")


def test_own_outputs_without_a_claim_count_as_payments() -> None:
    data = transfer()
    silent = with_output_field(data, change_index(data), Out.BIP32_DERIVATION, None)
    description = described(silent)
    assert description.amount.base_units > 100_000


def _flags_of_output(output: TxOut) -> tuple[str, ...]:
    return described(with_output(transfer(), output)).red_flags


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (TxOut(293, STRANGER), "dust"),
        (TxOut(0, STRANGER), "dust"),
        (TxOut(1_000, b"\x51"), "not understood"),
        (TxOut(1_000, b""), "not understood"),
        (TxOut(1_000, witness_script(0, bytes(21))), "not understood"),
        (TxOut(1_000, witness_script(2, bytes(32))), "not understood"),
        (TxOut(1, data_script(b"x")), "destroys"),
    ],
)
def test_odd_outputs_are_flagged(output: TxOut, words: str) -> None:
    assert [flag for flag in _flags_of_output(output) if words in flag]


def test_an_output_at_the_dust_limit_is_none() -> None:
    assert _flags_of_output(TxOut(294, STRANGER)) == ()


@pytest.mark.parametrize(
    ("amount", "paid", "words"),
    [
        (200_000, 100_000, "of what is paid"),
        (1_000_000, 900_000, "above 500 sat/vB"),
        (125_000, 100_000, ""),
        (125_001, 100_000, "of what is paid"),
        (40_000, 20_000, ""),
        (40_001, 20_000, "of what is paid"),
        (120_000, 99_000, ""),
    ],
)
def test_fees_out_of_proportion_are_flagged(amount: int, paid: int, words: str) -> None:
    base = draft().rate(1_000).pay(FRIEND, 5_000).spend(coin(amount)).build(KeyPosition(1, 0))
    data = with_transaction(
        base, outputs=tuple(TxOut(paid // 2, STRANGER) for _ in parse_psbt(base).outputs)
    )
    bare = with_output_field(data, change_index(data), Out.BIP32_DERIVATION, None)
    flags = described(bare).red_flags
    assert [flag for flag in flags if words in flag] if words else flags == ()


def test_sequence_numbers_that_lock_nothing_are_shown() -> None:
    for sequence in (0xFFFF_FFFF, 0xFFFF_FFFE, 0x8000_0000):
        description = described(with_sequence(transfer(), sequence))
        assert not description.red_flags
        assert f"{sequence:#x}" in dict(description.fields)["Input 1"]


@pytest.mark.parametrize("version", [0, 4, 1 << 31, (1 << 32) - 1])
def test_versions_that_are_not_standard_are_flagged(version: int) -> None:
    assert flagged(described(with_transaction(transfer(), version=version)), "not standard")


@pytest.mark.parametrize(
    "data",
    [
        with_global_field(transfer(), 0x42, b"x"),
        with_global_field(transfer(), Global.VERSION, bytes(4)),
        with_global_field(transfer(), Global.PROPRIETARY, b"x"),
        with_input_field(transfer(), 0x42, b"x"),
        with_input_field(transfer(), In.REDEEM_SCRIPT, b"\x51"),
        with_input_field(transfer(), In.FINAL_SCRIPTWITNESS, b"\0"),
        with_input_field(transfer(TAPROOT), In.TAP_MERKLE_ROOT, bytes(32)),
        with_output_field(transfer(), 0, 0x42, b"x"),
        with_output_field(transfer(), 1, Out.WITNESS_SCRIPT, b"\x51"),
    ],
)
def test_fields_that_no_signature_covers_are_shown_and_are_no_danger(data: bytes) -> None:
    description = described(data)
    assert dict(description.fields)["Not signed"].startswith("1 field for other programs")
    assert description.red_flags == ()


def test_long_scripts_are_shown_by_their_hash() -> None:
    script = bytes(5_000)
    description = described(with_output(transfer(), TxOut(1_000, script)))
    assert f"5000 bytes, SHA-256 {hashlib.sha256(script).hexdigest()}" in str(description.fields)


def test_a_memo_alone_pays_nobody() -> None:
    description = described(draft().memo(b"hello").spend(coin(99_000)).build(KeyPosition(1, 0)))
    assert description.amount.base_units == 0
    assert description.to_address == address_of(script_at(SEGWIT, KEYS, KeyPosition(1, 0)), NETWORK)
    assert not description.red_flags


@dataclass(frozen=True)
class CountingKeys(SingleKeys):
    """Tells how often a key was asked for."""

    asked: list[str] = field(default_factory=list)

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        self.asked.append(path)
        return super().public_key(kind, path)


def test_a_claim_is_not_derived_more_often_than_an_honest_one() -> None:
    ((key, origin),) = output_origin(SEGWIT, KEYS, KeyPosition(1, 0))
    claims = tuple(
        (
            key[:1] + KEYS.public_key(SEGWIT.kind, f"m/7/{number}"),
            origin[:-4] + number.to_bytes(4, "little"),
        )
        for number in range(50)
    )
    data = with_output(transfer(), TxOut(1_000, STRANGER), claims)
    keys = CountingKeys()
    assert flagged(described(data, keys), "claimed as the wallet's own and is not")
    assert len(keys.asked) < 12


def test_a_transaction_has_inputs_and_outputs() -> None:
    psbt = parse_psbt(transfer())
    empty = Transaction(2, psbt.transaction.inputs, ())
    with pytest.raises(UnknownTransaction, match="at least one"):
        described(psbt_of(empty, psbt.inputs, ()).encode())


def test_nothing_comes_of_nothing() -> None:
    data = transfer()
    spender = parse_psbt(data).transaction.inputs[0]
    nothing = TxIn(OutPoint(bytes(32), 0xFFFF_FFFF))
    for wrong in (
        with_transaction(data, inputs=(spender, spender)),
        with_transaction(data, inputs=(spender, nothing)),
        with_transaction(data, outputs=tuple(TxOut(90_000, STRANGER) for _ in range(2))),
        to_v2(parse_psbt(data)).encode(),
        b"psbt\xff\x01\x00\x0a" + (2).to_bytes(4, "little") + bytes(6) + b"\0",
        b"",
        b"psbt\xff",
        b"psbt\xfe",
        data[:-1],
        data + b"\0",
    ):
        with pytest.raises(UnknownTransaction):
            described(wrong)
        with pytest.raises(UnknownTransaction):
            signable.payloads(wrong, KEYS, NETWORK)
        with pytest.raises(UnknownTransaction):
            signable.consumes(wrong, NETWORK)


def test_coins_are_named() -> None:
    data = transfer()
    outpoints = [each.outpoint for each in parse_psbt(data).transaction.inputs]
    named = {f"utxo:{each.txid[::-1].hex()}:{each.index}" for each in outpoints}
    assert signable.consumes(data, NETWORK) == named
