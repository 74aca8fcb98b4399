"""The ledger in its file: what makes it, what it refuses, and how it ends."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.adapters.ledger import connection
from console.adapters.ledger.connection import (
    OLDEST_SQLITE,
    PAGE_SIZE,
    WITHDRAWN_SQLITE,
    create_database,
    open_database,
    require_pages,
)
from console.adapters.ledger.file import MAX_PAYLOAD, LedgerFile
from console.adapters.ledger.lock_file import LockFile
from console.application.errors import (
    LedgerCorrupted,
    LedgerError,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes

KEY = b"k" * 32


def key() -> SecretBytes:
    return SecretBytes(KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def opened(path: Path, records: int = 0) -> LedgerFile:
    file = LedgerFile(path, key(), "alice")
    file.open(None)
    for number in range(records):
        file.append("a", number, [("name.v1", b"{}" * 200)], 1000)
    return file


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(at)
        old = stream.read(1)
        stream.seek(at)
        stream.write(bytes([old[0] ^ 1]))


def test_a_ledger_is_made_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished = path.with_name("ledger.db.new")
    unfinished.write_bytes(b"left by a crash")
    synced: list[tuple[Path, bool]] = []
    monkeypatch.setattr(
        connection, "sync_folder", lambda folder: synced.append((folder, path.exists()))
    )
    create_database(path, key(), "alice")
    assert synced == [(path.parent, True)]
    assert not unfinished.exists()
    open_database(path, key(), "alice").close()


def test_what_is_there_is_not_written_over(path: Path) -> None:
    path.write_bytes(b"evidence")
    with pytest.raises(LedgerUnavailable, match="cannot be created"):
        create_database(path, key(), "alice")
    assert path.read_bytes() == b"evidence"
    with pytest.raises(LedgerUnavailable, match="cannot be created"):
        create_database(path.parent / "nowhere" / "ledger.db", key(), "alice")


def test_a_ledger_that_sqlite_cannot_make_is_not_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SCHEMA", ("CREATE NONSENSE",))
    with pytest.raises(LedgerUnavailable, match="the ledger failed"):
        create_database(path, key(), "alice")
    assert not path.exists()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_its_size(path: Path, size: int) -> None:
    create_database(path, key(), "alice")
    with pytest.raises(ValueError, match="32 bytes"):
        open_database(path, SecretBytes(bytes(size)), "alice")


def test_a_ledger_of_a_later_format_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FORMAT", 3)
    create_database(path, key(), "alice")
    monkeypatch.undo()
    with pytest.raises(LedgerUnavailable, match="format 3, which is not known here"):
        open_database(path, key(), "alice")


def test_a_refused_ledger_can_be_opened_by_its_owner_at_once(path: Path) -> None:
    create_database(path, key(), "alice")
    with pytest.raises(LedgerCorrupted, match="not the ledger of bob") as refused:
        open_database(path, key(), "bob")
    # The refusal keeps the frame alive in which the connection was made.
    assert refused.value.__traceback__ is not None
    file = opened(path, records=1)
    assert file.head.sequence == 1
    file.close()


def test_a_file_has_the_size_that_it_records(path: Path, tmp_path: Path) -> None:
    create_database(path, key(), "alice")
    found = open_database(path, key(), "alice")
    require_pages(found, path)
    longer = tmp_path / "longer"
    longer.write_bytes(path.read_bytes() + bytes(PAGE_SIZE))
    with pytest.raises(LedgerCorrupted, match="the size that it records"):
        require_pages(found, longer)
    found.close()


def test_damage_on_the_disk_is_found_although_the_pages_were_read(path: Path) -> None:
    file = opened(path, records=40)
    file.require_pages()
    flip(path, path.stat().st_size - 100)
    with pytest.raises(LedgerCorrupted, match="the ledger's file is damaged"):
        file.require_pages()


def test_a_file_that_sqlite_cannot_read_any_more_ends_writing(path: Path) -> None:
    file = opened(path, records=40)
    size = path.stat().st_size
    path.write_bytes(b"\x55" * size)
    with pytest.raises(LedgerError):
        file.require_pages()
    for ask in (
        lambda: file.page(0, 40),
        lambda: file.append("a", 40, [("name.v1", b"{}")], 1000),
    ):
        with pytest.raises(LedgerError):
            ask()


def test_after_a_failure_the_ledger_is_read_and_not_written(path: Path) -> None:
    file = opened(path, records=3)
    file.stop("the disk was full")
    assert [record.sequence for record in file.page(0, 10)] == [1, 2, 3]
    file.stop("again")
    file.require_pages()
    for ask in (
        file.require_writable,
        lambda: file.append("a", 3, [("name.v1", b"{}")], 1000),
    ):
        with pytest.raises(LedgerUnavailable, match="read-only until reopened: again"):
            ask()


def test_a_closed_ledger_is_closed_for_good_and_its_key_is_gone(path: Path) -> None:
    own = key()
    file = LedgerFile(path, own, "alice")
    file.open(None)
    file.close()
    assert own.wiped
    for ask in (lambda: file.page(0, 1), lambda: file.stream("a"), file.require_pages):
        with pytest.raises(LedgerUnavailable, match="the ledger is closed"):
            ask()


def test_pages_are_verified_in_the_order_of_the_chain(path: Path) -> None:
    file = opened(path, records=4)
    second = file.page(1, 1)[0]
    last = file.page(3, 1)[0]
    assert file.verify_page(HeadAnchor(2, second.hash), 2) == HeadAnchor(4, last.hash)
    with pytest.raises(LedgerCorrupted, match="record 3 does not follow the one before it"):
        file.verify_page(HeadAnchor(2, bytes(32)), 2)


def test_an_event_has_a_size(path: Path) -> None:
    file = opened(path)
    with pytest.raises(ValueError, match="at most"):
        file.append("a", 0, [("name.v1", b"{}"), ("name.v1", bytes(MAX_PAYLOAD + 1))], 1000)
    assert file.head.sequence == 0
    file.append("a", 0, [("name.v1", bytes(MAX_PAYLOAD))], 1000)
    assert file.head.sequence == 1


def test_a_ledger_has_one_opener(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ledger.lock"
    first = LockFile(path)
    with pytest.raises(LedgerUnavailable, match="already open"):
        LockFile(path)
    first.release()
    LockFile(path).release()
    with pytest.raises(LedgerUnavailable, match="cannot be locked"):
        LockFile(tmp_path / "folder")


def test_the_descriptor_of_a_refused_opener_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = LockFile(tmp_path / "ledger.lock")
    closed: list[int] = []
    system = SimpleNamespace(**vars(connection.os))
    system.close = lambda descriptor: (closed.append(descriptor), connection.os.close(descriptor))
    monkeypatch.setattr("console.file_lock.os", system)
    monkeypatch.setattr("console.adapters.ledger.lock_file.os", system)
    with pytest.raises(LedgerUnavailable):
        LockFile(tmp_path / "ledger.lock")
    assert len(closed) == 1
    first.release()
    assert len(closed) == 2


def rewrite(path: Path, chain: str, sql: str, *values: object) -> None:
    """Change the file under an open ledger as somebody can who has its key."""
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    changing = open_database(copy, key(), chain)
    changing.execute(sql, values)
    changing.close()
    path.write_bytes(copy.read_bytes())


def test_a_row_changed_under_an_open_ledger_ends_writing(path: Path) -> None:
    file = opened(path, records=40)
    rewrite(path, "alice", "UPDATE record SET payload = ? WHERE sequence = 7", b"[]" * 200)
    file.require_pages()
    with pytest.raises(LedgerCorrupted, match="record 7"):
        file.page(0, 40)
    with pytest.raises(LedgerUnavailable, match="read-only"):
        file.require_writable()


def test_a_read_that_sqlite_refuses_ends_writing(path: Path) -> None:
    file = opened(path, records=40)
    file.require_pages()
    path.write_bytes(b"\x55" * path.stat().st_size)
    with pytest.raises(LedgerError):
        file.page(0, 40)
    with pytest.raises(LedgerUnavailable, match="read-only"):
        file.require_writable()


class Watched:
    """A connection that notes when it is closed, and can claim to keep another journal."""

    def __init__(self, inner: Any, journal: str) -> None:
        self.inner, self.journal, self.closed = inner, journal, False

    def execute(self, sql: str, *values: object) -> Any:
        found = self.inner.execute(sql, *values)
        if "journal_mode" in sql and self.journal:
            return SimpleNamespace(fetchone=lambda: (self.journal,))
        return found

    def close(self) -> None:
        self.closed = True
        self.inner.close()


def watching(monkeypatch: pytest.MonkeyPatch, journal: str = "") -> list[Watched]:
    made: list[Watched] = []
    connect = connection.sqlcipher.connect

    def connected(*where: Any, **how: Any) -> Watched:
        made.append(Watched(connect(*where, **how), journal))
        return made[-1]

    monkeypatch.setattr(connection.sqlcipher, "connect", connected)
    return made


def test_what_made_a_ledger_lets_go_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = watching(monkeypatch)
    create_database(path, key(), "alice")
    assert [one.closed for one in made] == [True]


def test_a_ledger_with_another_journal_is_refused_and_let_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_database(path, key(), "alice")
    made = watching(monkeypatch, "wal")
    with pytest.raises(LedgerCorrupted, match="another journal"):
        open_database(path, key(), "alice")
    assert [one.closed for one in made] == [True]


def test_one_record_is_enough_for_the_vault_and_the_ledger_to_be_asked_for_each_other(
    path: Path,
) -> None:
    with pytest.raises(LedgerRolledBack, match="the vault's anchor is at record 1"):
        LedgerFile(path, key(), "alice").open(HeadAnchor(1, bytes(32)))
    assert not path.exists()
    opened(path, records=1).close()
    with pytest.raises(LedgerCorrupted, match="the vault has no anchor of this ledger"):
        opened(path)


def test_nobody_else_reads_or_locks_a_ledger(path: Path) -> None:
    opened(path).close()
    lock = path.with_name("ledger.lock")
    LockFile(lock).release()
    assert [oct(each.stat().st_mode & 0o777) for each in (path, lock)] == ["0o600"] * 2


def test_the_versions_of_sqlite_that_lose_data_are_named() -> None:
    assert (OLDEST_SQLITE, WITHDRAWN_SQLITE) == ((3, 51, 3), (3, 52, 0))
