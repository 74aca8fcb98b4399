"""LedgerFile: the ledger in its file. Blocking; all of it runs in the store's thread."""

from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger.chain import EMPTY, GENESIS, StoredRecord, record_hash, require_record
from console.adapters.ledger.connection import (
    FORMAT,
    create_database,
    format_of,
    open_database,
    require_pages,
    translate,
)
from console.adapters.ledger.tree import LedgerTree, VerifiedTiles
from console.adapters.ledger.upgrade import PUT_TILE, upgrade, walk_chain
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
from console.tlog.proofs import inclusion_proof
from console.tlog.tiles import WIDTH, Tile
from console.tlog.tree import hash_leaf, root_of

PAGE = 2000
MAX_PAYLOAD = 4 << 20
CLOCK_TOLERANCE_MS = 5 * 60 * 1000
_SELECT = "SELECT * FROM record WHERE sequence > ? ORDER BY sequence LIMIT ?"
_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_TILE = "SELECT hashes FROM tile WHERE level = ? AND number = ?"
_VERSION = "SELECT max(version) FROM record WHERE stream = ?"
_PLACES = "SELECT sequence FROM record WHERE stream = ? ORDER BY version"
_PLACE = "SELECT sequence FROM record WHERE stream = ? AND version = ?"


class LedgerFile:
    """Owns the connection. Any failure of it ends writing until the file is opened again.

    What is read is checked against the tree, and the tree against the vault's anchor; so opening
    reads the newest records only, and nothing else has to be believed.
    """

    def __init__(self, path: Path, key: SecretBytes, chain: str) -> None:
        self._path = path
        self._key = key
        self._chain = chain
        self._connection: sqlcipher.Connection | None = None
        self._broken: str | None = None
        self._tree = LedgerTree()
        self._tiles = VerifiedTiles(self._stored_tile)
        self._since = 0
        self._newest_hash = GENESIS
        self._latest_ms = 0

    @property
    def head(self) -> HeadAnchor:
        """What is promised of the ledger: the number of records and the tree's root.

        As long as nothing was added since it has a tree: the newest record's hash, as before.
        """
        size = self._tree.size
        return HeadAnchor(size, self._newest_hash if size <= self._since else self._tree.root)

    @property
    def is_writable(self) -> bool:
        return self._broken is None

    @property
    def chain(self) -> str:
        return self._chain

    def open(self, anchored: HeadAnchor | None) -> None:
        """Open or create, and compare with the anchor. Raises: LedgerError."""
        if not self._path.exists():
            if anchored is not None and anchored.sequence > 0:
                raise LedgerRolledBack(
                    f"the ledger is missing; the vault's anchor is at record {anchored.sequence}"
                )
            create_database(self._path, self._key, self._chain)
        self._connect(anchored, read_only=False)

    @property
    def tree_head(self) -> HeadAnchor:
        """The number of records and the tree's root."""
        return HeadAnchor(self._tree.size, self._tree.root)

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[tuple[str, bytes]],
        now_ms: int,
    ) -> tuple[StoredRecord, ...]:
        """Commit named payloads to a stream, all or none. Raises: LedgerError."""
        connection = self._writable()
        version = self._version_of(stream)
        if version != expected_version:
            raise ConcurrencyConflict(f"{stream} is at version {version}, not {expected_version}")
        behind_ms = self._latest_ms - now_ms
        accepted = [name for name, _ in events[:1]] == [ClockAccepted.NAME]
        if behind_ms > CLOCK_TOLERANCE_MS and not accepted:
            raise LedgerClockBehind(
                f"the clock is {behind_ms // 60_000} minutes behind the newest record"
            )
        records = self._chained(stream, version, events, now_ms)
        tree = self._tree.copy()
        for record in records:
            tree.add(record.hash)
        tiles = [(*tile, hashes) for tile, hashes in tree.take_changed().items()]
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, records)
            connection.executemany(PUT_TILE, tiles)
            connection.execute("COMMIT")
        except sqlcipher.Error as error:
            raise self._fail(error) from None
        self._tree = tree
        self._note(records)
        return records

    def stream(self, stream: str) -> tuple[StoredRecord, ...]:
        """Return a stream's records, each checked. Raises: LedgerError."""
        self._readable()
        places = [sequence for (sequence,) in self._rows(_PLACES, stream)]
        records = tuple(record for sequence in places for record in self.page(sequence - 1, 1))
        if len(records) != len(places) or [(r.stream, r.version) for r in records] != [
            (stream, version) for version in range(1, len(records) + 1)
        ]:
            raise self._corrupted(f"records of {stream} are missing from the ledger")
        return records

    def page(self, after: int, limit: int) -> tuple[StoredRecord, ...]:
        """Return up to `limit` checked records after a sequence. Raises: LedgerError."""
        self._readable()
        expected = range(after + 1, min(after + limit, self._tree.size) + 1)
        rows = self._rows(_SELECT, after, len(expected))
        records = tuple(map(StoredRecord._make, rows))
        try:
            _require_run(self._chain, records, expected)
            for record in records:
                self._require_in_tree(record)
        except LedgerCorrupted as error:
            raise self._corrupted(str(error)) from None
        return records

    def proven(self, sequence: int, size: int) -> tuple[StoredRecord, tuple[bytes, ...]]:
        """Return a record, and the proof that the tree of `size` records has it.

        Raises: LedgerError, ValueError if it has not.
        """
        (record,) = self.page(sequence - 1, 1) or (None,)
        if record is None:
            raise ValueError("there is no such record")
        return record, inclusion_proof(sequence - 1, size, partial(self._tiles.node, self._tree))

    def contains(self, head: HeadAnchor) -> bool:
        """Return whether this ledger had this head once. Raises: LedgerError."""
        self._readable()
        if not 0 <= head.sequence <= self._tree.size:
            return False
        if head.sequence <= self._since:
            return self._hash_of(head.sequence) == head.hash
        return self._root_at(head.sequence) == head.hash

    def verify_page(self, reached: HeadAnchor, count: int) -> HeadAnchor:
        """Check `count` records after `reached`, their order in their streams, and the index.

        `reached` is a record's number and its own hash. Returns the last. Raises: LedgerError.
        """
        records = self.page(reached.sequence, count)
        if records[0].previous_hash != reached.hash:
            number = records[0].sequence
            raise self._corrupted(f"record {number} does not follow the one before it")
        for record in records:
            self._require_indexed(record)
        return HeadAnchor(records[-1].sequence, records[-1].hash)

    def require_writable(self) -> None:
        """Raises: LedgerUnavailable if a failure has ended writing."""
        self._writable()

    def require_pages(self) -> None:
        """Check every page on the disk, and read all that is kept anew. Raises: LedgerError."""
        self._readable()
        self._tiles.forget()
        try:
            # Cached pages would hide changes to the file.
            self._require_connection().execute("PRAGMA shrink_memory")
            require_pages(self._require_connection(), self._path)
        except sqlcipher.Error as error:
            raise self._fail(error) from None

    def require_edge(self) -> None:
        """Check the unfinished tiles on the disk. Raises: LedgerError."""
        self._readable()
        for tile, hashes in self._tree.stored_edge():
            if self._stored_tile(tile) != hashes:
                raise self._corrupted("the ledger's tree is damaged: its newest hashes")

    def stop(self, reason: str) -> None:
        """Close the connection; nothing is written afterwards."""
        self._broken = reason
        self._disconnect()

    def close(self) -> None:
        """Close for ever and wipe the key."""
        self.stop("the ledger is closed")
        self._key.wipe()

    def _connect(self, anchored: HeadAnchor | None, *, read_only: bool) -> None:
        connection = open_database(self._path, self._key, self._chain, read_only=read_only)
        self._connection = connection
        self._tiles.forget()
        before = self._tree, self._since, self._newest_hash, self._latest_ms
        believed = False
        try:
            if format_of(connection, self._chain) != FORMAT:
                self._upgrade(anchored)
            self._restore(anchored)
            believed = True
        except sqlcipher.Error as error:
            raise translate(error) from None
        finally:
            if not believed:
                # What was read is no head to compare the file with the next time.
                self._tree, self._since, self._newest_hash, self._latest_ms = before
                self._disconnect()

    def _upgrade(self, anchored: HeadAnchor | None) -> None:
        connection = self._require_connection()
        head, seen, tree = walk_chain(connection, self._chain, anchored)
        _require_anchored(anchored, seen, head.sequence)
        upgrade(connection, tree)

    def _restore(self, anchored: HeadAnchor | None) -> None:
        """Make the tree from what is stored, and compare it with the anchor."""
        ((size,),) = self._rows("SELECT coalesce(max(sequence), 0) FROM record")
        trees = self._rows("SELECT since FROM tree")
        if len(trees) != 1 or not 0 <= trees[0][0] <= size:
            raise LedgerCorrupted("the ledger does not say since when it has a tree")
        whole = size // WIDTH * WIDTH
        newest = tuple(map(StoredRecord._make, self._rows(_SELECT, whole, WIDTH)))
        _require_run(self._chain, newest, range(whole + 1, size + 1))
        self._since, self._latest_ms = trees[0][0], 0
        self._tree = LedgerTree.restored(size, self._stored_tile, (r.hash for r in newest))
        self._newest_hash = newest[-1].hash if newest else self._hash_of(size)
        _require_anchored(anchored, self._seen(anchored), size)
        at = 0 if anchored is None else anchored.sequence
        while at < size:
            # What was added since the anchor was written: its tiles are compared by reading.
            at = self.page(at, PAGE)[-1].sequence
        self._note(self.page(max(0, size - WIDTH), WIDTH))

    def _seen(self, anchored: HeadAnchor | None) -> bytes | None:
        """Return what the ledger has at the anchor's place."""
        if anchored is None or anchored.sequence > self._tree.size:
            return None
        if anchored.sequence > self._since:
            return self._root_at(anchored.sequence)
        if self._since == 0:
            return EMPTY.hash
        # No root of this tree was anchored yet.
        _, seen, tree = walk_chain(self._require_connection(), self._chain, anchored)
        if tree.root != self._tree.root:
            raise LedgerCorrupted("the ledger's tree is not that of its records")
        return seen

    def _root_at(self, size: int) -> bytes:
        return root_of(size, partial(self._tiles.node, self._tree))

    def _hash_of(self, sequence: int) -> bytes:
        return self.page(sequence - 1, 1)[0].hash if sequence else GENESIS

    def _stored_tile(self, tile: Tile) -> bytes:
        rows = self._rows(_TILE, *tile)
        return bytes(rows[0][0]) if rows else b""

    def _version_of(self, stream: str) -> int:
        ((version,),) = self._rows(_VERSION, stream)
        return version or 0

    def _require_in_tree(self, record: StoredRecord) -> None:
        if hash_leaf(record.hash) != self._tiles.leaf(self._tree, record.sequence):
            raise LedgerCorrupted(f"record {record.sequence} is not the one in the ledger's tree")

    def _require_indexed(self, record: StoredRecord) -> None:
        """Check that a stream's index leads to a record and to the one before it."""
        here = self._rows(_PLACE, record.stream, record.version)
        before = self._rows(_PLACE, record.stream, record.version - 1)
        follows = before and before[0][0] < record.sequence if record.version > 1 else not before
        if here != [(record.sequence,)] or not follows:
            raise self._corrupted(f"record {record.sequence} is not in its place in its stream")

    def _note(self, records: Sequence[StoredRecord]) -> None:
        for record in records:
            accepted = record.name == ClockAccepted.NAME
            self._latest_ms = max(0 if accepted else self._latest_ms, record.recorded_at_ms)
            self._newest_hash = record.hash

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return list(self._require_connection().execute(statement, values))
        except sqlcipher.Error as error:
            raise self._fail(error) from None

    def _chained(
        self, stream: str, version: int, events: Sequence[tuple[str, bytes]], now_ms: int
    ) -> tuple[StoredRecord, ...]:
        records = []
        sequence, previous_hash = self._tree.size, self._newest_hash
        for name, payload in events:
            if len(payload) > MAX_PAYLOAD:
                raise ValueError(f"an event has at most {MAX_PAYLOAD} bytes")
            sequence, version = sequence + 1, version + 1
            fields = (sequence, stream, version, name, now_ms, payload, previous_hash)
            previous_hash = record_hash(self._chain, *fields)
            records.append(StoredRecord(*fields, previous_hash))
        return tuple(records)

    def _writable(self) -> sqlcipher.Connection:
        if self._broken is not None:
            raise LedgerUnavailable(f"the ledger is read-only until reopened: {self._broken}")
        return self._require_connection()

    def _readable(self) -> None:
        if self._key.wiped:
            raise LedgerUnavailable("the ledger is closed")
        if self._connection is None:
            # After a failure the file on the disk counts; it is verified as at any opening.
            self._connect(self.head, read_only=True)

    def _require_connection(self) -> sqlcipher.Connection:
        if self._connection is None:
            raise LedgerUnavailable("the ledger is closed")
        return self._connection

    def _fail(self, error: sqlcipher.Error) -> LedgerError:
        failure = translate(error)
        self.stop(str(failure))
        return failure

    def _corrupted(self, why: str) -> LedgerCorrupted:
        self.stop(why)
        return LedgerCorrupted(why)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlcipher.Error as error:
                self._broken = f"the ledger did not close: {error}"


def _require_run(chain: str, records: tuple[StoredRecord, ...], expected: range) -> None:
    previous: bytes | None = None
    for record, sequence in zip_longest(records, expected):
        if record is None or record.sequence != sequence:
            raise LedgerCorrupted(f"record {sequence} is missing from the ledger")
        require_record(chain, record, previous)
        previous = record.hash


def _require_anchored(anchored: HeadAnchor | None, seen: bytes | None, size: int) -> None:
    if anchored is None:
        if size > 0:
            raise LedgerCorrupted("the vault has no anchor of this ledger; is it another vault's?")
        return
    if anchored.sequence > size:
        raise LedgerRolledBack(
            f"the ledger ends at {size}; the vault's anchor is at {anchored.sequence}"
        )
    if seen != anchored.hash:
        raise LedgerCorrupted(f"record {anchored.sequence} does not match the vault's anchor")
