"""Measures the vault and the ledger: each function returns seconds, one for each call made."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.adapters.ledger import SqlCipherEventStore, open_ledger
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchorPort
from console.application.queries.ledger import ledger_rows
from console.domain.events import Event, Evidence, RequestWithdrawn
from console.domain.ids import MemberId, RequestId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from hsm.vault import Pkcs11Vault
from tests.softhsm import USER_PIN, SoftHsm

ALICE = MemberId("alice")
SHARE_SIZE = 256
RECORDS = 100_000
_BATCH = 1000
_EVENT: Event = RequestWithdrawn(
    request=RequestId("rq-0011223344556677"),
    member=ALICE,
    at_ms=0,
    evidence=Evidence(kind="withdrawal", body=bytes(200), signer=ALICE, signature=bytes(64)),
)


async def hsm_seal(softhsm: SoftHsm, folder: Path, count: int = 200) -> list[float]:
    """Seal shares durably under a SoftHSM token, key check and read-back included."""
    async with _unlocked(softhsm, folder) as vault:
        return [await _sealed(vault, epoch) for epoch in range(count)]


async def hsm_unseal(softhsm: SoftHsm, folder: Path, count: int = 200) -> list[float]:
    """Open sealed shares again."""
    async with _unlocked(softhsm, folder) as vault:
        for epoch in range(count):
            await _sealed(vault, epoch)
        taken = []
        for epoch in range(count):
            started = time.perf_counter()
            share = await vault.shares.unseal(_label(epoch))
            taken.append(time.perf_counter() - started)
            share.wipe()
        return taken


async def ledger_append(softhsm: SoftHsm, folder: Path, count: int = 300) -> list[float]:
    """Append single events, each with its anchor in the token."""
    async with _unlocked(softhsm, folder) as vault:
        store = await _ledger(folder / "ledger.db", bytes(32), vault.anchor)
        taken = []
        for version in range(count):
            started = time.perf_counter()
            await store.append("request", version, (_EVENT,))
            taken.append(time.perf_counter() - started)
        await store.close()
        return taken


async def ledger_open_verified_100k(softhsm: SoftHsm, folder: Path, count: int = 3) -> list[float]:
    """Open a ledger of 100,000 records: every page's MAC, the newest records, the anchor."""
    key = secrets.token_bytes(32)
    async with _unlocked(softhsm, folder) as vault:
        path = folder / "ledger-100k.db"
        store = await _filled(path, key, vault.anchor)
        await store.close()
        taken = []
        for _ in range(count):
            started = time.perf_counter()
            store = await _ledger(path, key, vault.anchor)
            taken.append(time.perf_counter() - started)
            await store.close()
        return taken


async def ledger_page_100k(softhsm: SoftHsm, folder: Path, count: int = 100) -> list[float]:
    """Read a page of 100 rows, in words, out of 100,000 records."""
    async with _unlocked(softhsm, folder) as vault:
        store = await _filled(folder / "ledger-100k.db", secrets.token_bytes(32), vault.anchor)
        taken = []
        for number in range(count):
            before = RECORDS - number * (RECORDS // count)
            started = time.perf_counter()
            await ledger_rows(store, before, 100, "")
            taken.append(time.perf_counter() - started)
        await store.close()
        return taken


async def _filled(path: Path, key: bytes, anchor: HeadAnchorPort) -> SqlCipherEventStore:
    store = await _ledger(path, key, anchor)
    for number in range(RECORDS // _BATCH):
        await store.append(f"request-{number}", 0, (_EVENT,) * _BATCH)
    return store


@asynccontextmanager
async def _unlocked(softhsm: SoftHsm, folder: Path) -> AsyncIterator[Pkcs11Vault]:
    settings = await asyncio.to_thread(softhsm.member, folder)
    vault = Pkcs11Vault(settings)
    try:
        await vault.unlock(SecretBytes(USER_PIN))
        yield vault
    finally:
        await vault.close()


async def _sealed(vault: Pkcs11Vault, epoch: int) -> float:
    share = SecretBytes(secrets.token_bytes(SHARE_SIZE))
    started = time.perf_counter()
    await vault.shares.seal(_label(epoch), share)
    return time.perf_counter() - started


async def _ledger(path: Path, key: bytes, anchor: HeadAnchorPort) -> SqlCipherEventStore:
    return await open_ledger(
        path, SecretBytes(key), anchor, ALICE, lambda: time.time_ns() // 1_000_000
    )


def _label(epoch: int) -> ShareLabel:
    return ShareLabel(WalletId("wl-1"), ALICE, SignatureKind.EDDSA_ED25519, epoch)
