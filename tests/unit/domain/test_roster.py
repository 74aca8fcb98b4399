"""Roster: a majority decides, nobody about its own leaving, and every ledger decides the same."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import roster
from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import RosterDecisionSigned, VaultUnlocked
from console.domain.ids import MemberId, SessionId
from console.domain.roster import NO_DECISION, Decision, Roster, Standing, decision_of, majority
from tests.unit.domain.facts import ANA, BEN, CHIARA, EVE, FIRST, SECOND, START, said

DORA = MemberId("dora")
FOUNDERS = (ANA, BEN, CHIARA)
RETIRE_BEN = Decision(1, NO_DECISION, (BEN,), (ANA, CHIARA))
PASS_ON = Decision(1, NO_DECISION, (), (ANA, BEN, CHIARA, DORA))
SECOND_DECISION = Decision(2, RETIRE_BEN.digest, (ANA,), (CHIARA, DORA))


def signed(
    decision: Decision, by: MemberId, certified: tuple[SessionId, ...] = ()
) -> RosterDecisionSigned:
    return RosterDecisionSigned(
        number=decision.number,
        prior=decision.prior,
        retires=decision.retires,
        electors=decision.electors,
        certified=certified,
        by=by,
        at_ms=START,
        evidence=said(by),
    )


def recorded(*events: RosterDecisionSigned) -> Roster:
    """Record what can be, and try again what came too early, as a node does."""
    state, waiting = Roster(), list(events)
    while waiting:
        later = []
        for event in waiting:
            try:
                for new in roster.decide(state, state.standing(FOUNDERS), event):
                    state = roster.evolve(state, new)
            except NotYetPossible:
                later.append(event)
            except Conflict:
                pass
        if len(later) == len(waiting):
            break
        waiting = later
    return state


def standing(*events: RosterDecisionSigned) -> Standing:
    return recorded(*events).standing(FOUNDERS)


@pytest.mark.parametrize(("electors", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 4)])
def test_more_than_half_decide(electors: int, needed: int) -> None:
    assert majority(electors) == needed


def test_without_decisions_the_founders_decide() -> None:
    assert standing().electors_at(0) == set(FOUNDERS)
    assert (standing().number, standing().digest) == (0, NO_DECISION)
    assert standing().admitting(BEN, 0) == {ANA, CHIARA}


def test_a_decision_is_in_force_once_more_than_half_signed_it() -> None:
    assert standing(signed(RETIRE_BEN, ANA)).number == 0
    after = standing(signed(RETIRE_BEN, ANA), signed(RETIRE_BEN, CHIARA))
    assert after.decisions == (RETIRE_BEN,)
    assert after.retired == {BEN: 1}
    assert after.electors_at(1) == {ANA, CHIARA}
    # What was admitted under the founders stays judged by them.
    assert after.electors_at(0) == set(FOUNDERS)
    with pytest.raises(NotYetPossible):
        after.electors_at(2)


def test_nobody_decides_about_its_own_leaving() -> None:
    with pytest.raises(Conflict, match="ben does not decide"):
        roster.decide(Roster(), standing(), signed(RETIRE_BEN, BEN))
    assert standing(signed(RETIRE_BEN, ANA), signed(RETIRE_BEN, BEN)).number == 0


def test_who_came_later_decides_once_it_was_chosen() -> None:
    with pytest.raises(Conflict, match="dora does not decide"):
        roster.decide(Roster(), standing(), signed(PASS_ON, DORA))
    passed = [signed(PASS_ON, ANA), signed(PASS_ON, BEN)]
    ana_leaves = Decision(2, PASS_ON.digest, (ANA,), (CHIARA, DORA))
    after = standing(*passed, *(signed(ana_leaves, by) for by in (BEN, CHIARA, DORA)))
    assert after.electors_at(2) == {CHIARA, DORA}
    assert set(after.retired) == {ANA}


@pytest.mark.parametrize("electors", range(3, 8))
def test_half_of_the_electors_let_nobody_leave(electors: int) -> None:
    """Not one against all others, and no two halves that let each other leave."""
    names = tuple(MemberId(f"m{number}") for number in range(electors))
    for staying in range(1, electors):
        decision = Decision(1, NO_DECISION, names[staying:], names[:staying])
        signatures = tuple(signed(decision, by) for by in names[:staying])
        in_force = Roster(signatures).standing(names).number
        assert in_force == (2 * staying > electors)


def test_of_two_electors_one_lets_the_other_leave() -> None:
    alone = Decision(1, NO_DECISION, (BEN,), (ANA,))
    assert Roster((signed(alone, ANA),)).standing((ANA, BEN)).retired == {BEN: 1}
    handed = Decision(1, NO_DECISION, (), (ANA,))
    assert Roster((signed(handed, ANA),)).standing((ANA, BEN)).number == 0


def test_a_signature_counts_once() -> None:
    once = recorded(signed(RETIRE_BEN, ANA))
    assert roster.decide(once, once.standing(FOUNDERS), signed(RETIRE_BEN, ANA)) == ()


def test_what_follows_another_decision_waits() -> None:
    with pytest.raises(NotYetPossible, match="earlier"):
        roster.decide(Roster(), standing(), signed(SECOND_DECISION, CHIARA))
    state = recorded(signed(PASS_ON, ANA), signed(PASS_ON, BEN))
    with pytest.raises(NotYetPossible, match="not in force"):
        roster.decide(state, state.standing(FOUNDERS), signed(SECOND_DECISION, CHIARA))


def test_all_orders_of_all_signatures_end_alike() -> None:
    said_of_it = (
        signed(RETIRE_BEN, ANA),
        signed(RETIRE_BEN, CHIARA),
        signed(PASS_ON, BEN),
        signed(PASS_ON, ANA),
        signed(SECOND_DECISION, CHIARA),
        signed(RETIRE_BEN, EVE),
    )
    ends = {
        (end.decisions, end.electors, frozenset(end.retired.items()))
        for order in permutations(said_of_it)
        for end in [standing(*order)]
    }
    assert len(ends) == 1
    (decisions, _, _) = ends.pop()
    # Ana signed both: the smaller digest counts, everywhere.
    assert decisions[0] == min(RETIRE_BEN, PASS_ON, key=lambda d: d.digest)


@given(st.data())
def test_whoever_signs_what_all_ledgers_agree(data: st.DataObject) -> None:
    """Electors may sign several decisions with one number; ledgers hear of them in any order."""
    names = (*FOUNDERS, DORA)
    events, prior, number = [], NO_DECISION, 1
    for _ in range(data.draw(st.integers(1, 3))):
        decisions = []
        for _ in range(2):
            leaving = data.draw(st.sets(st.sampled_from(names), max_size=1))
            staying = data.draw(st.sets(st.sampled_from(names), min_size=1)) - leaving
            if staying:
                chosen = (tuple(sorted(leaving)), tuple(sorted(staying)))
                decisions.append(Decision(number, prior, *chosen))
        for decision in decisions:
            signers = data.draw(st.sets(st.sampled_from(names)))
            events += [signed(decision, by) for by in sorted(signers)]
        if decisions:
            prior, number = decisions[0].digest, number + 1
    shuffled = data.draw(st.permutations(events))
    assert standing(*events) == standing(*shuffled)


def test_one_elector_fills_no_ledger_and_keeps_no_ledgers_apart() -> None:
    """Whatever it signs before, its signature counts where the others' signatures need it."""
    many = [
        signed(Decision(1, NO_DECISION, (MemberId(f"x{number}"),), FOUNDERS), ANA)
        for number in range(roster.MAX_SIGNED)
    ]
    state = recorded(*many)
    late = signed(RETIRE_BEN, ANA)
    with pytest.raises(NotYetPossible, match="has signed 20"):
        roster.decide(state, state.standing(FOUNDERS), late)
    assert standing(*many, late, signed(RETIRE_BEN, CHIARA)).retired == {BEN: 1}
    assert standing(late, signed(RETIRE_BEN, CHIARA), *many).retired == {BEN: 1}


