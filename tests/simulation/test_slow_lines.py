"""Lines on which a round trip takes seconds: they are learned, and who is slow is named."""

import asyncio

import pytest

from console.application.commands import ProposeRefresh
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, play


def slow_down(cluster: SimulatedCluster) -> None:
    """Let no call take less than four seconds, two in each direction."""
    faults = cluster.network.faults
    faults.shortest_delay_s, faults.longest_delay_s = 2.0, 2.2


@pytest.mark.parametrize("seed", seeds(1))
def test_round_trips_of_several_seconds_are_learned(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        slow_down(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.change(BEN, MEMBERS, ProposeRefresh(wallet))
        await operators.transfer(CHIARA, wallet, 5)

    play(scene, seed)


@pytest.mark.parametrize("seed", seeds(1))
def test_what_was_missed_crosses_a_slow_line(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        cluster.crash(CHIARA)
        ceremony = await operators.propose(ANA, "Treasury")
        await operators.accept(BEN, ceremony)
        # What was announced to her is lost: all that she learns of it she pulls.
        await asyncio.sleep(60)
        slow_down(cluster)
        await cluster.restart(CHIARA)
        wallet = await operators.carry_out(ceremony, MEMBERS)
        await operators.transfer(CHIARA, wallet, 5)

    play(scene, seed)
