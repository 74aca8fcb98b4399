"""SigningRequest: an intent, its approvals, its signing attempts and its outcome."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    Expired,
    NotYetPossible,
    PolicyViolation,
    UnknownMember,
)
from console.domain.events import (
    Event,
    RequestApproved,
    RequestDenied,
    RequestProposed,
    RequestSigned,
    RequestWithdrawn,
    SignatureShareReleased,
    SigningSessionFailed,
    SigningSessionStarted,
    TransactionBroadcast,
    TransactionConfirmed,
    TransactionFailed,
    TransactionRefused,
    TransactionTakenBack,
)
from console.domain.ids import MemberId, SessionId
from console.domain.policy import Policy, may_approve
from console.domain.request_chain import REPLACED, chain_step
from console.domain.request_commands import (
    Approve,
    Decision,
    Deny,
    FailSession,
    Propose,
    RecordSignature,
    ReleaseShare,
    RequestCommand,
    SessionStep,
    StartSession,
    Withdraw,
)


class RequestState(StrEnum):
    """A request's state, derived from its events alone; callers judge expiry by their clock."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SIGNING = "signing"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


OVER = frozenset(
    {
        RequestState.CONFIRMED,
        RequestState.DENIED,
        RequestState.WITHDRAWN,
        RequestState.FAILED,
    }
)
UNEXPLAINED = "no reason was given"
UNSIGNED = frozenset({RequestState.PROPOSED, RequestState.APPROVED, RequestState.SIGNING})


