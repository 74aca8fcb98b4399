"""A ledger of format 1 gets its tree, and what was promised of it stays true."""

# ruff: noqa: ASYNC240 - tests may wait for their files

import shutil
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger import SqlCipherEventStore, open_ledger, upgrade
from console.application.errors import LedgerCorrupted, LedgerRolledBack, LedgerUnavailable
from console.application.ports.vault import HeadAnchor
from console.domain.events import VaultUnlocked
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.growing_tree import Growing
from tests.fakes.vault import FakeAnchor
from tests.integration.children import ALICE

# Written by the last version that knew format 1: 300 records in three streams.
GOLDEN = Path(__file__).parents[1] / "golden" / "ledger-format-1.sqlcipher"
KEY = b"golden ledger key, 32 bytes long"
NOW_MS = 1_800_000_400_000
HEAD = HeadAnchor(
    300, bytes.fromhex("cf07dbfed981ab62789c1c610967de3eeccd8ac5f11d074a302b5d6983c4b77d")
)
RECORD_256 = HeadAnchor(
    256, bytes.fromhex("9d19a83777b78f6fc4b5aded6378f4a2ade1c4239aa4070cc1b085554c18c651")
)
EVENT = VaultUnlocked(ALICE, NOW_MS, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN, tmp_path / "ledger.db"))


def anchored(head: HeadAnchor = HEAD) -> FakeAnchor:
    anchor = FakeAnchor()
    anchor.head = head
    return anchor


async def opened(path: Path, anchor: FakeAnchor) -> SqlCipherEventStore:
    return await open_ledger(path, SecretBytes(KEY), anchor, ALICE, lambda: NOW_MS)


async def test_a_ledger_of_format_1_goes_on(path: Path) -> None:
    anchor = anchored()
    store = await opened(path, anchor)
    assert await store.head() == HEAD == anchor.head
    assert (await store.verify()).records == 300
    records = await store.read_all(0, 1000)
    assert [len(await store.read_stream(r.stream)) for r in records[:3]] == [100, 100, 100]
    await store.append("member/alice", 100, [EVENT])
    tree = Growing(record.hash for record in await store.read_all(0, 1000))
    assert await store.head() == HeadAnchor(301, tree.frontier.root) == anchor.head
    assert (await store.verify()).records == 301
    await store.close()
    store = await opened(path, anchor)
    assert (await store.head()).sequence == 301
    await store.close()


async def test_what_was_signed_of_it_stays_true(path: Path) -> None:
    store = await opened(path, anchored())
    await store.append("member/alice", 100, [EVENT])
    for head in (HEAD, RECORD_256, HeadAnchor(0, bytes(32)), await store.head()):
        assert await store.contains(head)
    # One number has one head: a root for a number that was promised otherwise would be a fork.
    tree = Growing(record.hash for record in await store.read_all(0, 300))
    assert not await store.contains(HeadAnchor(300, tree.frontier.root))
    await store.close()


async def test_a_ledger_without_a_new_record_is_checked_from_its_first_one(path: Path) -> None:
    anchor = anchored()
    await (await opened(path, anchor)).close()
    forge(path, "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0")
    with pytest.raises(LedgerCorrupted, match="tree"):
        await opened(path, anchor)


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        (HeadAnchor(301, bytes(32)), LedgerRolledBack),
        (HeadAnchor(256, bytes(32)), LedgerCorrupted),
        (None, LedgerCorrupted),
    ],
)
async def test_what_does_not_match_the_vault_is_not_upgraded(
    path: Path, head: HeadAnchor | None, refusal: type[Exception]
) -> None:
    before = path.read_bytes()
    anchor = FakeAnchor()
    anchor.head = head
    with pytest.raises(refusal):
        await opened(path, anchor)
    assert path.read_bytes() == before


async def test_a_damaged_ledger_is_not_upgraded(path: Path) -> None:
    forge(path, "UPDATE record SET payload = x'7b7d' WHERE sequence = 17")
    before = path.read_bytes()
    with pytest.raises(LedgerCorrupted, match="record 17"):
        await opened(path, anchored())
    assert path.read_bytes() == before


async def test_an_anchor_left_behind_before_the_upgrade_is_moved(path: Path) -> None:
    anchor = anchored(RECORD_256)
    store = await opened(path, anchor)
    assert anchor.head == HEAD
    await store.append("member/alice", 100, [EVENT])
    anchor.head = RECORD_256
    await store.close()
    store = await opened(path, anchor)
    assert (await store.head()).sequence == 301
    assert anchor.head == await store.head()
    await store.close()


@pytest.mark.parametrize("step", range(6))
async def test_an_upgrade_that_is_interrupted_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    statements = list(upgrade.TREE_SCHEMA)
    if step < len(statements):
        statements[step] = "CREATE NONSENSE"
    else:
        monkeypatch.setattr(upgrade, "PUT_TILE", "INSERT INTO nowhere VALUES (?, ?, ?)")
    monkeypatch.setattr(upgrade, "TREE_SCHEMA", tuple(statements))
    before = path.read_bytes()
    with pytest.raises(LedgerUnavailable):
        await opened(path, anchored())
    assert path.read_bytes() == before
    monkeypatch.undo()
    store = await opened(path, anchored())
    assert (await store.verify()).records == 300
    await store.close()


def forge(path: Path, statement: str) -> None:
    """Change rows as one who has the key."""
    database = sqlcipher.connect(str(path))
    database.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    database.execute(statement)
    database.commit()
    database.close()
