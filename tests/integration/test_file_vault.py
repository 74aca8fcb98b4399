"""The encrypted-file vault against tampered files."""

import errno
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from console.adapters.shares import FileVault, FileVaultSettings, create_file_vault
from console.adapters.shares.vault import KEY_FILE
from console.application.errors import (
    HsmError,
    KeyCheckFailed,
    PinLocked,
    SealBroken,
    TokenMissing,
    WrongPin,
)
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from tests.contract.vaults import PIN, Clock, file_settings


@pytest.fixture
def settings(tmp_path: Path) -> FileVaultSettings:
    settings = file_settings(tmp_path)
    create_file_vault(settings, SecretBytes(PIN))
    return settings


async def test_every_altered_byte_of_the_key_file_is_refused(settings: FileVaultSettings) -> None:
    path = settings.directory / KEY_FILE
    good = path.read_bytes()
    clock = Clock()
    vault = FileVault(settings, now_ms=clock)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x01
        path.write_bytes(bytes(bad))
        with pytest.raises((WrongPin, KeyCheckFailed)):
            await vault.unlock(SecretBytes(PIN))
        clock.advance(900)
    path.write_bytes(good)
    await vault.unlock(SecretBytes(PIN))
    await vault.close()


@pytest.mark.parametrize(
    ("offset", "value"), [(4, 63), (4, (4 << 20) + 1), (8, 0), (8, 1 << 30), (12, 0), (12, 99)]
)
async def test_a_cost_out_of_bounds_is_refused_before_it_is_spent(
    settings: FileVaultSettings, offset: int, value: int
) -> None:
    path = settings.directory / KEY_FILE
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, offset, value)
    path.write_bytes(bytes(data))
    vault = FileVault(settings)
    with pytest.raises(KeyCheckFailed, match="bounds"):
        await vault.unlock(SecretBytes(PIN))
    assert (await vault.status()).retry_after_s == 0
    await vault.close()


async def test_a_cheap_key_file_is_refused_in_production(settings: FileVaultSettings) -> None:
    vault = FileVault(FileVaultSettings(settings.directory, settings.member))
    with pytest.raises(KeyCheckFailed):
        await vault.unlock(SecretBytes(PIN))
    await vault.close()


def test_a_key_file_is_made_once_and_not_cheaply(settings: FileVaultSettings) -> None:
    with pytest.raises(HsmError, match="exists already"):
        create_file_vault(settings, SecretBytes(PIN))
    with pytest.raises(HsmError, match="memory"):
        create_file_vault(replace(settings, least_memory_kib=128), SecretBytes(PIN))
    with pytest.raises(HsmError, match="at least"):
        create_file_vault(replace(settings, shortest_passphrase=12), SecretBytes(PIN))


async def test_a_missing_key_file_is_told_and_not_made(tmp_path: Path) -> None:
    vault = FileVault(file_settings(tmp_path))
    assert not (await vault.status()).present
    with pytest.raises(TokenMissing):
        await vault.unlock(SecretBytes(PIN))
    await vault.close()


async def test_another_members_key_file_is_refused(settings: FileVaultSettings) -> None:
    vault = FileVault(replace(settings, member=MemberId("bob")))
    with pytest.raises(KeyCheckFailed):
        await vault.unlock(SecretBytes(PIN))
    await vault.close()


async def test_every_altered_byte_of_the_anchor_is_found(settings: FileVaultSettings) -> None:
    vault = FileVault(settings)
    await vault.unlock(SecretBytes(PIN))
    await vault.anchor.write(HeadAnchor(7, b"h" * 32))
    path = settings.directory / "ledger-head.sealed"
    good = path.read_bytes()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x80
        path.write_bytes(bytes(bad))
        with pytest.raises(SealBroken):
            await vault.anchor.read()
    await vault.close()


async def test_a_damaged_back_off_file_buys_no_tries(settings: FileVaultSettings) -> None:
    clock = Clock()
    vault = FileVault(settings, now_ms=clock)
    with pytest.raises(WrongPin):
        await vault.unlock(SecretBytes(b"000000"))
    (settings.directory / "passphrase-backoff").write_bytes(b"{}")
    with pytest.raises(PinLocked) as refused:
        await vault.unlock(SecretBytes(PIN))
    assert refused.value.retry_after_s == 900
    clock.advance(900)
    await vault.unlock(SecretBytes(PIN))
    await vault.close()


async def test_a_disk_that_fails_leaves_no_half_share(
    settings: FileVaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = FileVault(settings)
    await vault.unlock(SecretBytes(PIN))
    label = ShareLabel(WalletId("wl-1"), settings.member, SignatureKind.EDDSA_ED25519, 1)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", full)
        with pytest.raises(HsmError, match="No space"):
            await vault.shares.seal(label, SecretBytes(b"share"))
    assert list((settings.directory / "shares").iterdir()) == []
    await vault.shares.seal(label, SecretBytes(b"share"))
    await vault.close()
