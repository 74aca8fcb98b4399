"""SqlCipherEventStore: a member's ledger in one encrypted file; its head is also in the vault."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from console.adapters.ledger.chain import EMPTY, StoredRecord
from console.adapters.ledger.file import PAGE, LedgerFile
from console.adapters.ledger.lock_file import LockFile
from console.application.errors import (
    HsmError,
    LedgerCorrupted,
    LedgerError,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.event_codec import decode_event, encode_event
from console.application.ports.event_store import LedgerReport, RecordedEvent
from console.application.ports.vault import HeadAnchor, HeadAnchorPort
from console.domain.events import Event
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes

MAX_STREAM = 200
MAX_PAGE = 10_000
CHECK_AFTER_S, CHECK_PAUSE_S, CHECKED_AT_ONCE = 5.0, 0.02, 256
"""When the check in the background begins, its rests, and how many records it takes at once."""
_T = TypeVar("_T")
log = structlog.get_logger(__name__)


async def open_ledger(
    path: Path,
    key: SecretBytes,
    anchor: HeadAnchorPort,
    member: MemberId,
    clock_ms: Callable[[], int],
) -> "SqlCipherEventStore":
    """Open or create a member's ledger, and compare it with the vault's head.

    Owns `key` (32 bytes) and wipes it at close. Raises: LedgerCorrupted, LedgerRolledBack,
    LedgerUnavailable, HsmError.
    """
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
    loop = asyncio.get_running_loop()
    try:
        lock = await loop.run_in_executor(thread, LockFile, path.with_name(path.name + ".lock"))
    except LedgerUnavailable:
        key.wipe()
        thread.shutdown(wait=False)
        raise
    store = SqlCipherEventStore(LedgerFile(path, key, member), lock, thread, anchor, clock_ms)
    opened = False
    try:
        await store.settle()
        store.check_in_background()
        opened = True
    finally:
        if not opened:
            await store.close()
    return store


class SqlCipherEventStore:
    """Implements `EventStore`; created by `open_ledger`."""

    def __init__(
        self,
        file: LedgerFile,
        lock: LockFile,
        thread: ThreadPoolExecutor,
        anchor: HeadAnchorPort,
        clock_ms: Callable[[], int],
    ) -> None:
        self._file = file
        self._lock = lock
        self._thread = thread
        self._anchor = anchor
        self._clock_ms = clock_ms
        self._anchored: HeadAnchor | None = None
        self._writing = asyncio.Lock()
        self._closed = False
        self._checking: asyncio.Task[None] | None = None

    async def append(
        self, stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        """Record all events durably, then move the vault's head, then return."""
        if not 1 <= len(stream) <= MAX_STREAM:
            raise ValueError(f"a stream's name has 1 to {MAX_STREAM} characters")
        encoded = [encode_event(event) for event in events]
        async with self._writing:
            await self._run(self._file.require_writable)
            await self._require_anchor()
            now_ms = self._clock_ms()
            records = await self._run(
                lambda: self._file.append(stream, expected_version, encoded, now_ms)
            )
            if records:
                await self._move_anchor()
        return tuple(
            _recorded(record, event) for record, event in zip(records, events, strict=True)
        )

    async def read_stream(self, stream: str) -> tuple[RecordedEvent, ...]:
        """Return a stream's records in order, each checked against its hash."""
        return await self._run(lambda: _decoded(self._file.stream(stream)))

    async def read_all(self, after: int = 0, limit: int = 256) -> tuple[RecordedEvent, ...]:
        """Return up to `limit` (at most 10,000) records with sequence > `after`, in order."""
        return await self._run(lambda: _decoded(self._file.page(after, _page_size(limit))))

    async def read_stored(self, after: int = 0, limit: int = 256) -> tuple[StoredRecord, ...]:
        """Return records as stored bytes, for an export."""
        return await self._run(lambda: self._file.page(after, _page_size(limit)))

    async def read_proven(self, sequence: int, size: int) -> tuple[StoredRecord, tuple[bytes, ...]]:
        """Return a record, and the proof that the tree of `size` records has it."""
        return await self._run(lambda: self._file.proven(sequence, size))

    async def head(self) -> HeadAnchor:
        """Return what is promised of the ledger as it is."""
        return await self._run(lambda: self._file.head)

    async def tree_head(self) -> HeadAnchor:
        """Return the number of records and the root of their tree."""
        return await self._run(lambda: self._file.tree_head)

    async def contains(self, head: HeadAnchor) -> bool:
        """Return whether this ledger had this head once."""
        return await self._run(lambda: self._file.contains(head))

    @property
    def writable(self) -> bool:
        """Whether nothing has failed since it was opened."""
        return self._file.is_writable

    @property
    def chain(self) -> str:
        """The member whose ledger this is."""
        return self._file.chain

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> LedgerReport:
        """Verify all records from the disk; appends continue between pages."""
        await self._run(self._file.require_pages)
        head = await self.head()
        async for reached in self._walk(head.sequence, PAGE):
            if progress is not None:
                progress(reached, head.sequence)
        # Between an append's commit and its anchor the two may differ.
        async with self._writing:
            anchored = await self._anchor.read()
            self._require_known(anchored)
        return LedgerReport(head=head, anchored=anchored, records=head.sequence)

    def check_in_background(self) -> None:
        """Check once all that opening has not read: old records and the index of streams.

        A few records at a time, so that nothing waits long. What is found ends writing.
        """
        self._checking = asyncio.create_task(self._check())

    async def checked(self) -> None:
        """Wait until the check in the background is over; `writable` tells its result."""
        if self._checking is not None:
            await asyncio.wait({self._checking})

    async def _check(self) -> None:
        await asyncio.sleep(CHECK_AFTER_S)
        try:
            head = await self.head()
            async for _ in self._walk(head.sequence, CHECKED_AT_ONCE):
                await asyncio.sleep(CHECK_PAUSE_S)
        except Exception as error:  # Whatever it fails on was not written by this ledger.
            if not self._closed:
                why = str(error) if isinstance(error, LedgerError) else type(error).__name__
                log.exception("ledger-damaged", why=why)
                await self._stop(f"the check of old records failed: {why}")

    async def _walk(self, size: int, at_once: int) -> AsyncIterator[int]:
        """Check the records one after the other; yields how far it is."""
        reached = EMPTY
        while reached.sequence < size:
            count = min(at_once, size - reached.sequence)
            reached = await self._run(partial(self._file.verify_page, reached, count))
            yield reached.sequence
        await self._run(self._file.require_edge)

    async def settle(self) -> None:
        """Open the file, compare it with the vault's head, and advance a head that is behind."""
        anchored = await self._anchor.read()
        await self._run(lambda: self._file.open(anchored))
        self._anchored = anchored
        if anchored != self._file.head:
            await self._move_anchor()

    async def close(self) -> None:
        """Finish what is queued, close the file, wipe the key, release the lock."""
        if self._closed:
            return
        self._closed = True
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.wait({self._checking})
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._file.close)
        finally:
            self._thread.shutdown(wait=False)
            self._lock.release()

    async def _run(self, operation: Callable[[], _T]) -> _T:
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, operation)

    async def _require_anchor(self) -> None:
        """Check before a write that the vault still holds the head that this store wrote last."""
        try:
            anchored = await self._anchor.read()
        except HsmError as error:
            raise LedgerUnavailable(f"the vault cannot read the ledger's head: {error}") from None
        try:
            self._require_known(anchored)
        except LedgerError as error:
            await self._stop(str(error))
            raise
        if anchored != self._file.head:
            # An append was cancelled after its commit.
            await self._move_anchor()

    async def _move_anchor(self) -> None:
        head = self._file.head
        try:
            await self._anchor.write(head)
        except HsmError as error:
            reason = f"the vault does not store the ledger's head: {error}"
            await self._stop(reason)
            raise LedgerUnavailable(reason) from None
        self._anchored = head

    def _require_known(self, anchored: HeadAnchor | None) -> None:
        head = self._file.head
        if anchored in {head, self._anchored}:
            return
        if anchored is not None and anchored.sequence > head.sequence:
            # Another copy of this ledger was written to.
            raise LedgerRolledBack(
                f"the ledger ends at {head.sequence}; the vault's anchor is at {anchored.sequence}"
            )
        raise LedgerCorrupted("the vault's anchor is not the one that this ledger wrote")

    async def _stop(self, reason: str) -> None:
        await self._run(lambda: self._file.stop(reason))


def _page_size(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"a page has 1 to {MAX_PAGE} records")
    return limit


def _decoded(records: tuple[StoredRecord, ...]) -> tuple[RecordedEvent, ...]:
    return tuple(_recorded(record, decode_event(record.name, record.payload)) for record in records)


def _recorded(record: StoredRecord, event: Event) -> RecordedEvent:
    return RecordedEvent(
        sequence=record.sequence,
        stream=record.stream,
        version=record.version,
        recorded_at_ms=record.recorded_at_ms,
        event=event,
        previous_hash=record.previous_hash,
        hash=record.hash,
    )
