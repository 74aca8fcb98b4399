"""A PIN is checked by another process where the token does not ask for it again."""

import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest

from console.application.errors import HsmError, PinLocked, WrongPin
from console.protocols.kernel.secret import SecretBytes, SecretWiped
from hsm import capabilities as names
from hsm.presence_check import check_elsewhere
from hsm.provision import check_token, provision
from hsm.removal import SetUp
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.contract.vaults import Clock
from tests.shim import Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm

NEVER = b"000000"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(shim: Shim, tmp_path: Path) -> Pkcs11Settings:
    shim.restrict("no-reauth")
    settings = shim.settings(tmp_path, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    return settings


@pytest.fixture
async def vault(settings: Pkcs11Settings, clock: Clock) -> AsyncIterator[Pkcs11Vault]:
    vault = Pkcs11Vault(settings, now_ms=clock)
    await vault.unlock(SecretBytes(USER_PIN))
    yield vault
    await vault.close()


def test_the_table_says_so(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    shim.restrict("no-reauth")
    table = check_token(
        shim.settings(tmp_path, label), SecretBytes(USER_PIN), SetUp(identifier=bytes(16))
    )
    row = next(row for row in table.rows if row.name == names.PRESENCE_KEY)
    assert row.fits
    assert row.used == "login from another process"
    assert not table.asks_again
    assert shim.objects(label) == 0


async def test_a_wrong_pin_never_passes_and_is_counted(vault: Pkcs11Vault, clock: Clock) -> None:
    await vault.verify_pin(SecretBytes(USER_PIN))
    wrong = SecretBytes(NEVER)
    with pytest.raises(WrongPin):
        await vault.verify_pin(wrong)
    assert wrong.wiped
    with pytest.raises(PinLocked, match="next try"):
        await vault.verify_pin(SecretBytes(USER_PIN))
    clock.advance(1)
    await vault.verify_pin(SecretBytes(USER_PIN))
    assert (await vault.status()).unlocked
    assert len(await vault.identity.sign(b"still here")) == 64


async def test_a_token_of_three_tries_is_not_locked(
    shim: Shim, vault: Pkcs11Vault, clock: Clock
) -> None:
    shim.restrict("no-reauth", "tries=3")
    refusals = []
    for _ in range(5):
        with pytest.raises(HsmError) as refused:
            await vault.verify_pin(SecretBytes(NEVER))
        refusals.append(refused.type)
        clock.advance(1000)
    assert refusals == [WrongPin] * 2 + [PinLocked] * 3


async def test_a_login_that_holds_for_other_processes_proves_nothing(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    shim.restrict("no-reauth", "shared-login")
    await vault.identity.sign(b"this process has the login")
    for pin in (USER_PIN, NEVER):
        with pytest.raises(HsmError, match="other processes too"):
            await vault.verify_pin(SecretBytes(pin))
    assert (await vault.status()).retry_after_s == 0


async def test_a_presence_key_that_does_not_ask_is_not_believed(
    shim: Shim, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shim.settings(tmp_path, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    vault = Pkcs11Vault(settings, now_ms=clock)
    monkeypatch.setattr(import_module("hsm.token"), "sign_checked", lambda *_, **__: bytes(64))
    await vault.unlock(SecretBytes(USER_PIN))
    with pytest.raises(WrongPin):
        await vault.verify_pin(SecretBytes(NEVER))
    clock.advance(1)
    await vault.verify_pin(SecretBytes(USER_PIN))
    await vault.close()


def test_a_pin_that_is_wiped_while_it_is_copied_is_not_tried(
    settings: Pkcs11Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class GivenUp(SecretBytes):
        """A PIN whose owner gives up at the worst moment."""

        def reveal(self) -> memoryview:
            shown = super().reveal()
            self.wipe()
            return shown

    monkeypatch.setattr(sys, "executable", answering(tmp_path, "echo right"))
    with pytest.raises(SecretWiped):
        check_elsewhere(settings.module, settings.choice, GivenUp(USER_PIN), 5.0)


def answering(folder: Path, text: str) -> str:
    """Return a program that answers so, whatever it is asked."""
    program = folder / "answering"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo right; exit 1", "could not log in"),
        ("echo right or so", "could not log in"),
        ("exit 0", "could not log in"),
        ("kill -9 $$", "could not log in"),
        ("exec sleep 60", "has not answered another process"),
    ],
)
def test_only_a_whole_answer_counts(
    settings: Pkcs11Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    reason: str,
) -> None:
    monkeypatch.setattr(sys, "executable", answering(tmp_path, text))
    with pytest.raises(HsmError, match=reason):
        check_elsewhere(settings.module, settings.choice, SecretBytes(USER_PIN), 1.0)
