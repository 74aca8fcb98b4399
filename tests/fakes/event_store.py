"""A ledger in memory that keeps the promises of the port, for tests above the adapters."""

from collections.abc import Callable, Sequence

from console.adapters.ledger.chain import EMPTY, GENESIS, record_hash
from console.application.errors import (
    ConcurrencyConflict,
    LedgerClockBehind,
    LedgerCorrupted,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.event_codec import decode_event, encode_event
from console.application.ports.event_store import LedgerReport, RecordedEvent
from console.application.ports.vault import HeadAnchor, HeadAnchorPort
from console.domain.events import ClockAccepted, Event
from console.domain.ids import MemberId
from console.tlog.tree import root_of
from tests.fakes.growing_tree import Growing


class MemoryEventStore:
    """Implements `EventStore`. `fail_next` makes the next append fail and the store read-only.

    `records` are what is durable: a store of a later process is given those of the one before.
    """

    def __init__(
        self,
        member: MemberId,
        clock_ms: Callable[[], int],
        anchor: HeadAnchorPort | None = None,
    ) -> None:
        self._member = member
        self._clock_ms = clock_ms
        self._anchor = anchor
        self.records: list[RecordedEvent] = []
        self._tree = Growing()
        self._hashes: list[bytes] = []
        self.read_only = False
        self.closed = False
        self.fail_next = False

    @property
    def writable(self) -> bool:
        return not (self.closed or self.read_only)

    async def append(
        self, stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        self._require_open()
        if self.fail_next or self.read_only:
            self.read_only, self.fail_next = True, False
            raise LedgerUnavailable("the ledger is read-only until reopened")
        version = len(await self.read_stream(stream))
        if version != expected_version:
            raise ConcurrencyConflict(f"{stream} is at version {version}, not {expected_version}")
        now_ms = self._clock_ms()
        latest_ms = 0
        for record in self.records:
            accepted = isinstance(record.event, ClockAccepted)
            latest_ms = max(0 if accepted else latest_ms, record.recorded_at_ms)
        if now_ms < latest_ms - 5 * 60 * 1000 and not isinstance(events[0], ClockAccepted):
            raise LedgerClockBehind("the clock is 6 minutes behind the newest record")
        added: list[RecordedEvent] = []
        for event in events:
            added.append(self._chained(stream, version + len(added) + 1, event, now_ms, added))
        self.records += added
        if self._anchor is not None and added:
            await self._anchor.write(await self.head())
        return tuple(added)

    async def read_stream(self, stream: str) -> tuple[RecordedEvent, ...]:
        self._require_open()
        return tuple(record for record in self.records if record.stream == stream)

    async def read_all(self, after: int = 0, limit: int = 256) -> tuple[RecordedEvent, ...]:
        self._require_open()
        return tuple(self.records[after : after + limit])

    async def head(self) -> HeadAnchor:
        self._require_open()
        return self._head_at(len(self.records))

    async def contains(self, head: HeadAnchor) -> bool:
        self._require_open()
        return 0 <= head.sequence <= len(self.records) and self._head_at(head.sequence) == head

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> LedgerReport:
        head = await self.head()
        previous = GENESIS
        for record in self.records:
            if record.previous_hash != previous or record.hash != self._hash(record):
                raise LedgerCorrupted(f"record {record.sequence} has a wrong hash")
            previous = record.hash
            if progress is not None:
                progress(record.sequence, head.sequence)
        anchored = None if self._anchor is None else await self._anchor.read()
        if anchored is not None and anchored.sequence > head.sequence:
            raise LedgerRolledBack("the ledger is older than the vault's head")
        return LedgerReport(head=head, anchored=anchored, records=head.sequence)

    async def close(self) -> None:
        self.closed = True

    def _head_at(self, size: int) -> HeadAnchor:
        if size == 0:
            return EMPTY
        hashes = [record.hash for record in self.records]
        if self._hashes != hashes[: len(self._hashes)]:
            self._hashes, self._tree = [], Growing()
        for added in hashes[len(self._hashes) :]:
            self._tree.add(added)
        self._hashes = hashes
        return HeadAnchor(size, root_of(size, self._tree.read))

    def _require_open(self) -> None:
        if self.closed:
            raise LedgerUnavailable("the ledger is closed")

    def _chained(
        self, stream: str, version: int, event: Event, now_ms: int, added: list[RecordedEvent]
    ) -> RecordedEvent:
        before = [*self.records, *added]
        record = RecordedEvent(
            sequence=len(before) + 1,
            stream=stream,
            version=version,
            recorded_at_ms=now_ms,
            event=decode_event(*encode_event(event)),
            previous_hash=before[-1].hash if before else GENESIS,
            hash=b"",
        )
        return RecordedEvent(
            sequence=record.sequence,
            stream=stream,
            version=version,
            recorded_at_ms=now_ms,
            event=record.event,
            previous_hash=record.previous_hash,
            hash=self._hash(record),
        )

    def _hash(self, record: RecordedEvent) -> bytes:
        name, payload = encode_event(record.event)
        return record_hash(
            self._member,
            record.sequence,
            record.stream,
            record.version,
            name,
            record.recorded_at_ms,
            payload,
            record.previous_hash,
        )
