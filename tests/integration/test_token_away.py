"""A token that stops answering, is pulled out, or whose daemon restarts: told, and back again."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.adapters.bus.in_process import InProcessBus
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.api import CommandRefused
from console.application.commands import Unlock
from console.application.console_service import ConsoleService
from console.application.core import Ports
from console.application.errors import HsmError, TokenMissing, VaultLocked, WrongPin
from console.application.node import Node
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.application.queries.session import session_view
from console.application.views import NodeState
from console.domain.ids import WalletId
from console.domain.member import Member
from console.domain.values import Chain, SignatureKind
from console.protocols.kernel.secret import SecretBytes
from hsm.library import library
from hsm.provision import provision
from hsm.vault import Pkcs11Vault
from tests.contract.vaults import Clock
from tests.fakes.chain import FakeChain, FakeCluster
from tests.fakes.clock import LoopClock
from tests.fakes.event_store import MemoryEventStore
from tests.fakes.network import FakeNetwork
from tests.shim import Shim
from tests.simulation.cluster import no_export
from tests.softhsm import ALICE, USER_PIN

pytestmark = pytest.mark.hsm

LABEL = ShareLabel(WalletId("wl-1"), ALICE, SignatureKind.EDDSA_ED25519, 1)
SHARE = b"a share of a group key, thirty-two"
LIMIT_S = 1.0


@pytest.fixture
async def vault(shim: Shim, tmp_path: Path) -> AsyncIterator[Pkcs11Vault]:
    settings = replace(shim.settings(tmp_path, shim.token()), call_limit_s=LIMIT_S)
    provision(settings, SecretBytes(USER_PIN))
    vault = Pkcs11Vault(settings, now_ms=Clock())
    yield vault
    shim.restrict()
    await vault.close()


async def unlock(vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))


async def back(vault: Pkcs11Vault) -> None:
    """Unlock as soon as the late call has come back."""
    for _ in range(6000):
        if not (await vault.status()).backing.startswith("the token "):
            break
        await asyncio.sleep(0.005)
    await unlock(vault)


async def require_whole(vault: Pkcs11Vault) -> None:
    assert len(await vault.identity.sign(b"message")) == 64
    assert await vault.shares.unseal(LABEL) == SecretBytes(SHARE)
    await vault.anchor.write(HeadAnchor(7, bytes(32)))
    assert await vault.anchor.read() == HeadAnchor(7, bytes(32))
    await vault.verify_pin(SecretBytes(USER_PIN))
    status = await vault.status()
    assert status.unlocked
    assert status.present
    assert status.retry_after_s == 0


async def test_a_token_that_stalls_is_given_up_and_comes_back(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    reasons: list[str] = []
    vault.on_lost(reasons.append)
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    shim.restrict("stalled")
    with pytest.raises(HsmError) as refused:
        await vault.identity.sign(b"message")
    for part in ("while signing", shim.module.name, "token-", "has not answered for 1 s"):
        assert part in str(refused.value)
    assert reasons == [str(refused.value)]
    status = await vault.status()
    assert not status.unlocked
    assert not status.present
    assert status.backing == str(refused.value)
    for attempt in (
        vault.identity.sign(b"message"),
        vault.shares.unseal(LABEL),
        vault.unlock(SecretBytes(USER_PIN)),
        vault.anchor.read(),
    ):
        with pytest.raises(HsmError, match="has not answered"):
            await attempt
    await vault.lock()
    shim.restrict()
    await back(vault)
    await require_whole(vault)


async def test_who_waits_behind_a_stalled_call_is_told_too(shim: Shim, vault: Pkcs11Vault) -> None:
    await unlock(vault)
    shim.restrict("stalled")
    results = await asyncio.gather(
        *(vault.identity.sign(bytes([number])) for number in range(5)), return_exceptions=True
    )
    assert [type(result) for result in results] == [HsmError] * 5
    shim.restrict()
    await back(vault)


async def test_a_status_never_waits_for_the_token(shim: Shim, vault: Pkcs11Vault) -> None:
    await unlock(vault)
    shim.restrict("stalled")
    signing = asyncio.ensure_future(vault.identity.sign(b"message"))
    await asyncio.sleep(0)
    # The loop turns, and no answer of the token is needed for any of these.
    for _ in range(20):
        assert (await vault.status()).model
    assert not signing.done()
    with pytest.raises(HsmError, match="has not answered"):
        await signing
    shim.restrict()
    await back(vault)


async def test_an_unlock_that_is_given_up_costs_no_try_and_leaves_no_login(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    assert (await vault.status()).present
    shim.restrict("stalled")
    pin = SecretBytes(USER_PIN)
    with pytest.raises(HsmError, match="while unlocking"):
        await vault.unlock(pin)
    assert pin.wiped
    shim.restrict("tries=3")
    await back(vault)
    status = await vault.status()
    assert status.attempts_left is None
    assert status.retry_after_s == 0
    await vault.lock()


async def test_a_token_that_is_pulled_out_is_missing_until_it_is_back(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    shim.restrict("gone")
    with pytest.raises(TokenMissing) as refused:
        await vault.identity.sign(b"message")
    for part in ("DeviceRemoved", "while signing", shim.module.name):
        assert part in str(refused.value)
    with pytest.raises(VaultLocked):
        await vault.identity.sign(b"message")
    assert not (await vault.status()).present
    with pytest.raises(TokenMissing):
        await unlock(vault)
    shim.restrict()
    await unlock(vault)
    await require_whole(vault)


async def test_handles_that_a_token_has_forgotten_are_opened_anew(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    shim.restrict("gone")
    await asyncio.to_thread(shim.touch)
    shim.restrict()
    with pytest.raises(HsmError, match="SessionHandleInvalid"):
        await vault.shares.unseal(LABEL)
    await unlock(vault)
    await require_whole(vault)


async def test_a_module_whose_daemon_restarts_is_initialised_again(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    shim.restrict("down")
    with pytest.raises(HsmError, match="while signing"):
        await vault.identity.sign(b"message")
    for _ in range(2):
        with pytest.raises(HsmError, match="does not start again"):
            await unlock(vault)
    assert not (await vault.status()).unlocked
    shim.restrict()
    await unlock(vault)
    await require_whole(vault)


async def test_a_daemon_that_restarted_unnoticed(shim: Shim, vault: Pkcs11Vault) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    shim.restrict("down")
    await asyncio.to_thread(shim.touch)
    shim.restrict()
    with pytest.raises(HsmError, match="while signing failed"):
        await vault.identity.sign(b"message")
    await unlock(vault)
    await require_whole(vault)


async def test_a_module_that_does_not_end_is_not_taken_for_logged_out(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await unlock(vault)
    owner = library(shim.module)
    shim.restrict("no-end")
    for use in (owner.reset, owner.handle):
        with owner.lock, pytest.raises(HsmError, match="does not start again"):
            use()
    assert not (await vault.status()).unlocked
    shim.restrict()
    with pytest.raises(WrongPin):
        await vault.unlock(SecretBytes(b"000000"))


async def test_a_vault_with_a_stalled_token_is_locked_and_closed_without_it(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    await unlock(vault)
    shim.restrict("stalled")
    await vault.lock()
    assert not (await vault.status()).unlocked
    await vault.close()


def built(vault: Pkcs11Vault, identity_key: bytes) -> Node:
    """Return a node with a real vault, alone on a network of no others."""
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop)
    store = MemoryEventStore(ALICE, clock.now_ms, vault.anchor)

    async def open_() -> MemoryEventStore:
        store.closed = False
        return store

    ports = Ports(
        vault=vault,
        network=FakeNetwork(0).plug(ALICE, (ALICE,), clock),
        bus=InProcessBus(),
        clock=clock,
        chains={Chain.SOLANA: FakeChain(FakeCluster(0))},
        schemes={SignatureKind.EDDSA_ED25519: EddsaEd25519()},
        export_ledger=no_export,
        open_ledger=open_,
    )
    me = Member(
        member=ALICE,
        display_name="Alice",
        identity_key=identity_key,
        tls_pin=bytes(32),
        address="alice:1",
    )
    return Node(me, (me,), ports, name="Alice", version="test")


async def in_state(node: Node, state: NodeState) -> bool:
    for _ in range(6000):
        if node.state is state:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_a_node_drops_to_locked_and_is_unlocked_again_without_a_restart(
    shim: Shim, vault: Pkcs11Vault
) -> None:
    node = built(vault, await vault.identity.public_key())
    console = ConsoleService(node)
    await node.start()
    await console.execute(Unlock(SecretBytes(USER_PIN)))
    assert await in_state(node, NodeState.READY)
    shim.restrict("stalled")
    with pytest.raises(CommandRefused, match="has not answered for 1 s while checking the PIN"):
        await console.execute(Unlock(SecretBytes(USER_PIN)))
    assert await in_state(node, NodeState.LOCKED)
    session = await session_view(node)
    assert not session.vault.present
    assert "keys and funds are not affected" in session.vault.backing
    shim.restrict()
    await back(vault)
    await console.execute(Unlock(SecretBytes(USER_PIN)))
    assert node.state is NodeState.READY
    assert (await session_view(node)).vault.unlocked
    await node.close()


def test_a_process_with_a_stalled_token_ends(shim: Shim, tmp_path: Path) -> None:
    del shim  # Here the same module can be built.
    command = [sys.executable, "-m", "tests.integration.stalled_exit", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "has not answered for 1 s while signing" in ended.stdout
