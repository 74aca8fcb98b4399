"""SigningRequest: who may decide, when, and what a session may do."""

from dataclasses import replace
from itertools import permutations

import pytest

from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    DomainError,
    Expired,
    NotYetPossible,
    PolicyViolation,
    UnknownMember,
)
from console.domain.policy import Policy
from console.domain.request_commands import (
    Approve,
    Deny,
    Dispute,
    Propose,
    RecordBroadcast,
    RecordConfirmation,
    RecordFailure,
    RecordRefusal,
    ReleaseShare,
    RequestCommand,
    Withdraw,
)
from console.domain.request_decisions import decide, require_undecided
from console.domain.signing_request import RequestState, SigningRequest, evolve
from console.domain.times import MAX_CLOCK_SKEW_MS
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    DIGEST,
    END,
    EVE,
    FIRST,
    POLICY,
    QUORUM,
    SECOND,
    START,
    approve,
    fail,
    request_after,
    said,
    signature,
    start,
    transfer_proposal,
)

DENY = Deny(member=BEN, reason="no", at_ms=START, evidence=said(BEN))
DISPUTE = Dispute(START, said(ANA, b"another intent"))
WITHDRAW = Withdraw(ANA, START, said(ANA))
RELEASE = ReleaseShare(FIRST, START)
SIGNED = (*APPROVED, start(), RELEASE, signature())
BROADCAST = RecordBroadcast("transaction-id", START)
CONFIRM = RecordConfirmation("transaction-id", 9, START)
FAILURE = RecordFailure("too old", START)
REFUSAL = RecordRefusal("fee too low", START)


@pytest.mark.parametrize(
    ("before", "state"),
    [
        ((), RequestState.PROPOSED),
        ((approve(BEN),), RequestState.PROPOSED),
        (APPROVED, RequestState.APPROVED),
        ((*APPROVED, start()), RequestState.SIGNING),
        ((*APPROVED, start(), fail()), RequestState.APPROVED),
        (SIGNED, RequestState.SIGNED),
        ((*SIGNED, BROADCAST), RequestState.BROADCAST),
        ((*SIGNED, BROADCAST, CONFIRM), RequestState.CONFIRMED),
        ((*SIGNED, FAILURE), RequestState.FAILED),
        ((*SIGNED, REFUSAL), RequestState.REFUSED),
        ((*SIGNED, BROADCAST, REFUSAL), RequestState.REFUSED),
        ((*SIGNED, REFUSAL, BROADCAST), RequestState.BROADCAST),
        ((*SIGNED, BROADCAST, REFUSAL, BROADCAST), RequestState.BROADCAST),
        ((*SIGNED, REFUSAL, CONFIRM), RequestState.CONFIRMED),
        ((*SIGNED, REFUSAL, FAILURE), RequestState.FAILED),
        ((DENY,), RequestState.DENIED),
        ((WITHDRAW,), RequestState.WITHDRAWN),
        ((*APPROVED, DENY, signature()), RequestState.SIGNED),
        ((*APPROVED, WITHDRAW, signature(), CONFIRM), RequestState.CONFIRMED),
        ((DENY, *APPROVED, signature()), RequestState.SIGNED),
        ((WITHDRAW, *APPROVED), RequestState.WITHDRAWN),
        ((*SIGNED, DENY), RequestState.SIGNED),
        ((*SIGNED, WITHDRAW), RequestState.SIGNED),
        ((*APPROVED, DISPUTE), RequestState.DENIED),
        ((*SIGNED, DISPUTE), RequestState.SIGNED),
    ],
)
def test_state_follows_from_the_events(
    before: tuple[RequestCommand, ...], state: RequestState
) -> None:
    assert request_after(*before).state is state


