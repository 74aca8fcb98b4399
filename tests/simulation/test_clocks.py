"""Clocks that are wrong for a while: named, bounded, and no reason to lose a ledger."""

import asyncio

import pytest

from console.application.api import CommandRefused, GetOverview
from console.application.commands import ProposeCeremony
from console.domain.events import ClockAccepted
from tests.fakes.clock import run_in_virtual_time
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import KIND, Operators
from tests.simulation.seeds import seeds

ANA, BEN, _ = MEMBERS
DAY_MS = 86_400_000


def proposal(name: str) -> ProposeCeremony:
    return ProposeCeremony(
        wallet_name=name,
        kinds=(KIND.value,),
        threshold=2,
        custodians=MEMBERS,
        approvals_needed=2,
    )


async def titles(cluster: SimulatedCluster, member: str) -> list[str]:
    seat = cluster.seats[member]  # type: ignore[index]
    assert seat.console is not None
    return [task.title for task in (await seat.console.ask(GetOverview())).tasks]


async def a_clock_three_days_ahead(seed: int) -> None:
    cluster = SimulatedCluster(seed)
    await cluster.start()
    operators = Operators(cluster)
    await operators.hold_ceremony(BEN)
    cluster.crash(ANA)
    await cluster.restart(ANA, ahead_ms=3 * DAY_MS)
    await asyncio.sleep(30)
    ana = cluster.seats[ANA]
    assert ana.console is not None
    # Ana is told that it is her clock, and dates nothing by it; the others are told whose it is.
    with pytest.raises(CommandRefused, match=r"clock is [23] days ahead of"):
        await ana.console.execute(proposal("Reserve"))
    assert any(t.startswith("This machine\u2019s clock is") for t in await titles(cluster, ANA))
    assert any(t.startswith("Ana\u2019s clock is") for t in await titles(cluster, BEN))
    # The clock is set right: the ledger has records of three days ahead.
    cluster.crash(ANA)
    with pytest.raises(CommandRefused, match="minutes behind the newest record") as refused:
        await cluster.restart(ANA)
    assert refused.value.code == "ledger-clock"
    cluster.crash(ANA)
    await cluster.restart(ANA, clock_is_right=True)
    accepted = [r for r in ana.ledger.records if isinstance(r.event, ClockAccepted)]
    assert len(accepted) == 1
    await asyncio.sleep(30)
    await operators.hold_ceremony(ANA, "Reserve")
    assert not any("clock" in t for t in await titles(cluster, BEN))
    # From then on, said or not, it is compared with the records since.
    cluster.crash(ANA)
    await cluster.restart(ANA, clock_is_right=True)
    accepted = [r for r in ana.ledger.records if isinstance(r.event, ClockAccepted)]
    assert len(accepted) == 1
    await cluster.stop()


@pytest.mark.parametrize("seed", seeds(1))
def test_a_clock_that_was_ahead_is_named_and_left_behind(seed: int) -> None:
    run_in_virtual_time(a_clock_three_days_ahead(seed))
