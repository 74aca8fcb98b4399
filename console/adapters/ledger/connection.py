"""Connections to a SQLCipher file: keyed, strict about durability, checked page by page."""

import os
from functools import cache
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher

from console.application.errors import LedgerCorrupted, LedgerError, LedgerUnavailable
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import sync_folder

KEY_SIZE = 32
PAGE_SIZE = 4096
# Before 3.51.3 a WAL reset can corrupt a file; 3.52.0 was withdrawn.
OLDEST_SQLITE = (3, 51, 3)
WITHDRAWN_SQLITE = (3, 52, 0)
_CORRUPT_CODES = {sqlcipher.SQLITE_CORRUPT, sqlcipher.SQLITE_NOTADB}

SCHEMA = (
    "CREATE TABLE ledger (format INTEGER NOT NULL, chain TEXT NOT NULL) STRICT",
    """CREATE TABLE record (
        sequence INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        name TEXT NOT NULL,
        recorded_at_ms INTEGER NOT NULL,
        payload BLOB NOT NULL,
        previous_hash BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT""",
)
TREE_SCHEMA = (
    # `since`: heads up to this record are hashes of the chain, later ones roots of the tree.
    "CREATE TABLE tree (since INTEGER NOT NULL) STRICT",
    """CREATE TABLE tile (
        level INTEGER NOT NULL,
        number INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, number)
    ) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX record_in_stream ON record (stream, version)",
)
FORMAT = 2
FORMAT_OF_CHAINS = 1


def create_database(path: Path, key: SecretBytes, chain: str) -> None:
    """Create an empty ledger at `path`, atomically. Raises: LedgerUnavailable."""
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = _keyed(unfinished, key)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            for statement in (*SCHEMA, *TREE_SCHEMA):
                connection.execute(statement)
            connection.execute("INSERT INTO tree VALUES (0)")
            connection.execute("INSERT INTO ledger VALUES (?, ?)", (FORMAT, chain))
            connection.execute("COMMIT")
        finally:
            connection.close()
        # An existing file is not replaced: it may be evidence.
        os.link(unfinished, path)
        unfinished.unlink()
        sync_folder(path.parent)
    except sqlcipher.Error as error:
        raise translate(error) from None
    except OSError as error:
        raise LedgerUnavailable(f"the ledger cannot be created: {error.strerror}") from None


def open_database(
    path: Path, key: SecretBytes, chain: str, *, read_only: bool = False
) -> sqlcipher.Connection:
    """Open an existing ledger and check every page of it. Raises: LedgerError."""
    connection = None
    try:
        # SQLite takes an empty file for a new database.
        if path.stat().st_size < PAGE_SIZE:
            raise LedgerCorrupted("the ledger's file is truncated")
        connection = _keyed(path, key)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        require_pages(connection, path)
        _require_schema(connection, format_of(connection, chain))
    except sqlcipher.Error as error:
        failure: LedgerError = translate(error)
    except OSError as error:
        failure = LedgerUnavailable(f"the ledger cannot be read: {error.strerror}")
    except LedgerError as error:
        failure = error
    else:
        return connection
    if connection is not None:
        connection.close()
    raise failure from None


def require_pages(connection: sqlcipher.Connection, path: Path) -> None:
    """Check the MAC of every page on disk and the file's size. Raises: LedgerCorrupted."""
    # The first read also rolls an unfinished transaction back, so that pages are at rest.
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if path.stat().st_size != pages * PAGE_SIZE:
        raise LedgerCorrupted("the ledger's file does not have the size that it records")
    fault = connection.execute("PRAGMA cipher_integrity_check").fetchone()
    if fault is not None:
        raise LedgerCorrupted(f"the ledger's file is damaged: {fault[0]}")


def format_of(connection: sqlcipher.Connection, chain: str) -> int:
    """Return a ledger's format. Raises: LedgerUnavailable, LedgerCorrupted."""
    rows = connection.execute("SELECT format, chain FROM ledger LIMIT 2").fetchall()
    if len(rows) == 1:
        format_, name = rows[0]
        if format_ not in {FORMAT, FORMAT_OF_CHAINS}:
            raise LedgerUnavailable(f"the ledger has format {format_}, which is not known here")
        if name == chain:
            return int(format_)
    raise LedgerCorrupted(f"the file is not the ledger of {chain}")


def _require_schema(connection: sqlcipher.Connection, format_: int) -> None:
    """Check that the file has exactly our tables and our index: no trigger, no second index."""
    if _schema(connection) != _expected_schema(format_):
        raise LedgerCorrupted("the file has other tables than a ledger")


def _schema(connection: sqlcipher.Connection) -> set[tuple[object, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


@cache
def _expected_schema(format_: int) -> set[tuple[object, ...]]:
    empty = sqlcipher.connect(":memory:")
    try:
        for statement in SCHEMA if format_ == FORMAT_OF_CHAINS else (*SCHEMA, *TREE_SCHEMA):
            empty.execute(statement)
        return _schema(empty)
    finally:
        empty.close()


def translate(error: sqlcipher.Error) -> LedgerError:
    """Return our error for SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _CORRUPT_CODES:
        return LedgerCorrupted("the file is damaged, is no ledger, or has another key")
    return LedgerUnavailable(f"the ledger failed: {error}")


def _keyed(path: Path, key: SecretBytes) -> sqlcipher.Connection:
    _require_version()
    if len(key) != KEY_SIZE:
        raise ValueError(f"a ledger's key has {KEY_SIZE} bytes")
    # The path is a URI, so that a missing file is never created here.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlcipher.connect(uri, uri=True, isolation_level=None, timeout=0.0)
    try:
        # Before the key: by default SQLCipher writes to standard error.
        connection.execute("PRAGMA cipher_log_level = NONE")
        # A pragma takes no parameters, so the raw key is text while this statement runs.
        connection.execute(f"PRAGMA key = \"x'{key.reveal().hex()}'\"")
        connection.execute(f"PRAGMA cipher_page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if connection.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
            raise LedgerCorrupted("the ledger's file was switched to another journal")
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA trusted_schema = OFF")
    except (sqlcipher.Error, LedgerError):
        connection.close()
        raise
    return connection


def _require_version() -> None:
    version = sqlcipher.sqlite_version_info
    if version < OLDEST_SQLITE or version == WITHDRAWN_SQLITE:
        raise LedgerUnavailable(f"SQLite {sqlcipher.sqlite_version} must not hold a ledger")