def test_statements_end_alike_in_every_order() -> None:
    """Each waits for what it needs and is tried again, as the exchange does."""
    ends = set()
    later = Deny(member=EVE, reason="no", at_ms=START, evidence=said(EVE), is_later_custodian=True)
    for order in permutations((*APPROVED, DENY, later, WITHDRAW, DISPUTE, signature())):
        state, waiting = request_after(), list(order)
        for _ in order:
            state, waiting = _try_all(state, waiting)
        assert not waiting
        ends.add(
            (
                frozenset(state.approvals),
                frozenset(state.denials),
                state.denial,
                state.withdrawal,
                state.disputed,
                state.signatures,
                state.state,
            )
        )
    assert len(ends) == 1
    assert state.state is RequestState.SIGNED


def _try_all(
    state: SigningRequest, commands: list[RequestCommand]
) -> tuple[SigningRequest, list[RequestCommand]]:
    """Apply what can be applied; return the new state and what has to wait."""
    left = []
    for command in commands:
        try:
            events = decide(state, command, POLICY)
        except NotYetPossible:
            left.append(command)
            continue
        for event in events:
            evolved = evolve(state, event, POLICY)
            assert evolved is not None
            state = evolved
    return state, left


@pytest.mark.parametrize("before", [(DENY,), (WITHDRAW,), (DISPUTE,), SIGNED])
def test_an_operator_decides_only_what_is_open(before: tuple[RequestCommand, ...]) -> None:
    require_undecided(request_after(*APPROVED), END - 1)
    with pytest.raises(AlreadyDecided):
        require_undecided(request_after(*before), START)
    with pytest.raises(Expired):
        require_undecided(request_after(), END)


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((), Propose(transfer_proposal())),
        ((approve(BEN),), approve(BEN, at_ms=END)),
        ((DENY,), DENY),
        ((), Dispute(START, transfer_proposal().evidence)),
        ((DISPUTE,), Dispute(START, said(ANA, b"a third text"))),
        ((WITHDRAW,), WITHDRAW),
        (APPROVED, fail()),
        ((*APPROVED, start(), fail()), fail()),
        (SIGNED, fail()),
        (SIGNED, signature(SECOND)),
        ((*SIGNED, BROADCAST), BROADCAST),
        ((*SIGNED, CONFIRM), CONFIRM),
        ((*SIGNED, CONFIRM), FAILURE),
        ((*SIGNED, FAILURE), BROADCAST),
        ((*SIGNED, FAILURE), REFUSAL),
        ((*SIGNED, CONFIRM), REFUSAL),
        ((*SIGNED, REFUSAL), RecordRefusal("fee too low", END)),
    ],
)
def test_the_same_fact_twice_records_nothing(
    before: tuple[RequestCommand, ...], command: RequestCommand
) -> None:
    assert decide(request_after(*before), command, POLICY) == ()


@pytest.mark.parametrize(
    ("before", "command", "refusal"),
    [
        ((), Propose(transfer_proposal(b"other")), Conflict),
        ((), approve(ANA), PolicyViolation),
        ((), approve(EVE), PolicyViolation),
        ((), approve(BEN, at_ms=END), Expired),
        (
            (),
            Approve(member=BEN, intent_digest=b"?" * 32, at_ms=START, evidence=said(BEN)),
            Conflict,
        ),
        (
            SIGNED,
            Approve(member=EVE, intent_digest=DIGEST, at_ms=START, evidence=said(EVE)),
            PolicyViolation,
        ),
        ((), approve(BEN, at_ms=START - 2 * MAX_CLOCK_SKEW_MS - 1), Conflict),
        ((), Dispute(START, said(BEN, b"another")), Conflict),
        ((), Deny(member=EVE, reason="no", at_ms=START, evidence=said(EVE)), UnknownMember),
        ((), Deny(member=BEN, reason="no", at_ms=END, evidence=said(BEN)), Expired),
        ((), Withdraw(BEN, START, said(BEN)), PolicyViolation),
        ((approve(BEN),), start(), NotYetPossible),
        (APPROVED, start(at_ms=END), Expired),
        ((*APPROVED, start()), start(), AlreadyDecided),
        ((*APPROVED, start(), fail()), start(), AlreadyDecided),
        (SIGNED, start(SECOND), AlreadyDecided),
        ((*APPROVED, DENY), start(), AlreadyDecided),
        (APPROVED, RELEASE, AlreadyDecided),
        ((*APPROVED, start(), fail()), RELEASE, AlreadyDecided),
        ((*APPROVED, start(), RELEASE), RELEASE, AlreadyDecided),
        ((*APPROVED, start(), DENY), RELEASE, AlreadyDecided),
        ((*APPROVED, start(), WITHDRAW), RELEASE, AlreadyDecided),
        ((approve(BEN),), signature(), NotYetPossible),
        (APPROVED, BROADCAST, NotYetPossible),
        (APPROVED, CONFIRM, NotYetPossible),
        (APPROVED, FAILURE, NotYetPossible),
        (APPROVED, REFUSAL, NotYetPossible),
    ],
)
def test_refusals(
    before: tuple[RequestCommand, ...], command: RequestCommand, refusal: type[DomainError]
) -> None:
    state = request_after(*before)
    with pytest.raises(refusal):
        decide(state, command, POLICY)


