"""Child processes that tests kill, starve, or let crash; started from a preloaded fork server."""

import asyncio
import json
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from console.adapters.ledger import open_ledger
from console.application.errors import HsmError, LedgerUnavailable
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.domain.events import VaultUnlocked
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import replace_file
from hsm.vault import Pkcs11Settings, Pkcs11Vault

ALICE = MemberId("alice")
KEY = b"k" * 32
NOW_MS = 1_900_000_000_000
RIGHT, REFUSED, WRONG = 0, 3, 9

_context = get_context("forkserver")


def start(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Start `target` in a child that has this module loaded already."""
    _context.set_forkserver_preload(["tests.integration.children"])
    child = _context.Process(target=target, args=arguments)
    child.start()
    return child


class FileAnchor:
    """An anchor in a plain file, so that it outlives a killed child."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> HeadAnchor | None:
        if not self._path.exists():
            return None
        sequence, digest = json.loads(self._path.read_text())
        return HeadAnchor(sequence, bytes.fromhex(digest))

    async def write(self, head: HeadAnchor) -> None:
        replace_file(self._path, json.dumps([head.sequence, head.hash.hex()]).encode())


def append_until_killed(folder: Path) -> None:
    """Append for ever; write each acknowledged sequence to `folder/acknowledged`."""
    asyncio.run(_append(folder, None))


def append_until_full(folder: Path, limit: int) -> None:
    """Append until a file may not grow any more; check that the store is read-only then."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    asyncio.run(_append(folder, limit))


def use_token(
    configuration: str, settings: Pkcs11Settings, pin: bytes, label: ShareLabel, share: bytes
) -> None:
    """Unlock and seal; end with RIGHT, REFUSED or WRONG."""
    # The fork server may be older than the token folder.
    os.environ["SOFTHSM2_CONF"] = configuration
    os._exit(asyncio.run(_use_token(settings, pin, label, share)))


async def _append(folder: Path, limit: int | None) -> None:
    store = await open_ledger(
        folder / "ledger.db",
        SecretBytes(KEY),
        FileAnchor(folder / "anchor"),
        ALICE,
        lambda: NOW_MS,
    )
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    version = len(await store.read_stream("a"))
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    refused = 0
    while refused < 2:
        try:
            records = await store.append("a", version, [VaultUnlocked(ALICE, 0, version)] * 3)
        except LedgerUnavailable:
            if limit is None:
                raise
            refused += 1
            assert len(await store.read_stream("a")) >= version
            continue
        assert not refused
        version += 3
        os.write(acknowledged, f"{records[-1].sequence}\n".encode())
    await store.close()


async def _use_token(settings: Pkcs11Settings, pin: bytes, label: ShareLabel, share: bytes) -> int:
    vault = Pkcs11Vault(settings)
    try:
        await vault.unlock(SecretBytes(pin))
        await vault.shares.seal(
            ShareLabel(label.wallet, label.member, label.kind, 99), SecretBytes(share)
        )
        opened = await vault.shares.unseal(label)
    except HsmError:
        return REFUSED
    return RIGHT if opened == SecretBytes(share) else WRONG
