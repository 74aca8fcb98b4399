"""KeyCeremony: what is refused, what is idempotent, and what outweighs what."""

from dataclasses import replace
from itertools import permutations

import pytest

from console.domain.ceremony_commands import (
    Abort,
    CeremonyCommand,
    Decline,
    Dispute,
    FailSession,
    StartSession,
)
from console.domain.ceremony_decisions import decide, require_undecided
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    DomainError,
    Expired,
    NotYetPossible,
    UnknownMember,
)
from console.domain.events import CeremonyShareSealed, VaultUnlocked
from console.domain.ids import MemberId
from console.domain.key_ceremony import CeremonyState, evolve
from console.domain.times import MAX_CLOCK_SKEW_MS
from tests.unit.domain.facts import (
    ALL_ACCEPTED,
    ANA,
    BEN,
    CHIARA,
    CUSTODIANS,
    END,
    EVE,
    FIRST,
    RUNNING,
    SEALED,
    SECOND,
    START,
    accepted_by,
    ceremony_after,
    ceremony_proposal,
    confirm,
    proposed_event,
    said,
    seal,
)

DECLINE = Decline(member=BEN, reason="no", at_ms=START, evidence=said(BEN))
CANCEL = Abort(member=BEN, reason="stop", at_ms=START, evidence=said(BEN))
DISPUTE = Dispute(START, said(ANA, b"another ceremony"))
CERTIFIED = (*SEALED, *(confirm(member) for member in CUSTODIANS))


def failed(session: str = FIRST, reason: str = "late") -> FailSession:
    return FailSession(session=session, reason=reason, blamed=(), at_ms=START, evidence=said(BEN))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "state"),
    [
        ((), CeremonyState.PROPOSED),
        (accepted_by(ANA, BEN), CeremonyState.PROPOSED),
        (ALL_ACCEPTED, CeremonyState.ACCEPTED),
        (RUNNING, CeremonyState.RUNNING),
        ((*RUNNING, failed()), CeremonyState.ACCEPTED),
        (SEALED, CeremonyState.SEALED),
        ((*SEALED, confirm(ANA), confirm(BEN)), CeremonyState.SEALED),
        (CERTIFIED, CeremonyState.CERTIFIED),
        ((DECLINE,), CeremonyState.DECLINED),
        ((CANCEL,), CeremonyState.ABORTED),
        ((*SEALED, CANCEL), CeremonyState.ABORTED),
        ((*SEALED, DISPUTE), CeremonyState.ABORTED),
        ((*CERTIFIED, DISPUTE), CeremonyState.CERTIFIED),
        ((*CERTIFIED, CANCEL), CeremonyState.CERTIFIED),
    ],
)
def test_state_follows_from_the_events(
    before: tuple[CeremonyCommand, ...], state: CeremonyState
) -> None:
    assert ceremony_after(*before).state is state


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((), ceremony_proposal()),
        (accepted_by(BEN), accepted_by(BEN)[0]),
        ((DECLINE,), DECLINE),
        ((CANCEL,), CANCEL),
        ((), Dispute(START, said(ANA, b"proposal"))),
        ((DISPUTE,), Dispute(START, said(ANA, b"a third text"))),
        ((*RUNNING, failed()), failed()),
        (ALL_ACCEPTED, failed(SECOND)),
        ((*SEALED, confirm(ANA)), confirm(ANA)),
        (CERTIFIED, failed()),
    ],
)
def test_the_same_statement_twice_records_nothing(
    before: tuple[CeremonyCommand, ...], command: CeremonyCommand
) -> None:
    assert decide(ceremony_after(*before), command) == ()


@pytest.mark.parametrize(
    ("before", "command", "refusal"),
    [
        ((), ceremony_proposal(b"other"), Conflict),
        ((), accepted_by(EVE)[0], UnknownMember),
        ((), Decline(member=EVE, reason="no", at_ms=START, evidence=said(EVE)), UnknownMember),
        ((), Abort(member=EVE, reason="no", at_ms=START, evidence=said(EVE)), UnknownMember),
        (accepted_by(ANA, BEN), StartSession(FIRST, START), NotYetPossible),
        (RUNNING, StartSession(SECOND, START), AlreadyDecided),
        ((*RUNNING, failed()), StartSession(FIRST, START), AlreadyDecided),
        (SEALED, StartSession(SECOND, START), AlreadyDecided),
        ((*ALL_ACCEPTED, CANCEL), StartSession(FIRST, START), AlreadyDecided),
        (ALL_ACCEPTED, StartSession(FIRST, END), Expired),
        (ALL_ACCEPTED, seal(), NotYetPossible),
        ((*RUNNING, failed()), seal(), NotYetPossible),
        (SEALED, seal(), NotYetPossible),
        (RUNNING, confirm(ANA), NotYetPossible),
        (SEALED, confirm(ANA, SECOND), NotYetPossible),
        (SEALED, confirm(EVE), UnknownMember),
    ],
)
def test_refusals(
    before: tuple[CeremonyCommand, ...], command: CeremonyCommand, refusal: type[DomainError]
) -> None:
    state = ceremony_after(*before)
    with pytest.raises(refusal):
        decide(state, command)


@pytest.mark.parametrize(
    "command", [DECLINE, CANCEL, *ALL_ACCEPTED, confirm(ANA), failed(), seal()]
)
def test_an_unknown_ceremony_is_not_yet_possible(command: CeremonyCommand) -> None:
    with pytest.raises(NotYetPossible):
        decide(None, command)


