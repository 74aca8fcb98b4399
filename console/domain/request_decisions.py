"""What a command on a signing request records, or why it is refused."""

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
    Evidence,
    RequestApproved,
    RequestDenied,
    RequestDisputed,
    RequestProposed,
    RequestSigned,
    RequestWithdrawn,
    SignatureShareReleased,
    SigningSessionFailed,
    SigningSessionStarted,
)
from console.domain.policy import Policy, may_approve
from console.domain.request_chain import chain_step
from console.domain.request_commands import (
    Approve,
    Decision,
    Deny,
    Dispute,
    FailSession,
    Propose,
    RecordSignature,
    ReleaseShare,
    RequestCommand,
    SessionStep,
    StartSession,
    Withdraw,
)
from console.domain.signing_request import OVER, UNSIGNED, SigningRequest
from console.domain.times import require_during

_EXPIRED = "the request has expired; propose it again"


def decide(
    state: SigningRequest | None, command: RequestCommand, policy: Policy
) -> tuple[Event, ...]:
    """Return the events that a command causes; () if they are already recorded.

    Raises: AlreadyDecided, Conflict, Expired, NotYetPossible, PolicyViolation, UnknownMember.
    """
    match command:
        case Propose(proposal):
            return _propose(state, proposal, policy)
        case Dispute(at_ms, evidence):
            return _dispute(_known(state), at_ms, evidence)
        case Approve() | Deny() | Withdraw():
            return _decision(_known(state), command)
        case StartSession() | ReleaseShare() | FailSession() | RecordSignature():
            return _session(_known(state), command)
        case _:
            return chain_step(_known(state), command)


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


def _dispute(state: SigningRequest, at_ms: int, evidence: Evidence) -> tuple[Event, ...]:
    if state.disputed or evidence.body == state.proposal.evidence.body:
        return ()
    proposer = state.proposal.proposer
    if evidence.signer != proposer:
        raise Conflict("another member made a request under the same id")
    return (
        RequestDisputed(
            request=state.proposal.request, member=proposer, at_ms=at_ms, evidence=evidence
        ),
    )


def _decision(state: SigningRequest, command: Decision) -> tuple[Event, ...]:
    """Record what members decided, in whatever order it arrives.

    Approvals are recorded beside a denial, which outweighs them, and both beside a signature,
    which outweighs everything: ledgers that received them in other orders end alike.
    """
    request, proposal = state.proposal.request, state.proposal
    match command:
        case Approve(member=member, intent_digest=digest, at_ms=at_ms, evidence=evidence):
            if any(a.member == member for a in state.approvals):
                return ()
            _in_time(state, at_ms)
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
            if member not in state.policy.quorum.custodians and not command.is_later_custodian:
                raise UnknownMember(f"{member} is not a custodian of this wallet")
            if any(d.member == member for d in state.denials):
                return ()
            _in_time(state, at_ms)
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
            _in_time(state, at_ms)
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
            if state.denials or state.withdrawal or state.disputed:
                raise AlreadyDecided("the request was denied or withdrawn")
            if at_ms >= state.proposal.expires_at_ms:
                raise Expired(_EXPIRED)
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
        raise Expired(_EXPIRED)
    if not state.has_quorum:
        raise NotYetPossible("the approvals are not complete")


def _known(state: SigningRequest | None) -> SigningRequest:
    if state is None:
        raise NotYetPossible("this request is not known here yet")
    return state


def _in_time(state: SigningRequest, at_ms: int) -> None:
    proposal = state.proposal
    require_during(at_ms, proposal.proposed_at_ms, proposal.expires_at_ms, _EXPIRED)


def require_undecided(state: SigningRequest, at_ms: int) -> None:
    """Check that a decision still decides something here. Raises: AlreadyDecided, Expired."""
    if state.state in OVER or state.signed:
        raise AlreadyDecided("the request is signed or over")
    if at_ms >= state.proposal.expires_at_ms:
        raise Expired(_EXPIRED)
