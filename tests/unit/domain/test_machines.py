"""Machines: enough others endorse, the old machine is out, and every ledger decides the same."""

from dataclasses import replace

import pytest

from console.domain import member
from console.domain.errors import Conflict
from console.domain.events import Event, MachineAdmitted, MachineEndorsed
from console.domain.ids import MemberId, SessionId
from console.domain.member import Endorse, Enrol, Member, RecordHead
from console.domain.roster import majority
from tests.unit.domain.facts import ANA, BEN, CHIARA, EVE, FIRST, SECOND, START, said

ENROL = Enrol(
    member=BEN, display_name="Ben", identity_key=b"old key", tls_pin=b"old pin", address="host:1"
)
MACHINE = MachineEndorsed(
    member=BEN,
    display_name="Ben Okafor",
    identity_key=b"new key",
    tls_pin=b"new pin",
    certificate=b"PEM",
    address="host:2",
    digest=b"digest",
    by=ANA,
    at_ms=START,
    evidence=said(ANA),
)


OTHERS = frozenset({ANA, CHIARA})


def fold(state: Member | None, *events: Event) -> Member | None:
    for event in events:
        state = member.evolve(state, event)
    return state


def endorsed(
    state: Member | None, *machines: MachineEndorsed, founders: frozenset[MemberId] = OTHERS
) -> Member:
    for machine in machines:
        state = fold(state, *member.decide(state, Endorse(machine, founders)))
    assert state is not None
    return state


def ben() -> Member:
    state = fold(None, *member.decide(None, ENROL))
    assert state is not None
    return state


def by(who: str, machine: MachineEndorsed = MACHINE) -> MachineEndorsed:
    return replace(machine, by=who)  # type: ignore[arg-type]


@pytest.mark.parametrize(("others", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (6, 4)])
def test_more_than_half_of_the_others_endorse(others: int, needed: int) -> None:
    assert majority(others) == needed


def test_one_endorsement_changes_nothing_and_the_last_lets_the_machine_in() -> None:
    waiting = endorsed(ben(), by(ANA))
    assert (waiting.identity_key, waiting.former_keys) == (b"old key", ())
    admitted = endorsed(waiting, by(CHIARA))
    assert (admitted.identity_key, admitted.tls_pin) == (b"new key", b"new pin")
    assert (admitted.certificate, admitted.address) == (b"PEM", "host:2")
    assert admitted.former_keys == (b"old key",)
    assert admitted.founder


def test_endorsing_twice_counts_once() -> None:
    waiting = endorsed(ben(), by(ANA))
    assert member.decide(waiting, Endorse(by(ANA), OTHERS)) == ()


def test_who_came_after_the_founding_endorses_nobody() -> None:
    waiting = endorsed(ben(), by(ANA))
    with pytest.raises(Conflict, match="does not endorse machines"):
        member.decide(waiting, Endorse(by(EVE), OTHERS))


def test_endorsing_on_after_the_admission_admits_nothing_again() -> None:
    admitted = endorsed(ben(), by(ANA), by(CHIARA))
    events = member.decide(admitted, Endorse(by(EVE), OTHERS | {EVE}))
    assert not any(isinstance(event, MachineAdmitted) for event in events)


def test_nobody_endorses_a_machine_of_its_own() -> None:
    for founders in (OTHERS, OTHERS | {BEN}):
        with pytest.raises(Conflict, match="no member endorses a machine of its own"):
            member.decide(ben(), Endorse(by(BEN), founders))


@pytest.mark.parametrize("key", [b"old key", b"new key"])
def test_a_key_that_the_member_has_or_had_is_refused(key: bytes) -> None:
    admitted = endorsed(ben(), by(ANA), by(CHIARA))
    other = replace(MACHINE, identity_key=key, digest=b"another")
    with pytest.raises(Conflict):
        member.decide(admitted, Endorse(by(ANA, other), OTHERS))


def test_endorsements_for_different_machines_do_not_add_up() -> None:
    other = replace(MACHINE, identity_key=b"third key", digest=b"another")
    state = endorsed(ben(), by(ANA), by(CHIARA, other))
    assert state.identity_key == b"old key"


def test_a_new_member_counts_when_enough_endorse() -> None:
    machine = replace(MACHINE, member=EVE)
    waiting = endorsed(None, by(ANA, machine), founders=OTHERS | {BEN})
    assert not waiting.enrolled
    admitted = endorsed(waiting, by(CHIARA, machine), founders=OTHERS | {BEN})
    assert admitted.enrolled
    assert not admitted.founder
    assert admitted.former_keys == ()


def test_the_roster_file_does_not_bring_the_old_machine_back() -> None:
    admitted = endorsed(ben(), by(ANA), by(CHIARA))
    assert member.decide(admitted, ENROL) == ()


