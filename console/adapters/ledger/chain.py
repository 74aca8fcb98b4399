"""The hash chain: how a record is hashed, and the fold that verifies each record."""

import hashlib
import hmac
import struct
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from console.application.errors import LedgerCorrupted
from console.application.ports.vault import HeadAnchor
from console.domain.events import ClockAccepted

GENESIS = bytes(32)
EMPTY = HeadAnchor(0, GENESIS)
_DOMAIN = b"quorate/ledger-record/1"
_NUMBER = struct.Struct(">IQ")
_LENGTH = struct.Struct(">I")


class StoredRecord(NamedTuple):
    """A row of the ledger, in the order of its columns."""

    sequence: int
    stream: str
    version: int
    name: str
    recorded_at_ms: int
    payload: bytes
    previous_hash: bytes
    hash: bytes


def record_hash(
    chain: str,
    sequence: int,
    stream: str,
    version: int,
    name: str,
    recorded_at_ms: int,
    payload: bytes,
    previous_hash: bytes,
) -> bytes:
    """Return a record's hash over all fields, each with its length: the encoding is unique."""
    chain_bytes, stream_bytes, name_bytes = chain.encode(), stream.encode(), name.encode()
    return hashlib.sha256(
        b"".join(
            (
                _LENGTH.pack(len(_DOMAIN)),
                _DOMAIN,
                _LENGTH.pack(len(chain_bytes)),
                chain_bytes,
                _NUMBER.pack(8, sequence),
                _LENGTH.pack(len(stream_bytes)),
                stream_bytes,
                _NUMBER.pack(8, version),
                _LENGTH.pack(len(name_bytes)),
                name_bytes,
                _NUMBER.pack(8, recorded_at_ms),
                _LENGTH.pack(len(payload)),
                payload,
                _LENGTH.pack(len(previous_hash)),
                previous_hash,
            )
        )
    ).digest()


@dataclass(slots=True)
class ChainState:
    """A verified chain's state: its head, and the positions of each stream's records.

    The positions are not in an index of the file: an index page restored from an older copy of
    the file would hide records and still pass every check.
    """

    chain: str
    head: HeadAnchor = EMPTY
    latest_ms: int = 0
    streams: dict[str, "array[int]"] = field(default_factory=dict)

    def version_of(self, stream: str) -> int:
        """Return how many records a stream has."""
        places = self.streams.get(stream)
        return 0 if places is None else len(places)

    def accept(self, record: StoredRecord) -> None:
        """Check the next record against the chain and advance. Raises: LedgerCorrupted."""
        sequence = self.head.sequence + 1
        if record.sequence != sequence:
            raise LedgerCorrupted(f"record {sequence} is missing from the ledger")
        if record.version != self.version_of(record.stream) + 1:
            raise LedgerCorrupted(f"record {sequence} has a wrong version in its stream")
        require_record(self.chain, record, self.head.hash)
        self.head = HeadAnchor(sequence, record.hash)
        accepted = record.name == ClockAccepted.NAME
        self.latest_ms = max(0 if accepted else self.latest_ms, record.recorded_at_ms)
        self.streams.setdefault(record.stream, array("Q")).append(sequence)


def require_record(chain: str, record: StoredRecord, previous_hash: bytes | None = None) -> None:
    """Check a record's hash, and its link if `previous_hash` is given. Raises: LedgerCorrupted."""
    if previous_hash is not None and record.previous_hash != previous_hash:
        raise LedgerCorrupted(f"record {record.sequence} does not follow the one before it")
    try:
        expected = record_hash(chain, *record[:-1])
    except (struct.error, AttributeError, TypeError):
        raise LedgerCorrupted(f"record {record.sequence} has a wrong encoding") from None
    if not hmac.compare_digest(expected, record.hash):
        raise LedgerCorrupted(f"record {record.sequence} has a wrong hash")
