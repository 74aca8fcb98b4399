"""Decisions about the roster and endorsements of machines: ledgers agree, whatever came first."""

import pytest

from console.application.peers.machines import MachineService
from console.application.peers.roster_decisions import RosterDecisions
from console.application.peers.statements import MachineEndorsement, RosterDecision
from console.domain.ids import MemberId
from console.domain.roster import NO_DECISION, Decision
from tests.fakes.network import FakeNetwork, FakePort
from tests.unit.application.desk import MEMBERS, Desk
from tests.unit.domain.facts import ANA, BEN, CHIARA, EVE

DORA = MemberId("dora")


async def stop_nobody(_members: frozenset[MemberId]) -> None:
    return


async def opened() -> tuple[Desk, FakePort]:
    """Return Ana's desk with what records machines and decisions; the others only sign."""
    desk = await Desk().open()
    known, port = desk.aggregates, FakeNetwork().plug(ANA, (BEN, CHIARA, EVE), desk.clock)
    machines = MachineService(ANA, known, network=port, clock=desk.clock, publish=desk.publish)
    decisions = RosterDecisions(
        me=ANA,
        aggregates=known,
        network=port,
        publish=desk.publish,
        stop_with=stop_nobody,
        let_in=machines.let_in,
    )
    desk.__dict__["handlers"] = {**machines.handlers, RosterDecision: decisions.on_decision}
    return desk, port


def endorsement(member: MemberId) -> MachineEndorsement:
    return MachineEndorsement(
        at_ms=1,
        member=member,
        name=member.capitalize(),
        address="host.example.net:1",
        identity_key=b"\x04" + member.encode().ljust(64, b"."),
        certificate=member.encode(),
    )


def digest_of(statement: RosterDecision) -> bytes:
    names = (statement.retires, statement.electors)
    return Decision(statement.number, statement.prior, *map(_ids, names)).digest


def _ids(names: tuple[str, ...]) -> tuple[MemberId, ...]:
    return tuple(map(MemberId, names))


def leaving(member: MemberId) -> RosterDecision:
    return RosterDecision(
        at_ms=2,
        number=1,
        prior=NO_DECISION,
        retires=(member,),
        electors=tuple(sorted(set(MEMBERS) - {member})),
        certified=(),
    )


@pytest.mark.parametrize("member", [EVE, DORA])
async def test_machines_of_who_has_left_are_known_whatever_came_first(member: MemberId) -> None:
    """Else certificates that they signed hold in one ledger and not in another."""
    machine = [(by, endorsement(member)) for by in (ANA, BEN, CHIARA)]
    decision = [(by, leaving(member)) for by in (ANA, BEN, CHIARA)]
    ends = []
    for order in ([*machine, *decision], [*decision, *machine]):
        desk, port = await opened()
        for by, statement in order:
            await desk.hear(by, statement)
        left = desk.aggregates.former[member]
        ends.append((left.identity_key, len(left.former_keys), left.admitted_after))
        assert member not in desk.aggregates.members
        assert member not in port.peers
    assert ends[0] == ends[1]
    assert ends[0][0] == endorsement(member).identity_key


async def test_a_decision_that_counts_no_more_lets_its_member_in_again() -> None:
    """Of two that more than half signed the smaller digest counts; a ledger may hear it last."""
    first, second = sorted((leaving(BEN), leaving(EVE)), key=digest_of)
    desk, port = await opened()
    for statement, left in ((second, second.retires[0]), (first, first.retires[0])):
        for by in sorted(set(MEMBERS) - {left}):
            await desk.hear(by, statement)
        assert set(desk.aggregates.former) == {left}
        assert set(port.peers) == set(MEMBERS) - {ANA, left}
