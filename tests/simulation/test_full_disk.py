"""A disk that was full, a token that was reset: the first unlock makes the node work again."""

import asyncio

import pytest

from console.application.api import CommandRefused
from console.application.commands import ProposeCeremony, Unlock
from console.application.views import NodeState
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import DEFAULT_PIN
from tests.simulation.cluster import SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.test_clocks import proposal
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, play


async def unlock(cluster: SimulatedCluster) -> None:
    console = cluster.seats[ANA].console
    assert console is not None
    await console.execute(Unlock(SecretBytes(DEFAULT_PIN)))


async def refused(cluster: SimulatedCluster, command: ProposeCeremony) -> str:
    """Give Ana's node a command that fails; return the code."""
    console = cluster.seats[ANA].console
    assert console is not None
    with pytest.raises(CommandRefused) as caught:
        await console.execute(command)
    return caught.value.code


def test_after_a_full_disk_the_first_unlock_works() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        ana = cluster.seats[ANA]
        assert ana.store is not None
        ana.store.fail_next = True
        assert await refused(cluster, proposal("Treasury")) == "ledger-unavailable"
        assert ana.node is not None
        assert ana.node.state is NodeState.READY
        assert await refused(cluster, proposal("Treasury")) == "ledger-unavailable"
        await unlock(cluster)
        async with asyncio.timeout(600):
            wallet = await operators.hold_ceremony(ANA)
            await operators.transfer(BEN, wallet, 5, approvers=(ANA, CHIARA))

    play(scene)


def test_after_a_reset_of_the_token_the_first_unlock_works() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        vault = cluster.seats[ANA].vault
        assert vault is not None
        await vault.lock()
        assert await refused(cluster, proposal("Treasury")) == "vault-locked"
        await unlock(cluster)
        async with asyncio.timeout(600):
            await operators.hold_ceremony(ANA)

    play(scene)
