"""A real daemon that is ended and started again: p11-kit's server, before SoftHSM."""

import signal
from pathlib import Path

import pytest

from console.application.errors import HsmError
from console.protocols.kernel.secret import SecretBytes
from hsm.provision import provision
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.peers import end, p11_kit
from tests.softhsm import ALICE, USER_PIN, SoftHsm

pytestmark = pytest.mark.hsm


async def test_a_daemon_that_restarts_needs_no_restart_of_the_node(
    softhsm: SoftHsm, tmp_path: Path
) -> None:
    label = softhsm.blank()
    client, server = p11_kit(softhsm, tmp_path)
    settings = Pkcs11Settings(client, label, tmp_path / "shares", tmp_path / "pin-backoff", ALICE)
    provision(settings, SecretBytes(USER_PIN))
    vault = Pkcs11Vault(settings)
    await vault.unlock(SecretBytes(USER_PIN))
    end(server, signal.SIGKILL)
    with pytest.raises(HsmError, match="while signing failed"):
        await vault.identity.sign(b"message")
    for _ in range(2):
        with pytest.raises(HsmError):
            await vault.unlock(SecretBytes(USER_PIN))
    status = await vault.status()
    assert not status.present
    assert status.retry_after_s == 0
    server = p11_kit(softhsm, tmp_path)[1]
    await vault.unlock(SecretBytes(USER_PIN))
    assert len(await vault.identity.sign(b"message")) == 64
    await vault.verify_pin(SecretBytes(USER_PIN))
    await vault.close()
    end(server)
