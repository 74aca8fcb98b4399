"""Lines on which a round trip takes seconds: they are learned, and who is slow is named."""

import pytest

from console.application.commands import ProposeRefresh
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, play


@pytest.mark.parametrize("seed", seeds(1))
def test_round_trips_of_several_seconds_are_learned(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        faults = cluster.network.faults
        # No shorter than this, in either direction: four seconds and more for every call.
        faults.shortest_delay_s, faults.longest_delay_s = 2.0, 2.2
        wallet = await operators.hold_ceremony(ANA)
        await operators.change(BEN, MEMBERS, ProposeRefresh(wallet))
        await operators.transfer(CHIARA, wallet, 5)

    play(scene, seed)
