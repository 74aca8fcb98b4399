"""Two tokens of one label: an error that says how to choose, and the choice."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.application.errors import HsmError, TokenMissing, VaultUnfit
from console.domain.values import Network
from console.protocols.kernel.secret import SecretBytes
from hsm.library import TokenChoice, library, serial_of
from hsm.provision import provision
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.integration.test_token_away import built
from tests.softhsm import SO_PIN, USER_PIN, SoftHsm

pytestmark = pytest.mark.hsm


def twin(softhsm: SoftHsm, label: str) -> None:
    """Initialise another token with a label that is taken."""
    owner = library(softhsm.module)
    with owner.lock:
        blank = next(
            slot
            for slot in owner.handle().get_slots(token_present=True)
            if not slot.get_token().label
        )
        padded = label.encode().ljust(32)
        owner.functions().init_token(blank.slot_id, SO_PIN, padded)
        token = next(
            slot.get_token()
            for slot in owner.handle().get_slots(token_present=True)
            if slot.slot_id == blank.slot_id
        )
        with token.open(rw=True, so_pin=SO_PIN.decode()) as session:
            session.init_pin(USER_PIN.decode())


async def test_two_tokens_of_one_label(softhsm: SoftHsm, tmp_path: Path) -> None:
    settings = softhsm.settings(tmp_path, softhsm.blank())
    owner = library(settings.module)
    with owner.lock:
        first = owner.find(settings.choice)
    serial, slot = serial_of(first), first.slot.slot_id
    twin(softhsm, settings.token_label)
    with pytest.raises(HsmError, match="serial:NUMBER") as refused:
        provision(settings, SecretBytes(USER_PIN))
    assert serial in str(refused.value)
    assert str(slot) in str(refused.value)
    chosen = replace(settings, token_label=f"serial:{serial}")
    point = provision(chosen, SecretBytes(USER_PIN))
    for other in (
        chosen,
        replace(settings, serial=serial),
        replace(settings, slot=slot),
        replace(settings, token_label=f"slot:{slot}"),
    ):
        vault = Pkcs11Vault(other)
        await vault.unlock(SecretBytes(USER_PIN))
        assert await vault.identity.public_key() == point
        assert (await vault.status()).serial == serial
        await vault.close()
    with pytest.raises(TokenMissing, match="serial number 00"), owner.lock:
        owner.find(TokenChoice(label=settings.token_label, serial="00"))


@pytest.mark.parametrize(
    ("maker", "accepted", "reason"),
    [
        ("SoftHSM project", True, "test token"),
        ("Kryoptic Project", False, "no hardware protects the keys"),
        ("A maker", False, "accept_unproven = true"),
        ("Kryoptic Project", True, ""),
        ("A maker", True, ""),
    ],
)
async def test_a_main_network_asks_for_a_word_where_hardware_is_not_known(
    softhsm: SoftHsm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    maker: str,
    accepted: bool,
    reason: str,
) -> None:
    from hsm import looks

    real = looks.vendor_of
    monkeypatch.setattr(looks, "vendor_of", lambda _maker, model: real(maker, model))
    settings: Pkcs11Settings = replace(softhsm.member(tmp_path), accept_unproven=accepted)
    vault = Pkcs11Vault(settings)
    node = built(vault, await vault.identity.public_key())
    for chain in node.ports.chains.values():
        monkeypatch.setattr(chain, "network", Network.MAINNET, raising=False)
    await node.start()
    if reason:
        with pytest.raises(VaultUnfit, match=reason):
            await node.unlock(SecretBytes(USER_PIN))
        assert not (await vault.status()).unlocked
    else:
        await node.unlock(SecretBytes(USER_PIN))
        assert (await vault.status()).unlocked
    await node.close()
