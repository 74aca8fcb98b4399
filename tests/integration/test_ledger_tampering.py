"""The ledger against whoever changes its file, with and without the key."""

# ruff: noqa: ASYNC240, S311 - tests may wait for their files, and choose by a seed

import random
from contextlib import suppress
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger import store as store_module
from console.adapters.ledger.file import LedgerFile
from console.application.errors import (
    ConcurrencyConflict,
    LedgerCorrupted,
    LedgerError,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from tests.fakes.growing_tree import Growing
from tests.fakes.vault import FakeAnchor
from tests.integration.children import (
    KEY,
)
from tests.integration.ledgers import PAGE, events, opened, refusal


async def test_a_ledger_opens_again_and_goes_on(filled: Path, anchor: FakeAnchor) -> None:
    store = await opened(filled, anchor)
    assert (await store.head()).sequence == 60
    assert len(await store.read_stream("b")) == 20
    with pytest.raises(ConcurrencyConflict):
        await store.append("b", 19, events(1))
    await store.append("b", 20, events(1))
    assert filled.stat().st_mode & 0o777 == 0o600
    await store.close()


async def test_nothing_is_readable_in_the_file(filled: Path) -> None:
    data = filled.read_bytes()
    for clear in (b"SQLite", b"vault-unlocked", b"alice", b"record"):
        assert clear not in data


async def test_every_flipped_byte_is_found(filled: Path, anchor: FakeAnchor) -> None:
    good = filled.read_bytes()
    chosen = random.Random(20261)
    places = {0, 15, 16, 100, PAGE - 1, PAGE, len(good) - 1}
    places |= {chosen.randrange(len(good)) for _ in range(150)}
    for place in sorted(places):
        bad = bytearray(good)
        bad[place] ^= 1 << chosen.randrange(8)
        filled.write_bytes(bytes(bad))
        assert isinstance(await refusal(filled, anchor), LedgerCorrupted), place
    filled.write_bytes(good)
    await (await opened(filled, anchor)).close()


async def test_a_file_that_was_cut_or_extended_is_found(filled: Path, anchor: FakeAnchor) -> None:
    good = filled.read_bytes()
    for size in (0, 1, 100, PAGE, 2 * PAGE, len(good) - PAGE, len(good) - 1):
        filled.write_bytes(good[:size])
        assert isinstance(await refusal(filled, anchor), LedgerCorrupted), size
    for extra in (b"\0", bytes(PAGE), good[:PAGE]):
        filled.write_bytes(good + extra)
        assert isinstance(await refusal(filled, anchor), LedgerCorrupted)


async def test_an_older_copy_is_a_roll_back(path: Path, anchor: FakeAnchor) -> None:
    store = await opened(path, anchor)
    await store.append("a", 0, events(3))
    await store.close()
    older = path.read_bytes()
    store = await opened(path, anchor)
    await store.append("a", 3, events(1))
    await store.close()
    path.write_bytes(older)
    refused = await refusal(path, anchor)
    assert isinstance(refused, LedgerRolledBack)
    assert "3" in str(refused)
    assert "4" in str(refused)


async def test_a_removed_ledger_is_a_roll_back_and_not_a_new_one(
    filled: Path, anchor: FakeAnchor
) -> None:
    filled.unlink()
    assert isinstance(await refusal(filled, anchor), LedgerRolledBack)


async def test_every_page_put_back_from_an_older_copy_is_found(
    path: Path, anchor: FakeAnchor
) -> None:
    store = await opened(path, anchor)
    await store.append("a", 0, events(40))
    await store.close()
    older = path.read_bytes()
    store = await opened(path, anchor)
    for version in range(40, 80, 5):
        await store.append("a", version, events(5))
    await store.close()
    newer = path.read_bytes()
    changed = 0
    for place in range(0, len(older), PAGE):
        if older[place : place + PAGE] == newer[place : place + PAGE]:
            continue
        changed += 1
        path.write_bytes(newer[:place] + older[place : place + PAGE] + newer[place + PAGE :])
        assert isinstance(await refusal(path, anchor), LedgerError), place
    assert changed >= 2


async def test_a_page_put_back_while_open_is_found_by_verify(
    path: Path, anchor: FakeAnchor
) -> None:
    store = await opened(path, anchor)
    await store.append("a", 0, events(40))
    older = path.read_bytes()
    await store.append("a", 40, events(40))
    newer = path.read_bytes()
    found = 0
    for place in range(PAGE, len(older), PAGE):
        if older[place : place + PAGE] != newer[place : place + PAGE]:
            with path.open("r+b") as stream:
                stream.seek(place)
                stream.write(older[place : place + PAGE])
            with pytest.raises(LedgerError):
                await store.verify()
            found += 1
            break
    assert found
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 80, events(1))
    await store.close()