@dataclass(frozen=True, slots=True)
class SigningAttempt:
    """One protocol session for a request. Its nonces are consumed once `share_released`."""

    session: SessionId
    signers: tuple[MemberId, ...]
    coordinator: MemberId
    started_ms: int
    share_released: bool = False
    failure: str = ""
    unreachable: tuple[MemberId, ...] = ()
    blamed: tuple[MemberId, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningRequest:
    proposal: RequestProposed
    policy: Policy
    approvals: tuple[RequestApproved, ...] = ()
    denial: RequestDenied | None = None
    withdrawal: RequestWithdrawn | None = None
    attempts: tuple[SigningAttempt, ...] = ()
    signatures: tuple[RequestSigned, ...] = ()
    """More than one only if a leader died with a signature that the others did not have: the
    chain takes one of them, which is known once it is confirmed."""
    broadcast: TransactionBroadcast | None = None
    refused: TransactionRefused | None = None
    """Why the chain's node refuses it, until it accepts it."""
    confirmed: TransactionConfirmed | None = None
    failed: TransactionFailed | None = None

    @property
    def signed(self) -> RequestSigned | None:
        """The signature that the chain confirmed or received, else the first known."""
        chosen = self.confirmed or self.broadcast
        for signature in self.signatures:
            if chosen is None or signature.transaction_id == chosen.transaction_id:
                return signature
        return None

    @property
    def running(self) -> SigningAttempt | None:
        if self.signed or not self.attempts or self.attempts[-1].failure:
            return None
        return self.attempts[-1]

    @property
    def may_be_taken_back(self) -> bool:
        """Whether the chain can undo what ended it: a young block, its own or another's."""
        if self.confirmed:
            return not self.confirmed.settled
        return self.failed is not None and self.failed.reason.startswith(REPLACED)

    @property
    def has_quorum(self) -> bool:
        return len(self.approvals) >= self.policy.approvals_needed

    @property
    def state(self) -> RequestState:
        # A signature outweighs a denial that came too late: the bytes can move the funds.
        if self.confirmed:
            return RequestState.CONFIRMED
        if self.failed:
            return RequestState.FAILED
        if self.refused:
            return RequestState.REFUSED
        if self.broadcast:
            return RequestState.BROADCAST
        if self.signed:
            return RequestState.SIGNED
        if self.denial:
            return RequestState.DENIED
        if self.withdrawal:
            return RequestState.WITHDRAWN
        if self.running:
            return RequestState.SIGNING
        return RequestState.APPROVED if self.has_quorum else RequestState.PROPOSED


def decide(
    state: SigningRequest | None, command: RequestCommand, policy: Policy
) -> tuple[Event, ...]:
    """Return the events that a command causes; () if they are already recorded.

    Raises: AlreadyDecided, Conflict, Expired, NotYetPossible, PolicyViolation, UnknownMember.
    """
    match command:
        case Propose(proposal):
            return _propose(state, proposal, policy)
        case Approve() | Deny() | Withdraw():
            return _decision(_known(state), command)
        case StartSession() | ReleaseShare() | FailSession() | RecordSignature():
            return _session(_known(state), command)
        case _:
            return chain_step(_known(state), command)


def evolve(state: SigningRequest | None, event: Event, policy: Policy) -> SigningRequest | None:
    """Return the state after one event; `policy` is the wallet's at the proposal."""
    match event:
        case RequestProposed():
            return SigningRequest(event, policy)
        case _ if state is None:
            return None
        case RequestApproved():
            return replace(state, approvals=(*state.approvals, event))
        case RequestDenied():
            return replace(state, denial=event)
        case RequestWithdrawn():
            return replace(state, withdrawal=event)
        case SigningSessionStarted(session=session, signers=signers, coordinator=lead, at_ms=at):
            attempt = SigningAttempt(session, signers, lead, at)
            return replace(state, attempts=(*state.attempts, attempt))
        case SignatureShareReleased(session=session):
            return _update(state, session, share_released=True)
        case SigningSessionFailed(
            session=session, reason=reason, unreachable=unreachable, blamed=blamed
        ):
            failure = reason or UNEXPLAINED
            return _update(state, session, failure=failure, unreachable=unreachable, blamed=blamed)
        case RequestSigned():
            return replace(state, signatures=(*state.signatures, event))
        case TransactionBroadcast():
            return replace(state, broadcast=event, refused=None)
        case TransactionRefused():
            return replace(state, refused=event)
        case TransactionConfirmed():
            return replace(state, confirmed=event)
        case TransactionFailed():
            return replace(state, failed=event)
        case TransactionTakenBack():
            return replace(state, confirmed=None, failed=None)
        case _:
            return state


def _update(state: SigningRequest, session: SessionId, **changes: object) -> SigningRequest:
    attempts = tuple(
        replace(a, **changes) if a.session == session else a  # type: ignore[arg-type]
        for a in state.attempts
    )
    return replace(state, attempts=attempts)


def _propose(
    state: SigningRequest | None, proposal: RequestProposed, policy: Policy
) -> tuple[Event, ...]:
    if state is not None:
        if state.proposal.evidence.body != proposal.evidence.body:
            raise Conflict("another request was made under the same id")
        return ()
    if proposal.proposer not in policy.quorum.custodians:
        raise UnknownMember(f"{proposal.proposer} is not a custodian of this wallet")
    if proposal.policy_version != policy.version:
        raise PolicyViolation("the request was made under another version of the policy")
    return (proposal,)


def _decision(state: SigningRequest, command: Decision) -> tuple[Event, ...]:
    request, proposal = state.proposal.request, state.proposal
    match command:
        case Approve(member=member, intent_digest=digest, at_ms=at_ms, evidence=evidence):
            if any(a.member == member for a in state.approvals):
                return ()
            _undecided(state, at_ms)
            blocked = may_approve(state.policy, member, proposal.proposer)
            if blocked:
                raise PolicyViolation(blocked)
            if digest != proposal.intent_digest:
                raise Conflict("the approval is for another intent than this request's")
            return (
                RequestApproved(
                    request=request,
                    member=member,
                    intent_digest=digest,
                    at_ms=at_ms,
                    evidence=evidence,
                ),
            )
        case Deny(member=member, reason=reason, at_ms=at_ms, evidence=evidence):
            if member not in state.policy.quorum.custodians:
                raise UnknownMember(f"{member} is not a custodian of this wallet")
            if state.denial:
                return ()
            _undecided(state, at_ms)
            return (
                RequestDenied(
                    request=request, member=member, reason=reason, at_ms=at_ms, evidence=evidence
                ),
            )
        case Withdraw(member, at_ms, evidence):
            if member != proposal.proposer:
                raise PolicyViolation("only the member who made a request can withdraw it")
            if state.withdrawal:
                return ()
            _undecided(state, at_ms)
            return (
                RequestWithdrawn(request=request, member=member, at_ms=at_ms, evidence=evidence),
            )
        case _:
            assert_never(command)


def _session(state: SigningRequest, command: SessionStep) -> tuple[Event, ...]:
    request = state.proposal.request
    known = next((a for a in state.attempts if a.session == command.session), None)
    match command:
        case StartSession():
            _require_startable(state, command.at_ms)
            if known:
                raise AlreadyDecided("this session was used before")
            return (
                SigningSessionStarted(
                    request=request,
                    session=command.session,
                    signers=command.signers,
                    coordinator=command.coordinator,
                    at_ms=command.at_ms,
                ),
            )
        case ReleaseShare(session, at_ms):
            if known is None or known.failure or known.share_released:
                raise AlreadyDecided("this session releases no more shares")
            if state.denial or state.withdrawal:
                raise AlreadyDecided("the request was denied or withdrawn")
            return (SignatureShareReleased(request, session, at_ms),)
        case FailSession():
            if known is None or known.failure or state.signed:
                return ()
            return (
                SigningSessionFailed(
                    request=request,
                    session=command.session,
                    reason=command.reason,
                    unreachable=command.unreachable,
                    blamed=command.blamed,
                    at_ms=command.at_ms,
                ),
            )
        case RecordSignature():
            known_ids = {s.transaction_id for s in state.signatures}
            if command.transaction_id in known_ids or state.confirmed or state.failed:
                return ()
            if not state.has_quorum:
                raise NotYetPossible("the approvals are not complete")
            return (
                RequestSigned(
                    request=request,
                    session=command.session,
                    signers=command.signers,
                    signatures=command.signatures,
                    signed_transaction=command.signed_transaction,
                    transaction_id=command.transaction_id,
                    at_ms=command.at_ms,
                    evidence=command.evidence,
                ),
            )
        case _:
            assert_never(command)


def _require_startable(state: SigningRequest, at_ms: int) -> None:
    if state.state not in UNSIGNED:
        raise AlreadyDecided("the request is signed or over")
    if at_ms >= state.proposal.expires_at_ms:
        raise Expired("the request has expired; propose it again")
    if not state.has_quorum:
        raise NotYetPossible("the approvals are not complete")


def _known(state: SigningRequest | None) -> SigningRequest:
    if state is None:
        raise NotYetPossible("this request is not known here yet")
    return state


def _undecided(state: SigningRequest, at_ms: int) -> None:
    if state.state in OVER or state.signed:
        raise AlreadyDecided("the request is signed or over")
    if at_ms >= state.proposal.expires_at_ms:
        raise Expired("the request has expired; propose it again")
