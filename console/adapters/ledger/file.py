"""LedgerFile: the chain in its file. Blocking; all of it runs in the store's thread."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger.chain import (
    EMPTY,
    ChainState,
    StoredRecord,
    record_hash,
    require_record,
)
from console.adapters.ledger.connection import (
    create_database,
    open_database,
    require_pages,
    translate,
)
from console.application.errors import (
    ConcurrencyConflict,
    LedgerClockBehind,
    LedgerCorrupted,
    LedgerError,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.ports.vault import HeadAnchor
from console.domain.events import ClockAccepted
from console.protocols.kernel.secret import SecretBytes

PAGE = 2000
MAX_PAYLOAD = 4 << 20
CLOCK_TOLERANCE_MS = 5 * 60 * 1000
_SELECT = "SELECT * FROM record WHERE sequence > ? ORDER BY sequence LIMIT ?"
_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class LedgerFile:
    """Owns the connection. Any failure of it ends writing until the file is opened again."""

    def __init__(self, path: Path, key: SecretBytes, chain: str) -> None:
        self._path = path
        self._key = key
        self._connection: sqlcipher.Connection | None = None
        self._broken: str | None = None
        self._state = ChainState(chain)

    @property
    def head(self) -> HeadAnchor:
        return self._state.head

    @property
    def is_writable(self) -> bool:
        return self._broken is None

    @property
    def chain(self) -> str:
        return self._state.chain

    def open(self, anchored: HeadAnchor | None) -> None:
        """Open or create, verify the chain, compare with the anchor. Raises: LedgerError."""
        if not self._path.exists():
            if anchored is not None and anchored.sequence > 0:
                raise LedgerRolledBack(
                    f"the ledger is missing; the vault's anchor is at record {anchored.sequence}"
                )
            create_database(self._path, self._key, self._state.chain)
        self._connect(anchored, read_only=False)

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[tuple[str, bytes]],
        now_ms: int,
    ) -> tuple[StoredRecord, ...]:
        """Commit named payloads to a stream, all or none. Raises: LedgerError."""
        connection = self._writable()
        state = self._state
        if state.version_of(stream) != expected_version:
            raise ConcurrencyConflict(
                f"{stream} is at version {state.version_of(stream)}, not {expected_version}"
            )
        behind_ms = state.latest_ms - now_ms
        accepted = [name for name, _ in events[:1]] == [ClockAccepted.NAME]
        if behind_ms > CLOCK_TOLERANCE_MS and not accepted:
            raise LedgerClockBehind(
                f"the clock is {behind_ms // 60_000} minutes behind the newest record"
            )
        records = _chained(state, stream, events, now_ms)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, records)
            connection.execute("COMMIT")
        except sqlcipher.Error as error:
            raise self._fail(error) from None
        for record in records:
            state.accept(record)
        return records

    def stream(self, stream: str) -> tuple[StoredRecord, ...]:
        """Return a stream's records, each checked. Raises: LedgerError."""
        return tuple(
            record
            for sequence in self._readable().streams.get(stream, ())
            for record in self.page(sequence - 1, 1)
        )

    def page(self, after: int, limit: int) -> tuple[StoredRecord, ...]:
        """Return up to `limit` checked records after a sequence. Raises: LedgerError."""
        state = self._readable()
        expected = range(after + 1, min(after + limit, state.head.sequence) + 1)
        records = self._select(after, len(expected))
        try:
            _require_run(state.chain, records, expected)
        except LedgerCorrupted as error:
            self.stop(str(error))
            raise
        return records

    def verify_page(self, reached: HeadAnchor, count: int) -> HeadAnchor:
        """Check `count` records after `reached`; return the last. Raises: LedgerError."""
        records = self.page(reached.sequence, count)
        if records[0].previous_hash != reached.hash:
            raise LedgerCorrupted(f"record {records[0].sequence} does not follow the one before it")
        return HeadAnchor(records[-1].sequence, records[-1].hash)

    def require_writable(self) -> None:
        """Raises: LedgerUnavailable if a failure has ended writing."""
        self._writable()

    def require_pages(self) -> None:
        """Check every page on the disk. Raises: LedgerError."""
        self._readable()
        try:
            # Cached pages would hide changes to the file.
            self._require_connection().execute("PRAGMA shrink_memory")
            require_pages(self._require_connection(), self._path)
        except sqlcipher.Error as error:
            raise self._fail(error) from None

    def stop(self, reason: str) -> None:
        """Close the connection; nothing is written afterwards."""
        self._broken = reason
        self._disconnect()

    def close(self) -> None:
        """Close for ever and wipe the key."""
        self.stop("the ledger is closed")
        self._key.wipe()

    def _connect(self, anchored: HeadAnchor | None, *, read_only: bool) -> None:
        state = ChainState(self._state.chain)
        self._connection = open_database(self._path, self._key, state.chain, read_only=read_only)
        try:
            _require_anchored(anchored, self._fold(state, anchored), state.head)
        except sqlcipher.Error as error:
            self._disconnect()
            raise translate(error) from None
        except LedgerError:
            self._disconnect()
            raise
        self._state = state

    def _fold(self, state: ChainState, anchored: HeadAnchor | None) -> bytes | None:
        """Verify all records into `state`; return the hash at the anchor's place."""
        wanted = -1 if anchored is None else anchored.sequence
        seen = EMPTY.hash if wanted == 0 else None
        for record in self._all():
            state.accept(record)
            if record.sequence == wanted:
                seen = record.hash
        return seen

    def _all(self) -> Iterator[StoredRecord]:
        cursor = self._require_connection().execute("SELECT * FROM record ORDER BY sequence")
        while rows := cursor.fetchmany(PAGE):
            yield from map(StoredRecord._make, rows)

    def _select(self, after: int, count: int) -> tuple[StoredRecord, ...]:
        try:
            rows = self._require_connection().execute(_SELECT, (after, count)).fetchall()
        except sqlcipher.Error as error:
            raise self._fail(error) from None
        return tuple(map(StoredRecord._make, rows))

    def _writable(self) -> sqlcipher.Connection:
        if self._broken is not None:
            raise LedgerUnavailable(f"the ledger is read-only until reopened: {self._broken}")
        return self._require_connection()

    def _readable(self) -> ChainState:
        if self._key.wiped:
            raise LedgerUnavailable("the ledger is closed")
        if self._connection is None:
            # After a failure the file on the disk counts; it is verified as at any opening.
            self._connect(self._state.head, read_only=True)
        return self._state

    def _require_connection(self) -> sqlcipher.Connection:
        if self._connection is None:
            raise LedgerUnavailable("the ledger is closed")
        return self._connection

    def _fail(self, error: sqlcipher.Error) -> LedgerError:
        failure = translate(error)
        self.stop(str(failure))
        return failure

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlcipher.Error as error:
                self._broken = f"the ledger did not close: {error}"


