"""The vaults that the contract suites run over."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.adapters.shares import Argon2Cost, FileVault, FileVaultSettings, create_file_vault
from console.application.ports.vault import VaultPort
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from hsm.vault import Pkcs11Vault
from tests.fakes.vault import FakeVault
from tests.softhsm import SoftHsm

ALICE = MemberId("alice")
PIN = b"482913"
VAULTS = (pytest.param("pkcs11", marks=pytest.mark.hsm), "file", "fake")
CHEAP = Argon2Cost(memory_kib=64, iterations=1, lanes=1)


class Clock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_900_000_000_000

    def __call__(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclass
class VaultCase:
    """A vault, its clock, and how to start it again (closed first)."""

    kind: str
    vault: VaultPort
    clock: Clock
    reopen: Callable[[], VaultPort]

    async def unlock(self) -> None:
        await self.vault.unlock(SecretBytes(PIN))


def file_settings(folder: Path, member: MemberId = ALICE) -> FileVaultSettings:
    return FileVaultSettings(
        folder / "vault", member, CHEAP, least_memory_kib=64, shortest_passphrase=6
    )


def make(kind: str, folder: Path, request: pytest.FixtureRequest) -> VaultCase:
    clock = Clock()
    if kind == "pkcs11":
        softhsm: SoftHsm = request.getfixturevalue("softhsm")
        settings = softhsm.member(folder, ALICE)
        return VaultCase(
            kind,
            Pkcs11Vault(settings, now_ms=clock),
            clock,
            lambda: Pkcs11Vault(settings, now_ms=clock),
        )
    if kind == "file":
        files = file_settings(folder)
        create_file_vault(files, SecretBytes(PIN))
        return VaultCase(
            kind, FileVault(files, now_ms=clock), clock, lambda: FileVault(files, now_ms=clock)
        )
    fake = FakeVault(ALICE, PIN, now_ms=clock)
    return VaultCase(kind, fake, clock, lambda: fake)
