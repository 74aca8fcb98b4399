"""The hash chain: every field counts, nothing can be moved."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.ledger.chain import (
    GENESIS,
    ChainWalk,
    StoredRecord,
    record_hash,
    require_record,
)
from console.application.errors import LedgerCorrupted

FIELDS = (1, "a", 1, "name.v1", 1000, b"{}", GENESIS)
NUMBERS = st.integers(0, (1 << 63) - 1)
RECORDS = st.tuples(
    NUMBERS, st.text(), NUMBERS, st.text(), NUMBERS, st.binary(), st.binary(max_size=32)
)


def record(sequence: int, stream: str, version: int, previous: bytes) -> StoredRecord:
    fields = (sequence, stream, version, "name.v1", 1000, b"{}", previous)
    return StoredRecord(*fields, record_hash("alice", *fields))


def test_the_hash_is_the_documented_one() -> None:
    parts = (
        b"quorate/ledger-record/1",
        b"alice",
        (1).to_bytes(8, "big"),
        b"a",
        (1).to_bytes(8, "big"),
        b"name.v1",
        (1000).to_bytes(8, "big"),
        b"{}",
        bytes(32),
    )
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert record_hash("alice", *FIELDS) == hashlib.sha256(joined).digest()


@given(st.text(), RECORDS, st.text(), RECORDS)
def test_different_records_have_different_hashes(
    chain: str,
    one: tuple[int, str, int, str, int, bytes, bytes],
    other_chain: str,
    other: tuple[int, str, int, str, int, bytes, bytes],
) -> None:
    same = (chain, one) == (other_chain, other)
    assert same == (record_hash(chain, *one) == record_hash(other_chain, *other))


def test_a_chain_is_folded_stream_by_stream() -> None:
    state = ChainWalk("alice")
    first = record(1, "a", 1, GENESIS)
    second = record(2, "b", 1, first.hash)
    third = record(3, "a", 2, second.hash)
    for each in (first, second, third):
        state.accept(each)
    assert state.head.sequence == 3
    assert state.head.hash == third.hash
    assert state.versions == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        record(2, "a", 1, GENESIS),
        record(0, "a", 1, GENESIS),
        record(1, "a", 2, GENESIS),
        record(1, "a", 0, GENESIS),
        record(1, "a", 1, b"\1" * 32),
        record(1, "a", 1, GENESIS)._replace(hash=bytes(32)),
        record(1, "a", 1, GENESIS)._replace(payload=b"[]"),
    ],
)
def test_a_record_out_of_place_is_refused(wrong: StoredRecord) -> None:
    state = ChainWalk("alice")
    with pytest.raises(LedgerCorrupted):
        state.accept(wrong)
    assert state.head.sequence == 0


def test_another_members_record_is_refused() -> None:
    with pytest.raises(LedgerCorrupted):
        ChainWalk("bob").accept(record(1, "a", 1, GENESIS))


@pytest.mark.parametrize("field", [{"recorded_at_ms": -1}, {"stream": 5}, {"payload": None}])
def test_a_record_without_its_form_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(LedgerCorrupted, match="encoding"):
        require_record("alice", record(1, "a", 1, GENESIS)._replace(**field))  # type: ignore[arg-type]
