"""Amounts are proven by the transactions that made them, or nothing is signed (CVE-2020-14199)."""

from dataclasses import replace

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import ACCOUNTS, KeyPosition
from console.adapters.chains.bitcoin.limits import MAX_MONEY
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import field, value_of
from console.adapters.chains.bitcoin.transaction import (
    Transaction,
    TxIn,
    TxOut,
    parse_output,
    parse_transaction,
)
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Account
from tests.unit.bitcoin.changes import with_input_field, with_transaction
from tests.unit.bitcoin.wallets import KEYS, NETWORK, coin, described, draft, flagged, transfer

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def _parts(data: bytes) -> tuple[Transaction, TxOut]:
    fields = parse_psbt(data).inputs[0]
    previous, told = value_of(fields, In.NON_WITNESS_UTXO), value_of(fields, In.WITNESS_UTXO)
    assert previous is not None
    assert told is not None
    return parse_transaction(previous), parse_output(told)


def _refused(data: bytes, words: str) -> None:
    assert flagged(described(data), words)
    with pytest.raises(UnknownTransaction):
        signable.payloads(data, KEYS, NETWORK)


@each_account
def test_a_lie_about_an_amount_is_seen(account: Account) -> None:
    data = transfer(account)
    _, told = _parts(data)
    for amount in (told.amount - 1, told.amount + 50_000):
        lie = with_input_field(data, In.WITNESS_UTXO, replace(told, amount=amount).encode())
        _refused(lie, "another than in the transaction that made it")
        assert described(lie).fee == described(data).fee


@each_account
def test_a_transaction_with_another_hash_proves_nothing(account: Account) -> None:
    data = transfer(account)
    previous, told = _parts(data)
    outputs = tuple(replace(each, amount=each.amount + 50_000) for each in previous.outputs)
    forged = replace(previous, outputs=outputs).encode_stripped()
    lie = with_input_field(data, In.NON_WITNESS_UTXO, forged)
    _refused(lie, "another hash")
    both = with_input_field(
        lie, In.WITNESS_UTXO, replace(told, amount=told.amount + 50_000).encode()
    )
    _refused(both, "another hash")


def test_a_missing_transaction_is_seen() -> None:
    _refused(with_input_field(transfer(), In.NON_WITNESS_UTXO, None), "is missing")


def test_a_missing_output_is_seen() -> None:
    data = transfer()
    _refused(with_input_field(data, In.WITNESS_UTXO, None), "stands only in its transaction")
    neither = with_input_field(
        with_input_field(data, In.WITNESS_UTXO, None), In.NON_WITNESS_UTXO, None
    )
    with pytest.raises(UnknownTransaction, match="amount is not known"):
        described(neither)


def test_signatures_that_nothing_proves_are_seen() -> None:
    data = transfer()
    previous, _ = _parts(data)
    inputs = (replace(previous.inputs[0], witness=(b"anything",)),)
    whole = replace(previous, inputs=inputs).encode()
    _refused(with_input_field(data, In.NON_WITNESS_UTXO, whole), "carries signatures")


def test_an_output_that_does_not_exist_is_seen() -> None:
    data = transfer()
    first, *rest = parse_psbt(data).transaction.inputs
    moved = replace(first, outpoint=replace(first.outpoint, index=2))
    _refused(with_transaction(data, inputs=(moved, *rest)), "no such output")


def test_more_than_all_coins_cannot_be_spent() -> None:
    coins = (coin(MAX_MONEY - 7_777, salt=1), coin(MAX_MONEY - 7_777, salt=2))
    data = draft().rate(1).spend(*coins).build(KeyPosition(1, 0))
    with pytest.raises(UnknownTransaction, match="more than all coins"):
        described(data)
    unsigned = Transaction(2, tuple(TxIn(each.outpoint) for each in coins), (TxOut(1_000, b""),))
    inputs = tuple(
        (
            field(In.NON_WITNESS_UTXO, each.previous.encode_stripped()),
            field(In.WITNESS_UTXO, each.output.encode()),
        )
        for each in coins
    )
    with pytest.raises(UnknownTransaction, match="inputs are more than all coins"):
        described(psbt_of(unsigned, inputs, ((),)).encode())
