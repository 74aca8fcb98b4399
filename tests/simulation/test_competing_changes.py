"""Changes of one wallet that compete: one counts, at all members, and none undoes another."""

import asyncio
import contextlib

import pytest

from console.application.api import CommandRefused
from console.application.commands import (
    AcceptCeremony,
    CancelCeremony,
    Command,
    ConfirmCeremonyCode,
    ProposeRefresh,
    ProposeReshare,
)
from console.application.queries.ceremonies import ceremony_view
from console.application.views import CeremonyStage
from console.domain.ids import CeremonyId, MemberId, WalletId
from console.domain.key_ceremony import OVER
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, DORA, ELI, FIVE, epochs_at, play

WHILE_S = 480.0
PAUSE_S = 8.0
"""Between two pulls: with five members most of the work would be pulls that bring nothing."""


def reshare(wallet: WalletId, *after: MemberId, dealers: tuple[MemberId, ...]) -> ProposeReshare:
    return ProposeReshare(
        wallet=wallet,
        threshold=2,
        custodians=after,
        approvals_needed=2,
        dealers=dealers,
        expires_in_s=600,
    )


async def seal(
    cluster: SimulatedCluster,
    operators: Operators,
    proposer: MemberId,
    members: tuple[MemberId, ...],
    command: Command,
) -> CeremonyId:
    """Propose and accept a change; returns once all who take part have one code."""
    ceremony = CeremonyId((await cluster.command(proposer, lambda: command)).subject)
    await asyncio.gather(*(operators.accept(m, ceremony) for m in members))
    await cluster.until("one code", lambda: operators.common_code(ceremony, members))
    return ceremony


def stage_at(cluster: SimulatedCluster, member: MemberId, ceremony: CeremonyId) -> CeremonyStage:
    core = cluster.seats[member].core
    now_ms = core.ports.clock.now_ms()
    return ceremony_view(core.aggregates.ceremony(ceremony), core, now_ms).stage


def cut_off(cluster: SimulatedCluster, member: MemberId) -> None:
    others = (m for m in cluster.members if m != member)
    cluster.network.faults.cut = {frozenset({member, other}) for other in others}


def epochs_agree(cluster: SimulatedCluster, wallet: WalletId) -> int | None:
    cores = cluster.all_ready()
    states = {core.aggregates.wallet(wallet) for core in cores} if cores else set()
    facts = {(state.epoch, state.certificate_message) for state in states}
    return facts.pop()[0] if len(facts) == 1 else None


