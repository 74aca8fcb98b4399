"""Members that leave while a ceremony goes on: it ends for all, or all learn how it ended."""

import asyncio

import pytest

from console.application.commands import CancelCeremony, ProposeReshare
from console.application.queries.ceremonies import STALLED_MS, ceremony_view
from console.application.views import CeremonyStage, CeremonyView
from console.domain.ids import CeremonyId, MemberId
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, DORA, ELI, FIVE, epochs_at, play


def seen_by(cluster: SimulatedCluster, member: MemberId, ceremony: CeremonyId) -> CeremonyView:
    core = cluster.seats[member].core
    return ceremony_view(core.aggregates.ceremony(ceremony), core, core.ports.clock.now_ms())


@pytest.mark.parametrize("seed", seeds(1))
def test_a_left_out_member_learns_of_it_when_the_proposer_is_gone(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        cluster.crash(BEN)
        after = (ANA, CHIARA, DORA)
        command = ProposeReshare(
            wallet=wallet,
            threshold=2,
            custodians=after,
            approvals_needed=2,
            dealers=(ANA, CHIARA),
        )
        ceremony = CeremonyId((await cluster.command(ANA, lambda: command)).subject)
        await asyncio.gather(*(operators.accept(m, ceremony) for m in after))
        await cluster.until("one code", lambda: operators.common_code(ceremony, after))
        await operators.confirm(ANA, ceremony)
        await asyncio.sleep(10)
        cluster.crash(ANA)
        await asyncio.gather(*(operators.confirm(m, ceremony) for m in (CHIARA, DORA)))
        await cluster.restart(BEN)
        await cluster.until("Ben's share is gone", lambda: epochs_at(cluster, BEN, wallet) == set())
        core = cluster.seats[ELI].core
        await cluster.until("Eli knows it", lambda: core.aggregates.wallet(wallet).epoch == 1)
        await cluster.restart(ANA)
        await operators.transfer(DORA, wallet, 5, approvers=(ANA, CHIARA))

    play(scene, seed, members=FIVE)


@pytest.mark.parametrize("seed", seeds(1))
def test_when_the_proposer_leaves_the_others_are_told_what_they_can_do(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        first = await operators.propose(ANA, "Treasury")
        await operators.accept(BEN, first)
        await asyncio.sleep(5)
        cluster.crash(ANA)
        await operators.accept(CHIARA, first)
        ready = seen_by(cluster, CHIARA, first)
        assert (ready.stage, "cancel" in ready.sentence) == (CeremonyStage.READY, False)
        await asyncio.sleep(STALLED_MS / 1000 + 60)
        stalled = seen_by(cluster, CHIARA, first)
        assert "Ana proposed it and starts it, but nothing has begun for 3 min" in stalled.sentence
        assert stalled.can_cancel
        await cluster.command(CHIARA, lambda: CancelCeremony(first, "Ana has left"))
        # Its name is free again, at once.
        await operators.propose(BEN, "Treasury")
        await cluster.restart(ANA)
        await cluster.until(
            "Ana knows", lambda: seen_by(cluster, ANA, first).stage is CeremonyStage.CANCELLED
        )

    play(scene, seed)


@pytest.mark.parametrize("seed", seeds(1))
def test_a_ceremony_whose_time_is_over_frees_its_name_and_can_be_closed(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        first = await operators.propose(ANA, "Treasury")
        await asyncio.gather(*(operators.accept(m, first) for m in MEMBERS))
        await cluster.until("one code", lambda: operators.common_code(first, MEMBERS))
        await operators.confirm(ANA, first)
        await asyncio.sleep(3700)
        for member in MEMBERS:
            seen = seen_by(cluster, member, first)
            assert (seen.stage, seen.can_confirm) == (CeremonyStage.EXPIRED, False)
            assert seen.can_cancel
        # Nobody needs to close it first.
        again = await operators.propose(BEN, "Treasury")
        await cluster.command(BEN, lambda: CancelCeremony(first, "its time is over"))
        wallet = await operators.carry_out(again, MEMBERS)
        await operators.transfer(CHIARA, wallet, 5)
        assert seen_by(cluster, CHIARA, first).stage is CeremonyStage.CANCELLED

    play(scene, seed)
