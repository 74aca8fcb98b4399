"""What goes to a node and comes from one is checked first: ids, addresses, bytes."""

import pytest
from bitcoin.core import CTransaction, b2lx
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.bitcoin.answers import read_json
from console.adapters.chains.bitcoin.sources import (
    checked_address,
    checked_transaction,
    checked_txid,
)
from console.application.errors import ChainUnavailable, InvalidAddress, UnknownTransaction
from tests.unit.bitcoin_clients.spending import ADDRESS, SPEND, UNKNOWN


def test_an_id_is_that_of_the_bytes_without_witnesses() -> None:
    assert checked_transaction(SPEND) == b2lx(CTransaction.deserialize(SPEND).GetTxid())
    assert checked_txid(UNKNOWN) == UNKNOWN
    assert checked_address(ADDRESS) == ADDRESS


@given(raw=st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: SPEND[:5] + tail))
def test_other_bytes_are_no_transaction(raw: bytes) -> None:
    try:
        txid = checked_transaction(raw)
    except UnknownTransaction:
        return
    transaction = CTransaction.deserialize(raw)
    assert transaction.serialize() == raw
    assert b2lx(transaction.GetTxid()) == txid


@given(text=st.text(max_size=100))
def test_other_texts_are_neither_id_nor_address(text: str) -> None:
    for check, error in ((checked_txid, UnknownTransaction), (checked_address, InvalidAddress)):
        try:
            assert check(text).isalnum()
        except error:
            continue


@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_other_json_is_unavailability(data: bytes) -> None:
    try:
        read_json(data, dict[str, int])
    except ChainUnavailable:
        return


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b'{"b":{"a":1,"\\u0061":2}}', b'[{"a":1},{"a":1,"a":2}]']
)
def test_a_key_is_named_once_at_any_depth(data: bytes) -> None:
    with pytest.raises(ChainUnavailable):
        read_json(data, object)
