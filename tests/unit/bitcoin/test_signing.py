"""Signing: what Bitcoin Core accepts, and everything that is refused on the way."""

from dataclasses import replace

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import ACCOUNTS, TAPROOT, KeyPosition
from console.adapters.chains.bitcoin.finalize import finalize
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import field, ordered
from console.adapters.chains.bitcoin.signatures import ORDER
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import parse_spending
from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import Account
from console.domain.values import SignatureKind
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
    signatures,
    signed,
    transfer,
    with_flipped_bit,
)

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


@each_account
def test_bitcoin_core_accepts_what_is_signed_and_no_flipped_bit(account: Account) -> None:
    data = transfer(account)
    spent = parse_spending(data).spent
    transaction = signed(data)
    assert core_accepts(transaction, spent)
    for place in range(0, 8 * 64, 37):
        assert not core_accepts(with_flipped_bit(transaction, place), spent)
    assert not core_accepts(transaction, (replace(spent[0], amount=spent[0].amount + 1), spent[1]))
    assert transaction.vsize <= signed_vsize(parse_spending(data))


@each_account
def test_paths_are_of_the_keys_that_sign(account: Account) -> None:
    payloads = signable.payloads(transfer(account), KEYS, NETWORK)
    assert {payload.kind for payload in payloads} == {account.kind}
    inner = {payload.path.removeprefix("tr(").removesuffix(")") for payload in payloads}
    assert inner == {f"{account.path}/0/0", f"{account.path}/0/1"}
    assert all(payload.path.startswith("tr(") == (account is TAPROOT) for payload in payloads)


@each_account
def test_one_signature_for_each_input(account: Account) -> None:
    data = transfer(account)
    made = signatures(data)
    for wrong in ((), made[:1], (*made, made[0])):
        with pytest.raises(TransactionError, match="one signature for each"):
            signable.attach(data, wrong, KEYS, NETWORK)
    with pytest.raises(TransactionError, match="not of the key"):
        signable.attach(data, made[::-1], KEYS, NETWORK)


@each_account
def test_signatures_of_another_form_are_refused(account: Account) -> None:
    data = transfer(account)
    first, second = signatures(data)
    for wrong in (b"", first[:-1], first + b"\0", bytes(len(first)), b"\xff" * len(first)):
        with pytest.raises(TransactionError):
            signable.attach(data, (wrong, second), KEYS, NETWORK)


def test_the_high_twin_of_a_signature_is_refused() -> None:
    data = transfer()
    first, second = signatures(data)
    high = ORDER - int.from_bytes(first[32:64], "big")
    twin = first[:32] + high.to_bytes(32, "big") + bytes([first[64] ^ 1])
    with pytest.raises(TransactionError, match="high"):
        signable.attach(data, (twin, second), KEYS, NETWORK)


@each_account
def test_nothing_of_another_wallet_is_signed(account: Account) -> None:
    data = transfer(account)
    for keys in (OTHER_KEYS, SingleKeys(kinds=frozenset()), SingleKeys(chain_code=bytes(32))):
        with pytest.raises(UnknownTransaction, match="not of this wallet"):
            signable.payloads(data, keys, NETWORK)


@pytest.mark.parametrize("hash_type", [0, 1, 2, 3, 0x81, 0x83, 1 << 31])
@each_account
def test_only_whole_transactions_are_signed(account: Account, hash_type: int) -> None:
    psbt = parse_psbt(transfer(account))
    asked = field(In.SIGHASH_TYPE, hash_type.to_bytes(4, "little"))
    data = replace(psbt, inputs=tuple(ordered((*each, asked)) for each in psbt.inputs)).encode()
    if hash_type == 1 or (hash_type == 0 and account is TAPROOT):
        assert not described(data).red_flags
        transaction = signed(data)
        assert core_accepts(transaction, parse_spending(data).spent)
        if account.kind is SignatureKind.SCHNORR_BIP340:
            assert len(transaction.inputs[0].witness[0]) == 64 + hash_type
        return
    assert any("over a part" in flag for flag in described(data).red_flags)
    with pytest.raises(UnknownTransaction, match="over a part"):
        signable.payloads(data, KEYS, NETWORK)


def test_a_witness_for_each_input() -> None:
    with pytest.raises(TransactionError, match="one witness"):
        finalize(parse_psbt(transfer()), ())


@each_account
def test_a_hundred_inputs(account: Account) -> None:
    coins = tuple(coin(20_000, account, salt=number) for number in range(100))
    data = draft(account).pay(FRIEND, 1_000_000).spend(*coins).build(KeyPosition(1, 0))
    assert len(signatures(data)) == 100
    assert core_accepts(signed(data), parse_spending(data).spent)
    assert not described(data).red_flags
