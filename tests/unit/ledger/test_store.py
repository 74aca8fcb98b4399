"""What the store asks of the vault, of callers and of the disk, beyond the contract."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.adapters.ledger import SqlCipherEventStore, export, open_ledger
from console.adapters.ledger.chain import record_hash
from console.adapters.ledger.keys import PURPOSE, ledger_key
from console.adapters.ledger.store import MAX_PAGE, MAX_STREAM
from console.application.errors import (
    LedgerCorrupted,
    LedgerRolledBack,
    LedgerUnavailable,
)
from console.application.ports.vault import HeadAnchor
from console.domain.events import VaultUnlocked
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import DEFAULT_PIN, FakeAnchor, FakeVault
from tests.unit.domain.facts import ANA
from tests.unit.ledger.test_file import rewrite

EVENT = VaultUnlocked(ANA, 1, 0)


async def opened(path: Path, anchor: FakeAnchor, records: int = 0) -> SqlCipherEventStore:
    store = await open_ledger(path / "ledger.db", SecretBytes(b"k" * 32), anchor, ANA, lambda: 5)
    for number in range(records):
        await store.append("a", number, [EVENT])
    return store


async def test_who_comes_second_leaves_no_key_behind(tmp_path: Path) -> None:
    store, own = await opened(tmp_path, FakeAnchor()), SecretBytes(b"k" * 32)
    with pytest.raises(LedgerUnavailable, match="already open"):
        await open_ledger(tmp_path / "ledger.db", own, FakeAnchor(), ANA, lambda: 5)
    assert own.wiped
    await store.close()


async def test_streams_and_pages_have_bounds(tmp_path: Path) -> None:
    store = await opened(tmp_path, FakeAnchor())
    for name in ("", "s" * (MAX_STREAM + 1)):
        with pytest.raises(ValueError, match="a stream's name"):
            await store.append(name, 0, [EVENT])
    await store.append("s" * MAX_STREAM, 0, [EVENT])
    for limit in (0, -1, MAX_PAGE + 1):
        for read in (store.read_all, store.read_stored):
            with pytest.raises(ValueError, match="a page has"):
                await read(0, limit)
    assert len(await store.read_all(0, MAX_PAGE)) == 1
    await store.close()


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        (HeadAnchor(9, bytes(32)), LedgerRolledBack),
        (HeadAnchor(1, bytes(32)), LedgerCorrupted),
        (None, LedgerCorrupted),
    ],
)
async def test_verifying_asks_the_vault_as_well(
    tmp_path: Path, head: HeadAnchor | None, refusal: type[Exception]
) -> None:
    anchor = FakeAnchor()
    store = await opened(tmp_path, anchor, records=2)
    assert (await store.verify()).anchored == await store.head()
    anchor.head = head
    with pytest.raises(refusal):
        await store.verify()
    await store.close()


async def test_an_anchor_left_behind_is_moved_before_anything_is_written(tmp_path: Path) -> None:
    anchor = FakeAnchor()
    store = await opened(tmp_path, anchor, records=1)
    waiting = asyncio.Event()
    write = anchor.write
    written: list[int] = []

    async def slow(head: HeadAnchor) -> None:
        waiting.set()
        await asyncio.sleep(60)
        await write(head)

    async def noted(head: HeadAnchor) -> None:
        written.append(head.sequence)
        await write(head)

    anchor.write = slow  # type: ignore[method-assign]
    cancelled = asyncio.ensure_future(store.append("a", 1, [EVENT]))
    await waiting.wait()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert (await store.head()).sequence == 2
    anchor.write = noted  # type: ignore[method-assign]
    await store.append("a", 2, [EVENT])
    assert written == [2, 3]
    await store.close()


async def test_an_export_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(tmp_path, FakeAnchor(), records=3)
    target = tmp_path / "export.jsonl"
    steps: list[tuple[str, bool]] = []
    fsync: Callable[[int], None] = os.fsync
    monkeypatch.setattr(os, "fsync", lambda f: (steps.append(("file", target.exists())), fsync(f)))
    module = sys.modules[export.__module__]
    monkeypatch.setattr(
        module, "sync_folder", lambda _folder: steps.append(("folder", target.exists()))
    )
    vault = FakeVault(ANA)
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    await export(store, target, vault.identity)
    assert steps == [("file", False), ("folder", True)]
    with pytest.raises(LedgerUnavailable, match="the export cannot be written"):
        await export(store, tmp_path / "nowhere" / "export.jsonl", vault.identity)
    await store.close()


class Wrapping:
    """Wraps nothing; keeps what it was given and what it gave."""

    def __init__(self, size: int = 32) -> None:
        self.size = size
        self.seen: list[SecretBytes] = []

    async def wrap(self, purpose: str, secret: SecretBytes) -> bytes:
        assert purpose == PURPOSE
        self.seen.append(secret)
        return bytes(secret.view())

    async def unwrap(self, purpose: str, blob: bytes) -> SecretBytes:
        assert purpose == PURPOSE
        self.seen.append(SecretBytes(blob[: self.size]))
        return self.seen[-1]


async def test_a_new_key_lives_on_in_the_hands_of_its_owner_only(tmp_path: Path) -> None:
    wrapping = Wrapping()
    made = await ledger_key(tmp_path / "key", tmp_path / "ledger.db", wrapping, bytes)
    fresh, own = wrapping.seen
    assert made is own
    assert fresh.wiped
    assert not own.wiped
    again = await ledger_key(tmp_path / "key", tmp_path / "ledger.db", wrapping, bytes)
    assert again == made
    assert len(wrapping.seen) == 3


async def test_a_key_of_a_wrong_length_is_wiped_and_refused(tmp_path: Path) -> None:
    wrapping = Wrapping(size=31)
    with pytest.raises(LedgerCorrupted, match="wrong length"):
        await ledger_key(tmp_path / "key", tmp_path / "ledger.db", wrapping, bytes)
    assert all(secret.wiped for secret in wrapping.seen)


async def test_no_key_is_made_for_a_ledger_that_has_lost_its_own(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"records")
    with pytest.raises(LedgerCorrupted, match="the file of the ledger's key is missing"):
        await ledger_key(tmp_path / "key", tmp_path / "ledger.db", Wrapping(), bytes)
    assert not (tmp_path / "key").exists()


async def test_a_key_file_that_cannot_be_read_or_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        await ledger_key(tmp_path / "folder", tmp_path / "ledger.db", Wrapping(), bytes)
    path, wrapping = tmp_path / "key", Wrapping()
    wrap = wrapping.wrap

    async def overtaken(purpose: str, secret: SecretBytes) -> bytes:
        path.write_bytes(b"another process was faster")
        return await wrap(purpose, secret)

    wrapping.wrap = overtaken  # type: ignore[method-assign]
    with pytest.raises(LedgerUnavailable, match="cannot be stored"):
        await ledger_key(path, tmp_path / "ledger.db", wrapping, bytes)
    assert path.read_bytes() == b"another process was faster"


async def test_a_last_record_in_place_of_the_one_that_was_written_is_found(tmp_path: Path) -> None:
    store = await opened(tmp_path, FakeAnchor(), records=3)
    (last,) = await store.read_stored(2, 1)
    other = (*last[:5], b"{}", last.previous_hash)
    rewrite(
        tmp_path / "ledger.db",
        ANA,
        "UPDATE record SET payload = ?, hash = ? WHERE sequence = 3",
        b"{}",
        record_hash(ANA, *other),
    )
    with pytest.raises(LedgerCorrupted, match="record 3 is not the one in the ledger's tree"):
        await store.verify()
    await store.close()
