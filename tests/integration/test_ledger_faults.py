"""The ledger against full disks, kills, failing vaults and second openers."""

# ruff: noqa: ASYNC240, S311 - tests may wait for their files, and choose by a seed

import asyncio
import random
import time
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger import SqlCipherEventStore, file, ledger_key, open_ledger
from console.application.errors import (
    HsmError,
    LedgerCorrupted,
    LedgerRolledBack,
    LedgerUnavailable,
    SealBroken,
)
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from hsm.vault import Pkcs11Vault
from tests.fakes.vault import DEFAULT_PIN, FakeAnchor, FakeVault
from tests.integration.children import (
    ALICE,
    KEY,
    NOW_MS,
    FileAnchor,
    append_until_full,
    append_until_killed,
    start,
)
from tests.integration.ledgers import PAGE, events, opened, refusal
from tests.softhsm import USER_PIN, SoftHsm


async def test_a_second_opener_is_refused(filled: Path, anchor: FakeAnchor) -> None:
    store = await opened(filled, anchor)
    refused = await refusal(filled, anchor)
    assert isinstance(refused, LedgerUnavailable)
    assert "already open" in str(refused)
    await store.append("a", 20, events(1))
    await store.close()
    await (await opened(filled, anchor)).close()


@pytest.mark.parametrize("version", [(3, 51, 1), (3, 51, 2), (3, 52, 0), (3, 7, 0)])
async def test_an_unsafe_sqlite_is_refused(
    path: Path, anchor: FakeAnchor, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sqlcipher, "sqlite_version_info", version)
    assert isinstance(await refusal(path, anchor), LedgerUnavailable)
    assert not path.exists()


async def test_an_anchor_that_fails_ends_writing(filled: Path, anchor: FakeAnchor) -> None:
    store = await opened(filled, anchor)
    anchor.broken = True
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 20, events(1))
    anchor.broken = False
    # It failed before anything was written, so writing goes on.
    await store.append("a", 20, events(1))

    async def fail(head: HeadAnchor) -> None:
        raise HsmError("the token failed")

    anchor.write = fail  # type: ignore[method-assign]
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 21, events(1))
    with pytest.raises(LedgerUnavailable, match="read-only"):
        await store.append("a", 21, events(1))
    assert len(await store.read_stream("b")) == 20
    await store.close()


async def test_a_vault_that_another_copy_moved_on_stops_this_one(
    filled: Path, anchor: FakeAnchor
) -> None:
    store = await opened(filled, anchor)
    anchor.head = HeadAnchor(61, b"other" + bytes(27))
    with pytest.raises(LedgerRolledBack):
        await store.append("a", 20, events(1))
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 20, events(1))
    await store.close()


async def test_a_cancelled_append_leaves_a_sound_ledger(filled: Path, anchor: FakeAnchor) -> None:
    store = await opened(filled, anchor)
    for _ in range(20):
        task = asyncio.ensure_future(store.append("x", 0, events(1)))
        await asyncio.sleep(random.Random(7).random() / 500)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    version = len(await store.read_stream("x"))
    await store.append("x", version, events(1))
    assert anchor.head == await store.head()
    await store.verify()
    await store.close()


async def test_an_i_o_error_ends_writing_and_keeps_reading(
    filled: Path, anchor: FakeAnchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[bool] = []
    connect = file.open_database

    class Failing:
        def __init__(self, inner: sqlcipher.Connection) -> None:
            self._inner = inner

        def execute(self, statement: str, *values: object) -> sqlcipher.Cursor:
            if broken and statement == "COMMIT":
                raise sqlcipher.OperationalError("disk I/O error")
            return self._inner.execute(statement, *values)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    monkeypatch.setattr(file, "open_database", lambda *a, **k: Failing(connect(*a, **k)))
    store = await opened(filled, anchor)
    broken.append(True)
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 20, events(1))
    for _ in range(2):
        with pytest.raises(LedgerUnavailable, match="read-only"):
            await store.append("a", 20, events(1))
    assert len(await store.read_stream("a")) == 20
    assert (await store.verify()).records == 60
    await store.close()
    broken.clear()
    store = await opened(filled, anchor)
    await store.append("a", 20, events(1))
    await store.close()


