"""SigningRequest: an intent, its approvals, its signing attempts and its outcome."""

from dataclasses import dataclass, replace
from enum import StrEnum

from console.domain.events import (
    Event,
    RequestApproved,
    RequestDenied,
    RequestDisputed,
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
from console.domain.policy import Policy
from console.domain.request_chain import REPLACED


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
    denials: tuple[RequestDenied, ...] = ()
    disputed: RequestDisputed | None = None
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
    refusals: int = 0
    """How often a refusal was recorded."""
    takings_back: int = 0
    """How often the chain took back what it had confirmed."""

    @property
    def denial(self) -> RequestDenied | None:
        """The denial that counts: the first by its date, in whatever order they arrived."""
        return min(self.denials, key=lambda d: (d.at_ms, d.member), default=None)

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
    def has_released(self) -> bool:
        """Whether this member gave a share: a signature may exist that it does not know."""
        return any(attempt.share_released for attempt in self.attempts)

    def is_outdated(self, epoch: int) -> bool:
        """Return whether the wallet's shares, now of `epoch`, were changed before it was signed.

        The shares that its approvals were for are erased: nobody signs it any more.
        """
        return self.state in UNSIGNED and epoch > self.proposal.epoch

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
        if self.denials or self.disputed:
            return RequestState.DENIED
        if self.withdrawal:
            return RequestState.WITHDRAWN
        if self.running:
            return RequestState.SIGNING
        return RequestState.APPROVED if self.has_quorum else RequestState.PROPOSED


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
            return replace(state, denials=(*state.denials, event))
        case RequestDisputed():
            return replace(state, disputed=event)
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
        case _:
            return _after_chain(state, event)


def _after_chain(state: SigningRequest, event: Event) -> SigningRequest:
    """Return the state after what the chain did."""
    match event:
        case TransactionBroadcast():
            return replace(state, broadcast=event, refused=None)
        case TransactionRefused():
            return replace(state, refused=event, refusals=state.refusals + 1)
        case TransactionConfirmed():
            return replace(state, confirmed=event)
        case TransactionFailed():
            return replace(state, failed=event)
        case TransactionTakenBack():
            back = state.takings_back + 1
            return replace(state, confirmed=None, failed=None, takings_back=back)
        case _:
            return state


def _update(state: SigningRequest, session: SessionId, **changes: object) -> SigningRequest:
    attempts = tuple(
        replace(a, **changes) if a.session == session else a  # type: ignore[arg-type]
        for a in state.attempts
    )
    return replace(state, attempts=attempts)