def test_sessions_that_more_than_half_listed_are_older_than_the_leaving() -> None:
    after = standing(signed(RETIRE_BEN, ANA, (FIRST, SECOND)), signed(RETIRE_BEN, CHIARA, (FIRST,)))
    assert after.listed[BEN] == {FIRST}


def test_open_decisions_are_those_that_would_follow() -> None:
    state = recorded(signed(RETIRE_BEN, ANA), signed(PASS_ON, BEN))
    assert set(state.open_after(state.standing(FOUNDERS))) == {RETIRE_BEN, PASS_ON}
    assert set(state.signatures(RETIRE_BEN)) == {ANA}
    assert decision_of(signed(PASS_ON, BEN)) == PASS_ON


@pytest.mark.parametrize(
    ("retires", "electors"),
    [
        ((), ()),
        ((BEN,), (ANA, BEN)),
        ((BEN, ANA), (CHIARA,)),
        ((BEN, BEN), (CHIARA,)),
        ((), (CHIARA, ANA)),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    retires: tuple[MemberId, ...], electors: tuple[MemberId, ...]
) -> None:
    with pytest.raises(Conflict):
        Decision(1, NO_DECISION, retires, electors)


@pytest.mark.parametrize(("number", "prior"), [(0, NO_DECISION), (1_001, NO_DECISION), (1, b"x")])
def test_a_decision_has_a_number_and_the_one_before(number: int, prior: bytes) -> None:
    with pytest.raises(Conflict):
        Decision(number, prior, (), (ANA,))


def test_digests_tell_all_fields_apart() -> None:
    other = [
        Decision(2, NO_DECISION, (BEN,), (ANA, CHIARA)),
        Decision(1, bytes(31) + b"\x01", (BEN,), (ANA, CHIARA)),
        Decision(1, NO_DECISION, (), (ANA, CHIARA)),
        Decision(1, NO_DECISION, (BEN,), (ANA,)),
        Decision(1, NO_DECISION, (), (ANA, BEN, CHIARA)),
    ]
    assert len({d.digest for d in (RETIRE_BEN, *other)}) == 6
    assert RETIRE_BEN.code == Decision(1, NO_DECISION, (BEN,), (ANA, CHIARA)).code


def test_events_of_others_change_nothing() -> None:
    assert roster.evolve(Roster(), VaultUnlocked(ANA, START, 0)) == Roster()