async def test_verify_does_not_stand_in_the_way_of_appends(path: Path, anchor: FakeAnchor) -> None:
    store = await opened(path, anchor)
    await store.append("bulk", 0, events(8000))
    seen: list[int] = []
    verifying = asyncio.ensure_future(store.verify(lambda done, _: seen.append(done)))
    for version in range(5):
        await store.append("a", version, events(1))
    report = await verifying
    assert 8000 <= report.records < 8005
    assert seen[:4] == [2000, 4000, 6000, 8000]
    assert seen[-1] == report.records
    assert (await store.head()).sequence == 8005
    await store.close()


async def test_no_acknowledged_event_is_lost_by_kills(path: Path, tmp_path: Path) -> None:
    chosen = random.Random(20262)
    acknowledged = tmp_path / "acknowledged"
    last = 0
    for _ in range(20):
        child = start(append_until_killed, tmp_path)
        size = acknowledged.stat().st_size if acknowledged.exists() else 0
        started = time.monotonic()
        while not (acknowledged.exists() and acknowledged.stat().st_size > size):
            assert time.monotonic() - started < 30
            assert child.is_alive()
            await asyncio.sleep(0.002)
        await asyncio.sleep(chosen.random() * 0.03)
        child.kill()
        child.join()
        store = await open_ledger(
            path, SecretBytes(KEY), FileAnchor(tmp_path / "anchor"), ALICE, lambda: NOW_MS
        )
        promised = int(acknowledged.read_text().rstrip("\n").rsplit("\n", 1)[-1])
        head = await store.head()
        await store.close()
        assert promised > last
        assert promised <= head.sequence <= promised + 3
        assert head.sequence % 3 == 0
        last = promised


async def test_a_full_disk_ends_writing_without_loss(path: Path, tmp_path: Path) -> None:
    child = start(append_until_full, tmp_path, 40 * PAGE)
    child.join(60)
    assert child.exitcode == 0
    store = await open_ledger(
        path, SecretBytes(KEY), FileAnchor(tmp_path / "anchor"), ALICE, lambda: NOW_MS
    )
    promised = int((tmp_path / "acknowledged").read_text().split()[-1])
    assert promised <= (await store.head()).sequence <= promised + 3
    await store.append("b", 0, events(1))
    await store.close()


async def test_the_ledger_key_is_made_once(tmp_path: Path) -> None:
    vault = FakeVault(ALICE)
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    key_file, ledger_file = tmp_path / "ledger.key", tmp_path / "ledger.db"
    key = await ledger_key(key_file, ledger_file, vault.wrapping)
    assert len(key) == 32
    assert await ledger_key(key_file, ledger_file, vault.wrapping) == key
    ledger_file.write_bytes(b"a ledger")
    blob = key_file.read_bytes()
    key_file.write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
    with pytest.raises(SealBroken):
        await ledger_key(key_file, ledger_file, vault.wrapping)
    key_file.unlink()
    with pytest.raises(LedgerCorrupted):
        await ledger_key(key_file, ledger_file, vault.wrapping)
    assert not key_file.exists()


@pytest.mark.hsm
async def test_a_ledger_lives_with_its_token(softhsm: SoftHsm, tmp_path: Path) -> None:
    vault = Pkcs11Vault(softhsm.member(tmp_path))
    await vault.unlock(SecretBytes(USER_PIN))
    key_file, path = tmp_path / "ledger.key", tmp_path / "ledger.db"

    async def reopened() -> SqlCipherEventStore:
        key = await ledger_key(key_file, path, vault.wrapping)
        return await open_ledger(path, key, vault.anchor, ALICE, lambda: NOW_MS)

    store = await reopened()
    for version in range(5):
        await store.append("a", version, events(1))
    assert await vault.anchor.read() == await store.head()
    await vault.lock()
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 5, events(1))
    assert len(await store.read_stream("a")) == 5
    await vault.unlock(SecretBytes(USER_PIN))
    await store.append("a", 5, events(1))
    await store.close()
    older = path.read_bytes()
    store = await reopened()
    await store.append("a", 6, events(1))
    await store.close()
    path.write_bytes(older)
    with pytest.raises(LedgerRolledBack):
        await reopened()
    await vault.close()
