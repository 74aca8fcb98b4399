"""How many calls the vault makes to its module: with 20 ms a call, people wait for these."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from hsm.provision import provision
from hsm.vault import Pkcs11Vault
from tests.contract.vaults import Clock
from tests.shim import Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm


@pytest.fixture
async def vault(shim: Shim, tmp_path: Path) -> AsyncIterator[Pkcs11Vault]:
    settings = shim.settings(tmp_path, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    vault = Pkcs11Vault(settings, now_ms=Clock())
    await vault.status()
    yield vault
    await vault.close()


async def calls(shim: Shim, work: Awaitable[object]) -> int:
    before = shim.calls()
    await work
    return shim.calls() - before


async def test_an_unlock_takes_at_most_45_calls(shim: Shim, vault: Pkcs11Vault) -> None:
    assert await calls(shim, vault.unlock(SecretBytes(USER_PIN))) <= 45


async def test_a_pin_check_takes_at_most_12_calls(shim: Shim, vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))
    for _ in range(2):
        assert await calls(shim, vault.verify_pin(SecretBytes(USER_PIN))) <= 12


async def test_an_anchor_write_takes_3_calls_once_the_anchor_was_read(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await vault.unlock(SecretBytes(USER_PIN))
    await vault.anchor.read()
    for number in range(3):
        head = HeadAnchor(number, bytes([number]) * 32)
        assert await calls(shim, vault.anchor.write(head)) == 3
    assert await vault.anchor.read() == HeadAnchor(2, bytes([2]) * 32)


async def test_signing_and_opening_take_3_calls(shim: Shim, vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))
    blob = await vault.wrapping.wrap("p", SecretBytes(bytes(32)))
    assert await calls(shim, vault.identity.sign(b"message")) == 3
    assert await calls(shim, vault.wrapping.unwrap("p", blob)) == 3


async def test_a_status_takes_no_call_of_those_who_ask(shim: Shim, vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))
    assert await calls(shim, vault.status()) == 0