def test_a_new_machine_begins_a_ledger_of_its_own() -> None:
    heads = RecordHead(member=BEN, sequence=90, hash=b"h", signed_at_ms=START, evidence=said(BEN))
    state = fold(ben(), *member.decide(ben(), heads))
    admitted = endorsed(state, by(ANA), by(CHIARA))
    first = RecordHead(
        member=BEN, sequence=3, hash=b"i", signed_at_ms=START + 1, evidence=said(BEN)
    )
    assert member.decide(admitted, first)


def test_a_head_signed_at_the_same_time_may_come_late() -> None:
    head = RecordHead(member=BEN, sequence=5, hash=b"h", signed_at_ms=START, evidence=said(BEN))
    state = fold(ben(), *member.decide(ben(), head))
    assert member.decide(state, replace(head, sequence=4)) == ()
    with pytest.raises(Conflict, match="rolled back"):
        member.decide(state, replace(head, sequence=4, signed_at_ms=START + 1))


def test_of_a_new_member_or_machine_no_head_was_seen() -> None:
    admitted = endorsed(ben(), by(ANA), by(CHIARA))
    for state in (ben(), admitted):
        assert (state.head_sequence, state.head_hash, state.head_signed_at_ms) == (0, b"", 0)


def listing(who: MemberId, *sessions: SessionId) -> MachineEndorsed:
    return replace(MACHINE, by=who, certified=sessions)


@pytest.mark.parametrize(
    ("endorsements", "known"),
    [
        ((listing(ANA, FIRST), listing(CHIARA, FIRST)), True),
        ((listing(ANA, FIRST), listing(CHIARA)), False),
        ((listing(ANA, FIRST), listing(CHIARA, SECOND)), False),
        ((listing(ANA), listing(CHIARA)), False),
        ((listing(ANA, SECOND, FIRST), listing(CHIARA, FIRST)), True),
    ],
)
def test_a_session_is_older_than_a_replacement_if_most_who_admitted_it_say_so(
    endorsements: tuple[MachineEndorsed, ...], *, known: bool
) -> None:
    assert endorsed(ben(), *endorsements).was_certified_before(FIRST) is known


def test_what_endorsers_of_a_machine_say_counts_once_it_is_admitted() -> None:
    waiting = endorsed(ben(), listing(ANA, FIRST), founders=frozenset({ANA}) | OTHERS)
    assert not waiting.was_certified_before(FIRST)
    four = frozenset({ANA, CHIARA, EVE, MemberId("dora")})
    told = (listing(ANA, FIRST), listing(CHIARA), listing(EVE, FIRST))
    assert endorsed(ben(), *told, founders=four).was_certified_before(FIRST)
    # One that comes later helps those who heard of the others first.
    late = (listing(ANA, FIRST), listing(CHIARA), listing(EVE), listing(MemberId("dora"), FIRST))
    assert endorsed(ben(), *late, founders=four).was_certified_before(FIRST)
    # Another machine's endorsements do not.
    rival = replace(listing(ANA, FIRST), digest=b"rival")
    assert not endorsed(ben(), rival, listing(ANA), listing(CHIARA)).was_certified_before(FIRST)


def test_a_machine_that_two_quorums_admitted_goes_on() -> None:
    """Both sides of a partition endorse it, by the founders and by whom they chose meanwhile."""
    heads = RecordHead(member=BEN, sequence=90, hash=b"h", signed_at_ms=START, evidence=said(BEN))
    first = endorsed(ben(), by(ANA), by(CHIARA))
    first = endorsed_with_head(first, heads)
    again = replace(MACHINE, decided=1)
    twice = endorsed(first, by(ANA, again), by(CHIARA, again))
    assert (twice.identity_key, twice.admitted_after) == (b"new key", 1)
    assert twice.former_keys == (b"old key",)
    assert (twice.head_sequence, twice.links) == (90, first.links)


def endorsed_with_head(state: Member, head: RecordHead) -> Member:
    found = fold(state, *member.decide(state, head))
    assert found is not None
    return found


def test_of_machines_admitted_after_different_decisions_the_later_one_stays() -> None:
    """Whoever decided once does not bring a machine in where others decide since."""
    later = replace(MACHINE, identity_key=b"third key", digest=b"later", decided=1)
    early, late = [by(ANA), by(CHIARA)], [by(ANA, later), by(CHIARA, later)]
    in_order, reversed_ = endorsed(ben(), *early, *late), endorsed(ben(), *late, *early)
    assert in_order.identity_key == reversed_.identity_key == b"third key"
    assert set(in_order.former_keys) == set(reversed_.former_keys) == {b"old key", b"new key"}
    assert in_order.admitted_after == reversed_.admitted_after == 1
