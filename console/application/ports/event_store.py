"""EventStore: one member's append-only, hash-chained ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.application.ports.vault import HeadAnchor
from console.domain.events import Event


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its place in the chain.

    `sequence` counts from 1 over all streams, `version` from 1 in its stream; `recorded_at_ms`
    is UTC milliseconds. `hash` covers every other field, the stored bytes and `previous_hash`.
    """

    sequence: int
    stream: str
    version: int
    recorded_at_ms: int
    event: Event
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """A verification's result: all records from 1 to `head.sequence` are valid."""

    head: HeadAnchor
    anchored: HeadAnchor | None
    records: int


class EventStore(Protocol):
    """Append with optimistic concurrency; a step that cannot be recorded is not taken."""

    @property
    def writable(self) -> bool:
        """Whether nothing has failed since it was opened."""
        ...

    async def append(
        self, stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        """Record all events durably, or none. `expected_version` is 0 for a new stream.

        Raises: ConcurrencyConflict, LedgerUnavailable (then the store is read-only).
        """
        ...

    async def read_stream(self, stream: str) -> tuple[RecordedEvent, ...]:
        """Return a stream's records in order; () for an unknown stream."""
        ...

    async def read_all(self, after: int = 0, limit: int = 256) -> tuple[RecordedEvent, ...]:
        """Return up to `limit` records with sequence > `after`, in order."""
        ...

    async def head(self) -> HeadAnchor:
        """Return the number of records and the root of their tree (RFC 9162).

        (0, 32 zero bytes) when empty. Where a ledger got its tree later, heads up to that record
        are the newest record's hash: what was signed of them stays true.
        """
        ...

    async def contains(self, head: HeadAnchor) -> bool:
        """Return whether this ledger had this head once, and so continues it."""
        ...

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> LedgerReport:
        """Recompute the chain and compare it with the anchor; calls progress(done, total).

        Raises: LedgerCorrupted naming the first bad sequence, LedgerRolledBack.
        """
        ...

    async def close(self) -> None:
        """Finish and release the file."""
        ...