def test_answers_end_alike_in_every_order() -> None:
    said_of_it = (*ALL_ACCEPTED, DECLINE, CANCEL, DISPUTE)
    ends = set()
    for order in permutations((*said_of_it, replace(CANCEL, member=ANA, evidence=said(ANA)))):
        state = ceremony_after(*order)
        ends.add((frozenset(state.accepted), state.declined, state.aborted, state.disputed))
        assert state.state is CeremonyState.DECLINED
    assert len(ends) == 1


def test_who_is_blamed_does_not_depend_on_whose_report_came_first() -> None:
    reports = (
        failed(),
        replace(failed(reason="a bad share"), blamed=(BEN,)),
        replace(failed(reason="a bad share"), blamed=(CHIARA, BEN)),
    )
    for order in permutations(reports):
        (attempt,) = ceremony_after(*RUNNING, *order).attempts
        assert (attempt.failure, attempt.blamed) == ("a bad share", (BEN, CHIARA))
    blamed = ceremony_after(*RUNNING, *reports)
    assert all(decide(blamed, report) == () for report in reports)


def test_who_accepted_is_told_to_cancel_instead() -> None:
    state = ceremony_after(*accepted_by(BEN))
    with pytest.raises(AlreadyDecided, match="cancel it instead"):
        require_undecided(state, BEN)
    require_undecided(state, CHIARA)
    with pytest.raises(AlreadyDecided, match="over"):
        require_undecided(ceremony_after(CANCEL), CHIARA)


@pytest.mark.parametrize("command", [accepted_by(BEN)[0], DECLINE, CANCEL])
def test_an_answer_dated_long_before_the_proposal_is_refused(command: CeremonyCommand) -> None:
    early = replace(command, at_ms=START - 2 * MAX_CLOCK_SKEW_MS - 1)
    with pytest.raises(Conflict, match="before the proposal"):
        decide(ceremony_after(), early)


@pytest.mark.parametrize("member", CUSTODIANS)
def test_a_late_acceptance_is_refused(member: str) -> None:
    late = accepted_by(member)[0]  # type: ignore[arg-type]
    with pytest.raises(Expired):
        decide(ceremony_after(), type(late)(late.member, END, late.evidence))


def test_a_proposer_holds_a_share() -> None:
    proposal = ceremony_proposal()
    stranger = replace(proposal, proposer=EVE)
    with pytest.raises(UnknownMember):
        decide(None, stranger)


def test_a_full_certificate_outweighs_a_cancellation() -> None:
    two = (confirm(ANA), confirm(CHIARA))
    assert ceremony_after(*SEALED, *two, CANCEL, confirm(BEN)).state is CeremonyState.CERTIFIED


def test_a_share_of_a_failed_session_is_undone() -> None:
    state = ceremony_after(*SEALED, confirm(ANA), failed())
    assert state.sealed is None
    assert state.certifying == ()
    assert not state.has_confirmed(ANA)
    assert state.state is CeremonyState.ACCEPTED


def test_a_failure_of_another_session_leaves_the_share() -> None:
    again = (*RUNNING, failed(), StartSession(SECOND, START), seal(SECOND))
    assert ceremony_after(*again, failed()).sealed is not None


def test_confirmations_of_a_failed_session_do_not_certify_the_next() -> None:
    again = (failed(), StartSession(SECOND, START), seal(SECOND), confirm(ANA, SECOND))
    state = ceremony_after(*SEALED, confirm(BEN), confirm(CHIARA), *again)
    assert {c.member for c in state.certifying} == {ANA}
    assert state.state is CeremonyState.SEALED


def test_a_failure_without_a_reason_still_ends_the_session() -> None:
    state = ceremony_after(*RUNNING, failed(reason=""))
    assert state.running is None
    assert state.state is CeremonyState.ACCEPTED
    assert decide(state, failed(reason="")) == ()


def test_events_before_the_proposal_and_of_others_change_nothing() -> None:
    stranger = VaultUnlocked(ANA, START, 1)
    assert evolve(None, stranger) is None
    state = ceremony_after()
    assert evolve(state, stranger) == state
    assert evolve(None, proposed_event()) == state


def test_a_sealed_share_is_kept_as_it_was_recorded() -> None:
    sealed = ceremony_after(*SEALED).sealed
    assert isinstance(sealed, CeremonyShareSealed)
    assert (sealed.session, sealed.code) == (FIRST, "code")


def test_what_is_sealed_is_not_under_way_and_each_member_confirms_for_itself() -> None:
    assert ceremony_after(*RUNNING).running is not None
    assert ceremony_after(*SEALED).running is None
    confirmed = ceremony_after(*SEALED, confirm(BEN))
    assert [m for m in CUSTODIANS if confirmed.has_confirmed(m)] == [BEN]


def test_of_several_attempts_the_newest_is_under_way() -> None:
    again = ceremony_after(*RUNNING, failed(), StartSession(SECOND, START))
    assert again.running is not None
    assert again.running.session == SECOND
    over = ceremony_after(*RUNNING, failed(), StartSession(SECOND, START), failed(SECOND))
    assert over.running is None


def test_who_takes_no_part_is_blamed_for_nothing_and_is_no_news() -> None:
    reports = [replace(failed(), blamed=(MemberId(f"x{number}"),)) for number in range(3)]
    state = ceremony_after(*RUNNING, *reports)
    (attempt,) = state.attempts
    assert (attempt.failure, attempt.blamed) == ("late", ())
    assert decide(state, reports[2]) == ()