@pytest.mark.parametrize("command", [approve(BEN), DENY, WITHDRAW, start(), RELEASE, BROADCAST])
def test_an_unknown_request_is_not_yet_possible(command: RequestCommand) -> None:
    with pytest.raises(NotYetPossible):
        decide(None, command, POLICY)


def test_a_proposer_is_a_custodian_under_the_policy_in_force() -> None:
    with pytest.raises(UnknownMember):
        decide(None, Propose(transfer_proposal(proposer=EVE)), POLICY)
    with pytest.raises(PolicyViolation):
        decide(None, Propose(transfer_proposal(policy_version=2)), POLICY)


def test_an_initiator_approves_where_the_policy_allows_it() -> None:
    policy = Policy(1, QUORUM, 2, initiator_may_approve=True)
    state = request_after(approve(ANA), approve(BEN), policy=policy)
    assert state.state is RequestState.APPROVED


def test_one_member_approving_twice_is_no_quorum() -> None:
    assert not request_after(approve(BEN), approve(BEN)).has_quorum


def test_a_failure_without_a_reason_still_ends_the_session() -> None:
    state = request_after(*APPROVED, start(), fail(reason=""))
    assert state.running is None
    assert decide(state, fail(reason=""), POLICY) == ()
    with pytest.raises(AlreadyDecided):
        decide(state, RELEASE, POLICY)


def test_events_before_the_proposal_change_nothing() -> None:
    approval = decide(request_after(), approve(BEN), POLICY)[0]
    assert evolve(None, approval, POLICY) is None


def test_a_second_signature_is_kept_and_the_confirmed_one_counts():
    other = replace(signature(), transaction_id="other-id", signatures=(b"h" * 64,))
    state = request_after(*SIGNED, other)
    assert [s.transaction_id for s in state.signatures] == ["transaction-id", "other-id"]
    assert state.signed is not None
    assert state.signed.transaction_id == "transaction-id"
    confirmed = request_after(*SIGNED, other, RecordConfirmation("other-id", 9, START))
    assert confirmed.signed is not None
    assert confirmed.signed.transaction_id == "other-id"


@pytest.mark.parametrize(
    "command", [RecordBroadcast("unknown", START), RecordConfirmation("unknown", 9, START)]
)
def test_the_chain_cannot_be_told_of_a_transaction_that_nobody_signed(command):
    with pytest.raises(NotYetPossible):
        request_after(*SIGNED, command)


def test_of_several_attempts_the_newest_is_under_way() -> None:
    again = request_after(*APPROVED, start(), fail(), start(SECOND))
    assert again.running is not None
    assert again.running.session == SECOND
    assert request_after(*APPROVED, start(), fail(), start(SECOND), fail(SECOND)).running is None