@pytest.mark.parametrize("seed", seeds(1))
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_who_recorded_the_loser_follows_the_winner(*, restarted: bool, seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        cut_off(cluster, BEN)
        lost = CeremonyId((await cluster.command(BEN, lambda: ProposeRefresh(wallet))).subject)
        after = (ANA, CHIARA, DORA)
        command = reshare(wallet, *after, dealers=(ANA, CHIARA))
        won = await seal(cluster, operators, ANA, after, command)
        await asyncio.gather(*(operators.confirm(m, won) for m in after))
        cluster.network.faults.heal()
        if restarted:
            cluster.crash(BEN)
            await cluster.restart(BEN)
        await cluster.until("all have the epoch", lambda: epochs_agree(cluster, wallet) == 1)
        await cluster.until("Ben's share is gone", lambda: epochs_at(cluster, BEN, wallet) == set())
        await cluster.until(
            "all know both",
            lambda: all(lost in cluster.seats[m].core.aggregates.ceremonies for m in FIVE),
        )
        for member in FIVE:
            assert stage_at(cluster, member, won) is CeremonyStage.COMPLETED
            assert stage_at(cluster, member, lost) is CeremonyStage.EXPIRED
        await operators.change(DORA, after, ProposeRefresh(wallet))
        await operators.transfer(DORA, wallet, 5, approvers=(ANA, CHIARA))

    play(scene, seed, members=FIVE, pull_pause_s=PAUSE_S)


@pytest.mark.parametrize("seed", seeds(1))
def test_a_change_begun_before_another_was_completed_is_not_certified_after_it(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        after = (ANA, CHIARA, DORA)
        command = reshare(wallet, *after, dealers=(ANA, CHIARA))
        first = await seal(cluster, operators, ANA, after, command)
        await asyncio.gather(*(operators.confirm(m, first) for m in (ANA, DORA)))
        # Its time is over, and Ben, whom it leaves out, proposes to keep things as they are.
        await asyncio.sleep(660)
        second = CeremonyId((await cluster.command(BEN, lambda: ProposeRefresh(wallet))).subject)
        await operators.accept(CHIARA, second)
        with pytest.raises(CommandRefused, match="cancel it first"):
            await operators.accept(ANA, second)
        with pytest.raises(CommandRefused, match="time is over"):
            await operators.confirm(CHIARA, first)
        assert stage_at(cluster, CHIARA, first) is CeremonyStage.EXPIRED
        await cluster.command(ANA, lambda: CancelCeremony(first, "nobody finished it"))
        await operators.carry_out(second, MEMBERS)
        await cluster.until("all have the epoch", lambda: epochs_agree(cluster, wallet) == 2)
        with pytest.raises(CommandRefused):
            await operators.confirm(CHIARA, first)
        assert epochs_at(cluster, DORA, wallet) <= {1}
        await operators.transfer(BEN, wallet, 5)

    play(scene, seed, members=FIVE, pull_pause_s=PAUSE_S)


async def stubborn(
    cluster: SimulatedCluster, me: MemberId, wallet: WalletId, commands: list[Command]
) -> None:
    """Propose, accept, confirm and cancel at random, as an operator who asks nobody."""
    choose = cluster.random
    while True:
        await asyncio.sleep(choose.uniform(2, 20))
        seat = cluster.seats[me]
        if not seat.alive or seat.node is None or wallet not in seat.core.aggregates.wallets:
            continue
        known = tuple(seat.core.aggregates.ceremonies.values())
        mine = [c for c in known if c.state not in OVER and me in c.indices]
        command: Command = choose.choice(commands)
        if mine and choose.random() < 0.9:
            chosen = choose.choice(mine)
            ceremony = chosen.proposal.ceremony
            if choose.random() < 0.1:
                command = CancelCeremony(ceremony, "I have changed my mind")
            elif chosen.sealed:
                command = ConfirmCeremonyCode(ceremony, chosen.sealed.code)
            else:
                command = AcceptCeremony(ceremony)
        console = seat.console
        with contextlib.suppress(CommandRefused):
            if console is not None:
                await console.execute(command)


@pytest.mark.parametrize("seed", seeds(2))
def test_whatever_operators_do_at_once_all_members_end_with_one_set_of_shares(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        choose, faults = cluster.random, cluster.network.faults
        wallet = await operators.hold_ceremony(ANA)
        commands: list[Command] = [
            ProposeRefresh(wallet),
            reshare(wallet, ANA, CHIARA, DORA, dealers=(ANA, CHIARA)),
            reshare(wallet, BEN, CHIARA, ELI, dealers=(BEN, CHIARA)),
            reshare(wallet, ANA, BEN, CHIARA, dealers=(ANA, BEN, CHIARA)),
        ]
        acting = [asyncio.create_task(stubborn(cluster, m, wallet, commands)) for m in FIVE]
        end = cluster.loop.time() + WHILE_S
        while cluster.loop.time() < end:
            await asyncio.sleep(choose.uniform(5, 60))
            match choose.randrange(4):
                case 0:
                    faults.cut.add(frozenset(choose.sample(FIVE, 2)))
                case 1:
                    faults.cut.clear()
                case 2:
                    cluster.crash_and_return(choose.choice(FIVE), choose.uniform(0.1, 30.0))
                case _:
                    pass
        for task in acting:
            task.cancel()
        await asyncio.wait(acting)
        faults.heal()
        cores = await cluster.until("all are back", cluster.all_ready)
        await cluster.until("all agree", lambda: epochs_agree(cluster, wallet) is not None)
        await asyncio.sleep(30)
        await close_all(cluster)
        await cluster.until("all agree", lambda: epochs_agree(cluster, wallet) is not None)
        quorum = cores[0].aggregates.wallet(wallet).quorum
        for member in FIVE:
            held = epochs_at(cluster, member, wallet)
            if member in quorum.custodians:
                assert cores[0].aggregates.wallet(wallet).epoch in held, (member, held)
        await operators.change(quorum.custodians[0], quorum.custodians, ProposeRefresh(wallet))
        first, *others = quorum.custodians
        await operators.transfer(first, wallet, 5, approvers=tuple(others))

    play(scene, seed, members=FIVE, pull_pause_s=PAUSE_S)


async def close_all(cluster: SimulatedCluster) -> None:
    """Cancel whatever is unfinished, each by a member that takes part in it."""
    for member in cluster.members:
        for ceremony in tuple(cluster.seats[member].core.aggregates.ceremonies.values()):
            if ceremony.state not in OVER and member in ceremony.indices:
                name = ceremony.proposal.ceremony
                with contextlib.suppress(CommandRefused):
                    await cluster.command(member, lambda n=name: CancelCeremony(n, "to an end"))  # type: ignore[misc]
        await asyncio.sleep(5)
