"""A member's files on a disk that is full at one write after the other; run as a program.

`python -m tests.integration.full_disk KIND FOLDER`, where FOLDER is a small file system of its own.
Whatever fails, an expected error says so; with space again, the first unlock works, and what was
acknowledged is there.
"""

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.adapters.ledger import SqlCipherEventStore, ledger_key, open_ledger
from console.adapters.shares import FileVault, create_file_vault
from console.application.errors import AdapterError
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import VaultPort
from console.domain.events import VaultUnlocked
from console.domain.ids import WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from hsm.vault import Pkcs11Vault
from tests.contract.vaults import ALICE, PIN, Clock, file_settings
from tests.softhsm import SoftHsm, configure

PAGE = 4096
MOST_PAGES = 100
STREAM = "member/alice"
SHARE = bytes(9000)


@dataclass
class Disk:
    """The file system, filled by a file of ours but for some pages."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, free_pages: int) -> None:
        with self._ballast.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(PAGE))
            except OSError:
                stream.truncate(max(0, stream.tell() - free_pages * PAGE))

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@dataclass
class Member:
    """A member's vault and ledger; `kept` is what its node has acknowledged."""

    folder: Path
    build: Callable[[], VaultPort]
    records: int = 0
    shares: list[ShareLabel] = field(default_factory=list)

    async def work(self, filled: Callable[[], None], *, unlocked_first: bool) -> None:
        """Unlock, record, seal and replace a share, record. Raises: AdapterError."""
        vault = self.build()
        store: SqlCipherEventStore | None = None
        try:
            if not unlocked_first:
                filled()
            await vault.unlock(SecretBytes(PIN))
            store = await self._ledger(vault)
            await self._record(store)
            if unlocked_first:
                filled()
            label = ShareLabel(
                WalletId("wl-" + "0" * 16),
                ALICE,
                SignatureKind.EDDSA_ED25519,
                len(self.shares),
            )
            await self._record(store)
            await vault.shares.seal(label, SecretBytes(SHARE))
            self.shares.append(label)
            await vault.shares.replace(label, SecretBytes(SHARE))
            await self._record(store)
        finally:
            if store:
                await store.close()
            await vault.close()

    async def require_whole(self) -> None:
        """Unlock once; check that everything acknowledged is there."""
        vault = self.build()
        status = await vault.status()
        assert status.retry_after_s == 0, "a PIN that was right counts as a wrong one"
        await vault.unlock(SecretBytes(PIN))
        store = await self._ledger(vault)
        assert len(await store.read_stream(STREAM)) >= self.records
        for label in self.shares:
            with await vault.shares.unseal(label) as share:
                assert bytes(share) == SHARE
        await self._record(store)
        await store.verify()
        await store.close()
        await vault.close()
        left = [p.name for p in self.folder.rglob("*.tmp")]
        assert not left, left

    async def _ledger(self, vault: VaultPort) -> SqlCipherEventStore:
        path = self.folder / "ledger.db"
        key = await ledger_key(self.folder / "ledger.key", path, vault.wrapping)
        return await open_ledger(path, key, vault.anchor, ALICE, Clock())

    async def _record(self, store: SqlCipherEventStore) -> None:
        known = len(await store.read_stream(STREAM))
        await store.append(STREAM, known, [VaultUnlocked(ALICE, 1, 0)])
        self.records = known + 1


def make(softhsm: SoftHsm | None, folder: Path) -> Callable[[], VaultPort]:
    """Set a vault up in a folder; return how to open it."""
    clock = Clock()
    if softhsm is None:
        files = file_settings(folder)
        create_file_vault(files, SecretBytes(PIN))
        return lambda: FileVault(files, now_ms=clock)
    settings = softhsm.member(folder)
    return lambda: Pkcs11Vault(settings, now_ms=clock)


async def main(softhsm: SoftHsm | None, disk: Disk, *, unlocked_first: bool) -> None:
    """Leave no page free, then one, and so on until nothing fails; print what failed.

    A new member each time: the first unlock ever makes the ledger and its key.
    """
    name = "later" if unlocked_first else "before"
    for pages in range(MOST_PAGES):
        folder = disk.folder / f"{name}-{pages}"
        folder.mkdir()
        member = Member(folder, make(softhsm, folder))
        try:
            await member.work(lambda pages=pages: disk.fill(pages), unlocked_first=unlocked_first)
        except AdapterError as failure:
            print(f"full {name}, {pages} pages left: {failure}")
        else:
            return
        finally:
            disk.free()
            await member.require_whole()
            shutil.rmtree(folder)
    raise AssertionError("it fails with any space")


if __name__ == "__main__":
    small = Disk(Path(sys.argv[2]))
    tokens = configure(small.folder) if sys.argv[1] == "pkcs11" else None
    for first in (False, True):
        asyncio.run(main(tokens, small, unlocked_first=first))
