"""Machines move and change their TLS keys while others are away: nobody is lost for good."""

from collections.abc import Awaitable, Callable

from console.application.commands import (
    ChangeAddress,
    ChangeLinkKey,
    Command,
    FinishLinkKey,
    SetPeerAddress,
)
from console.application.queries.links import link_views
from console.application.views import LinkView
from console.domain.ids import MemberId
from console.domain.member import Member
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.network import FakeLinkKeys
from tests.simulation.cluster import MEMBERS, SimulatedCluster

ANA, BEN, CHIARA = MEMBERS
TWO = (ANA, BEN)
ELSEWHERE = "moved.example.net:7443"


def play(
    scene: Callable[[SimulatedCluster], Awaitable[None]], members: tuple[MemberId, ...] = MEMBERS
) -> None:
    async def whole() -> None:
        cluster = SimulatedCluster(7, members)
        await cluster.start()
        try:
            await scene(cluster)
            assert cluster.halts == []
        finally:
            await cluster.stop()

    run_in_virtual_time(whole())


async def do(cluster: SimulatedCluster, member: MemberId, command: Command) -> None:
    await cluster.command(member, lambda: command)


def at(cluster: SimulatedCluster, member: MemberId, other: MemberId) -> Member:
    """Return what a member knows of another."""
    return cluster.seats[member].core.aggregates.members[other]


def link(cluster: SimulatedCluster, member: MemberId, other: MemberId) -> LinkView:
    """Return what a member's window shows of another's machine."""
    core = cluster.seats[member].core
    views = link_views(core, core.ports.clock.now_ms())
    return next(view for view in views if view.member == other)


async def reach(cluster: SimulatedCluster, *pairs: tuple[MemberId, MemberId]) -> None:
    await cluster.until(
        f"links {pairs}", lambda: all(link(cluster, one, other).online for one, other in pairs)
    )


def keys_of(cluster: SimulatedCluster, member: MemberId) -> FakeLinkKeys:
    port = cluster.seats[member].port
    assert port is not None
    return port.keys


def all_pairs(members: tuple[MemberId, ...]) -> list[tuple[MemberId, MemberId]]:
    return [(one, other) for one in members for other in members if one != other]


def test_a_machine_that_moved_is_found_by_all_also_after_a_restart() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        await reach(cluster, *all_pairs(MEMBERS))
        cluster.crash(BEN)
        cluster.network.listening[CHIARA] = ELSEWHERE
        await do(cluster, CHIARA, ChangeAddress(ELSEWHERE))
        await cluster.until("Ana knows", lambda: at(cluster, ANA, CHIARA).address == ELSEWHERE)
        # Ben was away. He hears it from Ana: Chiara is not where he looks for her.
        cluster.network.faults.cut = {frozenset({BEN, CHIARA})}
        await cluster.restart(BEN)
        await cluster.until("Ben knows", lambda: at(cluster, BEN, CHIARA).address == ELSEWHERE)
        cluster.network.faults.heal()
        for member in (ANA, BEN):
            cluster.crash(member)
            await cluster.restart(member)
        await reach(cluster, *all_pairs(MEMBERS))

    play(scene)


def test_two_that_moved_at_once_are_joined_by_hand_and_then_by_what_they_sign() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        await reach(cluster, *all_pairs(TWO))
        cluster.network.listening = {ANA: "ana.example.net:1", BEN: "ben.example.net:1"}
        await do(cluster, ANA, ChangeAddress("ana.example.net:1"))
        await do(cluster, BEN, ChangeAddress("ben.example.net:1"))
        await cluster.until("they lose each other", lambda: not link(cluster, ANA, BEN).online)
        assert at(cluster, ANA, BEN).address == "ben:1"
        await do(cluster, ANA, SetPeerAddress(BEN, "ben.example.net:1"))
        await reach(cluster, *all_pairs(TWO))
        # What Ben has signed has come meanwhile, and what was entered is over.
        await cluster.until("Ben said it", lambda: not link(cluster, ANA, BEN).address_here)
        assert at(cluster, ANA, BEN).address == "ben.example.net:1"

    play(scene, TWO)


def test_an_address_entered_here_lasts_over_a_restart_and_concerns_nobody_else() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        cluster.network.listening[BEN] = ELSEWHERE
        await do(cluster, ANA, SetPeerAddress(BEN, ELSEWHERE))
        cluster.crash(ANA)
        await cluster.restart(ANA)
        await reach(cluster, (ANA, BEN))
        await cluster.until("Chiara does not", lambda: not link(cluster, CHIARA, BEN).online)
        assert link(cluster, CHIARA, BEN).address_here == ""

    play(scene)


def test_a_new_key_counts_alone_once_all_have_it() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        await reach(cluster, *all_pairs(MEMBERS))
        cluster.crash(CHIARA)
        await do(cluster, ANA, ChangeLinkKey())
        await cluster.until(
            "only Chiara is missing", lambda: link(cluster, ANA, ANA).untold == ("Chiara",)
        )
        assert keys_of(cluster, ANA).shown == b""
        # A restart in between changes nothing.
        cluster.crash(ANA)
        await cluster.restart(ANA)
        await cluster.restart(CHIARA)
        await cluster.until("the old key is gone", lambda: changed(cluster, ANA))
        await reach(cluster, *all_pairs(MEMBERS))
        for member in MEMBERS:
            assert at(cluster, member, ANA).tls_pins == {keys_of(cluster, ANA).own().tls_pin}

    play(scene)


def test_whoever_was_away_when_a_key_was_changed_is_told_with_the_old_one() -> None:
    """Both others change theirs, and neither waits: nobody else could hand it on."""

    async def scene(cluster: SimulatedCluster) -> None:
        await reach(cluster, *all_pairs(MEMBERS))
        cluster.crash(CHIARA)
        for member in (ANA, BEN):
            await do(cluster, member, ChangeLinkKey())
            await do(cluster, member, FinishLinkKey())
        await reach(cluster, *all_pairs(TWO))
        assert keys_of(cluster, ANA).former == [b""]
        for member in (ANA, BEN):
            cluster.crash(member)
            await cluster.restart(member)
        await cluster.restart(CHIARA)
        await cluster.until("both old keys are gone", lambda: all(map_changed(cluster)))
        await reach(cluster, *all_pairs(MEMBERS))

    play(scene)


def test_in_a_vault_of_two_the_old_key_is_shown_until_the_other_is_back() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        cluster.crash(BEN)
        await do(cluster, ANA, ChangeLinkKey())
        await cluster.restart(BEN)
        await cluster.until("the change is complete", lambda: changed(cluster, ANA))
        await do(cluster, BEN, ChangeLinkKey())
        await cluster.until("the other's too", lambda: changed(cluster, BEN))
        await reach(cluster, *all_pairs(TWO))
        # A second change goes the same way.
        await do(cluster, ANA, ChangeLinkKey())
        await cluster.until("a third key", lambda: len(keys_of(cluster, ANA).made) == 2)
        await cluster.until("that is shown", lambda: changed(cluster, ANA, 2))
        await reach(cluster, *all_pairs(TWO))

    play(scene, TWO)


def changed(cluster: SimulatedCluster, member: MemberId, times: int = 1) -> bool:
    keys = keys_of(cluster, member)
    return keys.made[times - 1 :] == [keys.shown] and not keys.former


def map_changed(cluster: SimulatedCluster) -> list[bool]:
    return [changed(cluster, member) for member in (ANA, BEN)]
