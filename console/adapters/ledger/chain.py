"""The hash chain: how a record is hashed, and how records are checked one after the other."""

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from console.application.errors import LedgerCorrupted
from console.application.ports.vault import HeadAnchor

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
class ChainWalk:
    """A walk along the chain from its first record on, which checks everything that it passes.

    Its memory grows with the number of streams: it is for ledgers of format 1 alone.
    """

    chain: str
    head: HeadAnchor = EMPTY
    versions: dict[str, int] = field(default_factory=dict)

    def accept(self, record: StoredRecord) -> None:
        """Check the next record against the chain and advance. Raises: LedgerCorrupted."""
        sequence = self.head.sequence + 1
        if record.sequence != sequence:
            raise LedgerCorrupted(f"record {sequence} is missing from the ledger")
        if record.version != self.versions.get(record.stream, 0) + 1:
            raise LedgerCorrupted(f"record {sequence} has a wrong version in its stream")
        require_record(self.chain, record, self.head.hash)
        self.head = HeadAnchor(sequence, record.hash)
        self.versions[record.stream] = record.version


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
