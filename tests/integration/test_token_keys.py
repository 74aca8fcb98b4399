"""Keys in the token that are not the ones the member was set up with."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as p11
from pkcs11.types import Session, Token

from console.application.errors import HsmError, KeyCheckFailed, TokenMissing
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from hsm import identity
from hsm.keys import IDENTITY, PRESENCE, PRESENCE_TRAITS, RECORD, SIGNING_TRAITS
from hsm.library import Library, library
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from hsm.wrapping_methods.objects import handle_of
from tests.contract.vaults import Clock
from tests.integration.test_softhsm_vault import destroy, new_signing_key, raw, unlock
from tests.softhsm import USER_PIN, SoftHsm

pytestmark = pytest.mark.hsm


@pytest.fixture
def settings(softhsm: SoftHsm, tmp_path: Path) -> Pkcs11Settings:
    return softhsm.member(tmp_path)


@pytest.fixture
async def vault(settings: Pkcs11Settings) -> AsyncIterator[Pkcs11Vault]:
    vault = Pkcs11Vault(settings, now_ms=Clock())
    yield vault
    await vault.close()


@pytest.mark.parametrize(
    ("label", "traits", "reason"),
    [
        (IDENTITY, SIGNING_TRAITS, "not the one of its record"),
        (PRESENCE, SIGNING_TRAITS, "ALWAYS_AUTHENTICATE"),
    ],
)
async def test_another_signing_key_is_refused_at_unlock(
    vault: Pkcs11Vault,
    settings: Pkcs11Settings,
    label: str,
    traits: dict[Attribute, bool],
    reason: str,
) -> None:
    with raw(settings) as session:
        destroy(session, label)
        new_signing_key(session, label, traits)
    with pytest.raises(KeyCheckFailed, match=reason):
        await unlock(vault)
    assert not (await vault.status()).unlocked


async def test_another_presence_key_proves_nothing(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    with raw(settings) as session:
        destroy(session, PRESENCE)
        new_signing_key(session, PRESENCE, PRESENCE_TRAITS)
    await unlock(vault)
    with pytest.raises(KeyCheckFailed):
        await vault.verify_pin(SecretBytes(USER_PIN))


@pytest.mark.parametrize("change", [0, -1, None])
async def test_a_damaged_key_record_is_refused_before_a_pin_is_tried(
    vault: Pkcs11Vault, settings: Pkcs11Settings, change: int | None
) -> None:
    with raw(settings) as session:
        found = next(iter(session.get_objects({Attribute.LABEL: RECORD})))
        value = bytearray(found[Attribute.VALUE])
        destroy(session, RECORD)
        if change is None:
            value.clear()
        else:
            value[change] ^= 1
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: False,
                Attribute.LABEL: RECORD,
                Attribute.VALUE: bytes(value) or b"\0",
            }
        )
    with pytest.raises(KeyCheckFailed, match="damaged"):
        await vault.unlock(SecretBytes(b"000000"))
    status = await vault.status()
    assert status.retry_after_s == 0
    assert "damaged" in status.backing


@pytest.mark.parametrize(
    ("kind", "meaning"), [(p11.DeviceRemoved, TokenMissing), (p11.DeviceError, HsmError)]
)
async def test_a_token_that_fails_while_it_judges_costs_no_try(
    vault: Pkcs11Vault,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[p11.PKCS11Error],
    meaning: type[HsmError],
) -> None:
    find = Library.find

    class Failing:
        """The token, which fails as soon as it is given a PIN."""

        def __init__(self, token: Token) -> None:
            self._token = token

        def open(self, **how: Any) -> Session:
            if "user_pin" in how:
                raise kind
            return self._token.open(**how)

        def __getattr__(self, name: str) -> object:
            return getattr(self._token, name)

    with monkeypatch.context() as failing:
        failing.setattr(Library, "find", lambda self, label: Failing(find(self, label)))
        with pytest.raises(meaning):
            await unlock(vault)
    assert (await vault.status()).retry_after_s == 0
    await unlock(vault)


async def test_an_unknown_error_locks_the_vault(
    vault: Pkcs11Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unlock(vault)

    def fail(*_: object) -> bytes:
        raise p11.ObjectHandleInvalid

    with monkeypatch.context() as failing:
        failing.setattr(identity, "sign_checked", fail)
        with pytest.raises(HsmError, match="not known"):
            await vault.identity.sign(b"message")
    assert not (await vault.status()).unlocked
    await unlock(vault)
    assert await vault.identity.sign(b"message")


@pytest.mark.parametrize("closes", [True, False])
async def test_a_right_pin_on_a_failing_disk_leaves_no_login(
    vault: Pkcs11Vault,
    settings: Pkcs11Settings,
    monkeypatch: pytest.MonkeyPatch,
    closes: bool,
) -> None:
    def fails(_: PinBackoff) -> None:
        raise HsmError("the disk fails")

    with monkeypatch.context() as failing:
        failing.setattr(PinBackoff, "succeeded", fails)
        if not closes:
            failing.setattr("hsm.tries.Session", type("Other", (), {}))
        with pytest.raises(HsmError, match="the disk fails"):
            await unlock(vault)
    assert not (await vault.status()).unlocked
    if not closes:
        assert is_logged_in(settings)
        await vault.lock()
    assert not is_logged_in(settings)
    await vault.lock()
    settings.backoff_file.unlink()
    await unlock(vault)


def is_logged_in(settings: Pkcs11Settings) -> bool:
    """Return whether this process is logged in to the token."""
    owner = library(settings.module)
    with owner.lock, owner.find(settings.choice).open() as session:
        return owner.functions().is_logged_in(handle_of(session))
