"""Whatever comes in whatever order: no signature without a quorum, no share twice."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from console.domain import request_commands as rc
from console.domain import request_decisions as rd
from console.domain import signing_request as sr
from console.domain.errors import DomainError
from console.domain.events import (
    Event,
    RequestApproved,
    RequestSigned,
    SignatureShareReleased,
    SigningSessionStarted,
)
from console.domain.ids import MemberId, SessionId
from tests.unit.domain.facts import (
    ANA,
    CUSTODIANS,
    DIGEST,
    END,
    EVE,
    POLICY,
    START,
    said,
    transfer_proposal,
)

members = st.sampled_from((*CUSTODIANS, EVE))
sessions = st.sampled_from([SessionId(f"{n:02x}" * 32) for n in range(3)])
times = st.sampled_from((START, END - 1, END, END + 1))
digests = st.sampled_from((DIGEST, b"?" * 32))


class AnyHistory(RuleBasedStateMachine):
    """Every command may come at any time, from anybody, any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.state: sr.SigningRequest | None = None
        self.events: list[Event] = []

    def give(self, command: rc.RequestCommand) -> None:
        try:
            events = rd.decide(self.state, command, POLICY)
        except DomainError:
            return
        for event in events:
            self.state = sr.evolve(self.state, event, POLICY)
            self.events.append(event)

    @rule(proposer=members)
    def propose(self, proposer: MemberId) -> None:
        self.give(rc.Propose(transfer_proposal(proposer=proposer)))

    @rule(member=members, digest=digests, at_ms=times)
    def approve(self, member: MemberId, digest: bytes, at_ms: int) -> None:
        self.give(
            rc.Approve(member=member, intent_digest=digest, at_ms=at_ms, evidence=said(member))
        )

    @rule(member=members)
    def deny(self, member: MemberId) -> None:
        self.give(rc.Deny(member=member, reason="no", at_ms=START, evidence=said(member)))

    @rule(member=members)
    def withdraw(self, member: MemberId) -> None:
        self.give(rc.Withdraw(member, START, said(member)))

    @rule(session=sessions, at_ms=times)
    def start(self, session: SessionId, at_ms: int) -> None:
        self.give(
            rc.StartSession(session=session, signers=CUSTODIANS[:2], coordinator=ANA, at_ms=at_ms)
        )

    @rule(session=sessions)
    def release(self, session: SessionId) -> None:
        self.give(rc.ReleaseShare(session, START))

    @rule(session=sessions, reason=st.sampled_from(("", "late")))
    def fail(self, session: SessionId, reason: str) -> None:
        self.give(
            rc.FailSession(session=session, reason=reason, unreachable=(), blamed=(), at_ms=START)
        )

    @rule(session=sessions)
    def sign(self, session: SessionId) -> None:
        evidence = said(ANA)
        self.give(
            rc.RecordSignature(
                session=session,
                signers=CUSTODIANS[:2],
                signatures=(b"g",),
                signed_transaction=b"s",
                transaction_id="id",
                at_ms=START,
                evidence=evidence,
            )
        )

    @rule(command=st.sampled_from((rc.RecordBroadcast("id", 1), rc.RecordConfirmation("id", 1, 1))))
    def follow(self, command: rc.RequestCommand) -> None:
        self.give(command)

    @invariant()
    def nothing_is_used_without_a_quorum_of_distinct_others(self) -> None:
        approvers: set[MemberId] = set()
        for event in self.events:
            match event:
                case RequestApproved(member=member, intent_digest=digest, at_ms=at_ms):
                    assert member not in approvers
                    assert digest == DIGEST
                    assert at_ms < END
                    assert self.state is not None
                    assert member in set(CUSTODIANS) - {self.state.proposal.proposer}
                    approvers.add(member)
                case SigningSessionStarted() | SignatureShareReleased() | RequestSigned():
                    assert len(approvers) >= POLICY.approvals_needed
                case _:
                    pass

    @invariant()
    def no_session_is_used_twice(self) -> None:
        for kind in (SigningSessionStarted, SignatureShareReleased):
            used = [e.session for e in self.events if isinstance(e, kind)]  # type: ignore[attr-defined]
            assert len(set(used)) == len(used)

    @invariant()
    def there_is_at_most_one_signature(self) -> None:
        assert sum(isinstance(event, RequestSigned) for event in self.events) <= 1

    @invariant()
    def folding_again_gives_the_same_state(self) -> None:
        state: sr.SigningRequest | None = None
        for event in self.events:
            state = sr.evolve(state, event, POLICY)
        assert state == self.state


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