def _chained(
    state: ChainState, stream: str, events: Sequence[tuple[str, bytes]], now_ms: int
) -> tuple[StoredRecord, ...]:
    records = []
    sequence, previous_hash = state.head.sequence, state.head.hash
    version = state.version_of(stream)
    for name, payload in events:
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"an event has at most {MAX_PAYLOAD} bytes")
        sequence, version = sequence + 1, version + 1
        fields = (sequence, stream, version, name, now_ms, payload, previous_hash)
        previous_hash = record_hash(state.chain, *fields)
        records.append(StoredRecord(*fields, previous_hash))
    return tuple(records)


def _require_run(chain: str, records: tuple[StoredRecord, ...], expected: range) -> None:
    if [record.sequence for record in records] != list(expected):
        raise LedgerCorrupted(f"records after {expected.start - 1} are missing from the ledger")
    previous: bytes | None = None
    for record in records:
        require_record(chain, record, previous)
        previous = record.hash


def _require_anchored(anchored: HeadAnchor | None, seen: bytes | None, head: HeadAnchor) -> None:
    if anchored is None:
        if head.sequence > 0:
            raise LedgerCorrupted("the vault has no anchor of this ledger; is it another vault's?")
        return
    if anchored.sequence > head.sequence:
        raise LedgerRolledBack(
            f"the ledger ends at {head.sequence}; the vault's anchor is at {anchored.sequence}"
        )
    if seen != anchored.hash:
        raise LedgerCorrupted(f"record {anchored.sequence} does not match the vault's anchor")
