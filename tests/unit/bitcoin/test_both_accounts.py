"""Ownership is the wallet's, over all its accounts (docs/faults.md, 21)."""

from dataclasses import replace

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_fields import In, Out
from console.adapters.chains.bitcoin.psbt_map import field, ordered, value_of
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import TxOut, parse_output
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Account
from console.domain.transaction import CoinFlow
from console.domain.values import SignatureKind
from tests.unit.bitcoin.changes import with_output
from tests.unit.bitcoin.reports import imported, report, signed_on_mainnet, told
from tests.unit.bitcoin.wallets import (
    FRIEND,
    KEYS,
    NETWORK,
    OTHER_KEYS,
    SingleKeys,
    coin,
    core_accepts,
    described,
    draft,
    flagged,
    signed,
    transfer,
)

CHANGE = KeyPosition(1, 4)
PAIRS = [(SEGWIT, TAPROOT), (TAPROOT, SEGWIT)]
both_orders = pytest.mark.parametrize(
    ("account", "other"), PAIRS, ids=["segwit first", "taproot first"]
)


def mixed(account: Account, other: Account) -> bytes:
    """A payment with a coin of each account, the first of `account`, and change to `other`."""
    own = coin(80_000, account, 2, salt=1)
    foreign = replace(coin(90_000, other, 3, salt=2), account=other)
    built = draft(account).pay(FRIEND, 100_000).spend(own, foreign).build(KeyPosition(1, 4))
    psbt = parse_psbt(built)
    pairs = list(zip(psbt.transaction.inputs, psbt.inputs, strict=True))
    if pairs[0][0].outpoint != own.outpoint:
        pairs.reverse()
    transaction = replace(psbt.transaction, inputs=tuple(spender for spender, _ in pairs))
    unsigned = (field(0, transaction.encode_stripped()),)
    inputs = tuple(fields for _, fields in pairs)
    return replace(psbt, transaction=transaction, globals=unsigned, inputs=inputs).encode()


async def test_taproot_change_of_segwit_coins_is_ours() -> None:
    data = await imported(report("segwit_in_taproot_own_change"))
    description = told(data)
    assert description.red_flags == ()
    assert description.action == "Transfer"
    assert description.amount.base_units == 150_000
    (change,) = [value for label, value in description.fields if label == "Output 2, change"]
    assert "(m/86/0/0/1/" in change
    assert core_accepts(signed_on_mainnet(data), parse_spending(data).spent)


@both_orders
def test_coins_of_both_accounts_are_signed_together(account: Account, other: Account) -> None:
    data = mixed(account, other)
    description = described(data)
    assert description.red_flags == ()
    fields = dict(description.fields)
    assert fields["Account"] == f"{account.label} and {other.label}"
    assert fields["Input 1"].split(", ")[2] == f"{account.path}/0/2"
    assert fields["Input 2"].split(", ")[2] == f"{other.path}/0/3"
    assert description.amount.base_units == 100_000
    first = script_at(account, KEYS, KeyPosition(0, 0))
    assert description.from_address == address_of(first, NETWORK)
    kinds = [payload.kind for payload in signable.payloads(data, KEYS, NETWORK)]
    assert kinds == [account.kind, other.kind]
    assert core_accepts(signed(data), parse_spending(data).spent)


@both_orders
def test_what_leaves_is_counted_for_the_account_of_the_first_coin(
    account: Account, other: Account
) -> None:
    """The other account's coins and change are no part of its balance (docs/faults.md, 18)."""
    description = described(transfer(account))
    total = description.amount.base_units + description.fee.base_units
    assert description.flow == CoinFlow(out=total, pays_fee=False)
    # A coin of 80,000 satoshis, and a larger one of the other account.
    description = described(mixed(account, other))
    psbt = parse_psbt(mixed(account, other))
    outputs = psbt.transaction.outputs
    change = sum(each.amount for each in outputs if each.script == script_at(account, KEYS, CHANGE))
    assert len(outputs) == 2
    assert change > 0
    assert description.flow == CoinFlow(out=80_000 - change, pays_fee=False)
    output = TxOut(1_000, script_at(other, KEYS, CHANGE))
    data = with_output(transfer(account), output, output_origin(other, KEYS, CHANGE))
    description = described(data)
    total = description.amount.base_units + description.fee.base_units + 1_000
    assert description.flow == CoinFlow(out=total, pays_fee=False)