async def test_whatever_the_check_in_the_background_fails_on_ends_writing(
    filled: Path, anchor: FakeAnchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(_file: LedgerFile, _reached: HeadAnchor, _count: int) -> HeadAnchor:
        raise TypeError

    monkeypatch.setattr(store_module, "CHECK_AFTER_S", 0.0)
    monkeypatch.setattr(LedgerFile, "verify_page", odd)
    store = await opened(filled, anchor)
    await store.checked()
    with pytest.raises(LedgerUnavailable, match="check of old records failed: TypeError"):
        await store.append("a", 20, events(1))
    await store.close()


@pytest.mark.parametrize("wrong", [bytes(32), KEY[:-1] + b"x"])
async def test_a_wrong_key_is_refused(filled: Path, anchor: FakeAnchor, wrong: bytes) -> None:
    assert isinstance(await refusal(filled, anchor, key=wrong), LedgerCorrupted)


async def test_another_members_ledger_is_refused(filled: Path, anchor: FakeAnchor) -> None:
    refused = await refusal(filled, anchor, member=MemberId("bob"))
    assert isinstance(refused, LedgerCorrupted)
    assert "bob" in str(refused)


async def test_a_plain_database_in_place_is_refused(path: Path, anchor: FakeAnchor) -> None:
    plain = sqlcipher.connect(str(path))
    plain.execute("CREATE TABLE record (sequence INTEGER)")
    plain.commit()
    plain.close()
    assert isinstance(await refusal(path, anchor), LedgerCorrupted)


async def test_a_vault_that_knows_nothing_is_refused(filled: Path) -> None:
    assert isinstance(await refusal(filled, FakeAnchor()), LedgerCorrupted)


async def test_another_hash_in_the_vault_is_refused(filled: Path, anchor: FakeAnchor) -> None:
    anchor.head = HeadAnchor(30, b"x" * 32)
    refused = await refusal(filled, anchor)
    assert isinstance(refused, LedgerCorrupted)
    assert "30" in str(refused)


async def test_a_ledger_ahead_of_its_anchor_is_anchored_anew(
    filled: Path, anchor: FakeAnchor
) -> None:
    store = await opened(filled, anchor)
    tree = Growing(record.hash for record in await store.read_all(0, 30))
    head = await store.head()
    await store.close()
    anchor.head = HeadAnchor(30, tree.frontier.root)
    store = await opened(filled, anchor)
    assert anchor.head == head
    await store.close()


def forge(path: Path, statement: str, *values: object) -> None:
    """Change rows as one who has the key."""
    database = sqlcipher.connect(str(path))
    database.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    database.execute(statement, values)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE record SET payload = x'7b7d' WHERE sequence = 17", "17"),
        ("UPDATE record SET stream = 'z' WHERE sequence = 17", "17"),
        ("UPDATE record SET recorded_at_ms = 1 WHERE sequence = 17", "17"),
        ("UPDATE record SET recorded_at_ms = -1 WHERE sequence = 17", "17"),
        ("UPDATE record SET name = 'other' WHERE sequence = 17", "17"),
        ("UPDATE record SET hash = x'00' WHERE sequence = 17", "17"),
        ("UPDATE record SET previous_hash = hash WHERE sequence = 17", "17"),
        ("DELETE FROM record WHERE sequence = 17", "17"),
        ("DELETE FROM record WHERE sequence = 60", "60"),
        ("UPDATE ledger SET chain = 'bob'", "alice"),
        ("UPDATE tree SET since = 61", "since when"),
        ("UPDATE tree SET since = 60", "60"),
        ("UPDATE tree SET since = -1", "since when"),
        ("DELETE FROM tree", "since when"),
        ("INSERT INTO tree VALUES (0)", "since when"),
        ("UPDATE record SET version = version + 100 WHERE sequence >= 17", "17"),
        ("DROP TABLE record", ""),
        ("DROP INDEX record_in_stream", "other tables"),
        ("CREATE UNIQUE INDEX z ON record (version, stream)", "other tables"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON record BEGIN SELECT RAISE(IGNORE); END",
            "other tables",
        ),
        ("CREATE TABLE more (x)", "other tables"),
    ],
)
async def test_rows_changed_with_the_key_are_found(
    filled: Path, anchor: FakeAnchor, statement: str, named: str
) -> None:
    forge(filled, statement)
    assert named in str(await refusal(filled, anchor))


@pytest.fixture
async def long(path: Path, anchor: FakeAnchor) -> Path:
    """A closed ledger with two full tiles of leaves."""
    store = await opened(path, anchor)
    await store.append("a", 0, events(300))
    await store.append("b", 0, events(300))
    await store.close()
    return path


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 0", "from 1 on"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 1", "from 257 on"),
        ("UPDATE tile SET hashes = x'' WHERE level = 0 AND number = 1", "from 257 on"),
        ("DELETE FROM tile WHERE level = 0 AND number = 0", "from 1 on"),
        ("UPDATE tile SET hashes = zeroblob(64) WHERE level = 1", "600"),
        ("DELETE FROM tile WHERE level = 1", "newest hashes"),
        ("DELETE FROM record WHERE sequence = 600", "600"),
        ("UPDATE record SET payload = x'7b7d' WHERE sequence = 17", "17"),
        ("UPDATE record SET payload = x'7b7d' WHERE sequence = 590", "590"),
    ],
)
async def test_hashes_changed_with_the_key_are_found(
    long: Path, anchor: FakeAnchor, statement: str, named: str
) -> None:
    forge(long, statement)
    assert named in str(await refusal(long, anchor))


async def test_a_page_put_back_that_opening_does_not_read_is_found_in_the_background(
    path: Path, anchor: FakeAnchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "CHECK_AFTER_S", 0.0)
    store = await opened(path, anchor)
    await store.append("a", 0, events(600))
    await store.close()
    older = path.read_bytes()
    store = await opened(path, anchor)
    await store.append("a", 600, events(600))
    await store.close()
    newer = path.read_bytes()
    found = 0
    for place in range(PAGE, len(older), PAGE):
        if older[place : place + PAGE] == newer[place : place + PAGE]:
            continue
        path.write_bytes(newer[:place] + older[place : place + PAGE] + newer[place + PAGE :])
        with suppress(LedgerError):
            store = await opened(path, anchor)
            await store.checked()
            assert not store.writable
            found += 1
            with pytest.raises(LedgerUnavailable, match="read-only until reopened"):
                await store.append("a", 1200, events(1))
            await store.close()
    assert found
