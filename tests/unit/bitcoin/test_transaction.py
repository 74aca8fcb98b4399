"""Transactions: strict reading, the same bytes again, sizes and ids."""

import pytest
from bitcoin.core import CTransaction

from console.adapters.chains.bitcoin.limits import MAX_MONEY, MAX_TRANSACTION_BYTES
from console.adapters.chains.bitcoin.transaction import (
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    parse_output,
    parse_stripped,
    parse_transaction,
)
from console.adapters.chains.bitcoin.wire import Reader, compact_size
from console.application.errors import UnknownTransaction

SPENDER = TxIn(OutPoint(b"\x07" * 32, 5), b"\x51", 9, (b"", b"\x01" * 80))
SIGNED = Transaction(2, (SPENDER,), (TxOut(1234, b"\x00\x14" + bytes(20)),), 77)


def test_ids_and_sizes_are_those_of_another_library() -> None:
    theirs = CTransaction.deserialize(SIGNED.encode())
    assert SIGNED.hash == theirs.GetTxid()
    assert SIGNED.txid == theirs.GetTxid()[::-1].hex()
    assert SIGNED.wtxid == theirs.GetHash()[::-1].hex()
    assert SIGNED.weight == theirs.calc_weight()
    assert SIGNED.vsize == -(-SIGNED.weight // 4)


def test_what_is_read_is_written_again() -> None:
    assert parse_transaction(SIGNED.encode()) == SIGNED
    assert parse_transaction(SIGNED.encode_stripped()) == SIGNED.without_witnesses()
    assert parse_stripped(SIGNED.encode_stripped()) == SIGNED.without_witnesses()


def test_no_part_of_it_is_enough() -> None:
    for data in (SIGNED.encode(), SIGNED.encode_stripped()):
        for length in range(len(data)):
            with pytest.raises(UnknownTransaction):
                parse_transaction(data[:length])
        with pytest.raises(UnknownTransaction, match="follow"):
            parse_transaction(data + b"\0")


def test_witnesses_that_are_announced_must_be_there() -> None:
    data = SIGNED.without_witnesses().encode()
    announced = data[:4] + b"\0\1" + data[4:-4] + b"\0" + data[-4:]
    with pytest.raises(UnknownTransaction, match="has none"):
        parse_transaction(announced)


def test_the_form_without_witnesses_takes_none() -> None:
    with pytest.raises(UnknownTransaction):
        parse_stripped(SIGNED.encode())


@pytest.mark.parametrize("amounts", [(MAX_MONEY + 1,), (MAX_MONEY, 1), ((1 << 64) - 1,)])
def test_there_are_only_so_many_coins(amounts: tuple[int, ...]) -> None:
    outputs = tuple(TxOut(amount, b"") for amount in amounts)
    with pytest.raises(UnknownTransaction, match="all coins"):
        parse_transaction(Transaction(2, (SPENDER,), outputs).encode())


def test_numbers_of_parts_that_cannot_be_there_are_refused_at_once() -> None:
    head = (2).to_bytes(4, "little")
    for count in (b"\xff" * 9, b"\xfe\xff\xff\xff\xff"):
        with pytest.raises(UnknownTransaction):
            parse_transaction(head + count + bytes(60))
        with pytest.raises(UnknownTransaction):
            Reader(count + bytes(9), "witness").stack()


def test_a_transaction_has_a_largest_size() -> None:
    with pytest.raises(UnknownTransaction, match="at most"):
        parse_transaction(bytes(MAX_TRANSACTION_BYTES + 1))


@pytest.mark.parametrize("value", [0, 0xFC, 0xFD, 0xFFFF, 0x10000, 0xFFFFFFFF, 1 << 32])
def test_compact_sizes_have_one_form(value: int) -> None:
    assert Reader(compact_size(value), "number").compact() == value
    for mark, size in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        if value < 1 << 8 * size:
            data = bytes([mark]) + value.to_bytes(size, "little")
            if data != compact_size(value):
                with pytest.raises(UnknownTransaction, match="longer than"):
                    Reader(data, "number").compact()


def test_an_output_is_read_to_its_end() -> None:
    output = TxOut(5, b"\x51")
    assert parse_output(output.encode()) == output
    with pytest.raises(UnknownTransaction):
        parse_output(output.encode() + b"\0")
    assert OutPoint(b"\x01" + bytes(31), 3).text == "00" * 31 + "01:3"