@both_orders
def test_change_to_either_account_is_ours_wherever_it_comes_from(
    account: Account, other: Account
) -> None:
    place = KeyPosition(1, 7)
    output = TxOut(1_000, script_at(other, KEYS, place))
    data = with_output(transfer(account), output, output_origin(other, KEYS, place))
    description = described(data)
    assert description.amount.base_units == 100_000
    assert description.red_flags == ()
    assert f"({other.path}/1/7)" in dict(description.fields)["Output 3, change"]


@both_orders
def test_a_claim_of_one_account_for_a_script_of_the_other_is_false(
    account: Account, other: Account
) -> None:
    place = KeyPosition(1, 7)
    output = TxOut(1_000, script_at(account, KEYS, place))
    data = with_output(transfer(account), output, output_origin(other, KEYS, place))
    assert flagged(described(data), "claimed as the wallet's own and is not")


@both_orders
def test_a_lie_about_a_coin_of_either_account_makes_nothing_that_is_valid(
    account: Account, other: Account
) -> None:
    data = mixed(account, other)
    spent = parse_spending(data).spent
    lies = []
    for number in range(2):
        psbt = parse_psbt(data)
        told_output = parse_output(value_of(psbt.inputs[number], In.WITNESS_UTXO) or b"")
        lie = replace(told_output, amount=told_output.amount + 9_000).encode()
        fields = ordered(
            (
                field(In.WITNESS_UTXO, lie),
                *(pair for pair in psbt.inputs[number] if pair[0] not in {b"\x00", b"\x01"}),
            )
        )
        inputs = list(psbt.inputs)
        inputs[number] = fields
        lies.append(replace(psbt, inputs=tuple(inputs)).encode())
    for lying in lies:
        try:
            transaction = signed(lying)
        except UnknownTransaction:
            # A SegWit coin without its proof is not signed at all.
            continue
        assert not core_accepts(transaction, spent)


def test_a_wallet_without_one_kind_of_key_owns_what_the_other_has() -> None:
    data = mixed(SEGWIT, TAPROOT)
    half = SingleKeys(kinds=frozenset({SignatureKind.ECDSA_SECP256K1}))
    assert flagged(described(data, half), "Input 2 is not of this wallet")
    with pytest.raises(UnknownTransaction, match="input 2"):
        signable.payloads(data, half, NETWORK)
    assert flagged(described(data, OTHER_KEYS), "Input 1 is not of this wallet")


def test_the_fee_counts_each_coin_by_its_own_account() -> None:
    data = mixed(SEGWIT, TAPROOT)
    spending = parse_spending(data)
    assert spending.fee == 5 * signed_vsize(spending)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)
async def test_origins_that_other_programs_add_are_written_as_ours(account: Account) -> None:
    """Some write both kinds of origin for a Taproot output, or a co-signer's beside ours."""
    plain = transfer(account)
    psbt = parse_psbt(plain)
    stranger = OTHER_KEYS.public_key(SEGWIT.kind, f"{SEGWIT.path}/0/0")
    more = field(In.BIP32_DERIVATION, bytes(4) + b"\1\0\0\0", stranger)
    more_out = field(Out.BIP32_DERIVATION, bytes(4) + b"\1\0\0\0", stranger)
    data = replace(
        psbt,
        inputs=tuple(ordered((*each, more)) for each in psbt.inputs),
        outputs=tuple(ordered((*each, more_out)) for each in psbt.outputs),
    ).encode()
    assert described(data).red_flags
    assert await imported(data, account) == plain
