"""KeyCeremony: who proposed, accepted, saw which code; keys exist only when all have certified."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from console.domain.errors import AlreadyDecided, Conflict, Expired, NotYetPossible, UnknownMember
from console.domain.events import (
    CeremonyAborted,
    CeremonyAccepted,
    CeremonyCodeConfirmed,
    CeremonyDeclined,
    CeremonyProposed,
    CeremonySessionFailed,
    CeremonySessionStarted,
    CeremonyShareSealed,
    Event,
    Evidence,
    GroupKey,
)
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.values import Quorum, SignatureKind


class CeremonyState(StrEnum):
    """Where a ceremony stands, derived from its events alone."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    RUNNING = "running"
    SEALED = "sealed"
    CERTIFIED = "certified"
    DECLINED = "declined"
    ABORTED = "aborted"


UNEXPLAINED = "no reason was given"
OVER = frozenset({CeremonyState.CERTIFIED, CeremonyState.DECLINED, CeremonyState.ABORTED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One protocol run of a ceremony, as this member recorded it."""

    session: SessionId
    started_ms: int
    failure: str = ""
    blamed: tuple[MemberId, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyCeremony:
    """A key generation in the making."""

    proposal: CeremonyProposed
    accepted: tuple[CeremonyAccepted, ...] = ()
    declined: CeremonyDeclined | None = None
    aborted: CeremonyAborted | None = None
    attempts: tuple[Attempt, ...] = ()
    sealed: CeremonyShareSealed | None = None
    confirmations: tuple[CeremonyCodeConfirmed, ...] = ()

    @property
    def quorum(self) -> Quorum:
        return self.proposal.quorum

    @property
    def has_all_acceptances(self) -> bool:
        return {event.member for event in self.accepted} == set(self.quorum.custodians)

    @property
    def running(self) -> Attempt | None:
        """The attempt under way, if the newest one has neither failed nor sealed."""
        if not self.attempts or self.attempts[-1].failure:
            return None
        newest = self.attempts[-1]
        return None if self.sealed and self.sealed.session == newest.session else newest

    @property
    def certifying(self) -> tuple[CeremonyCodeConfirmed, ...]:
        """The confirmations of the attempt whose share this member has sealed."""
        if self.sealed is None:
            return ()
        return tuple(c for c in self.confirmations if c.session == self.sealed.session)

    def has_confirmed(self, member: MemberId) -> bool:
        """Tell whether a member has certified the keys that this member has sealed."""
        return any(c.member == member for c in self.certifying)

    @property
    def state(self) -> CeremonyState:
        # A full certificate outweighs a cancellation: all have signed, so the keys exist.
        if {c.member for c in self.certifying} == set(self.quorum.custodians):
            return CeremonyState.CERTIFIED
        if self.declined:
            return CeremonyState.DECLINED
        if self.aborted:
            return CeremonyState.ABORTED
        if self.sealed:
            return CeremonyState.SEALED
        if self.running:
            return CeremonyState.RUNNING
        return CeremonyState.ACCEPTED if self.has_all_acceptances else CeremonyState.PROPOSED


@dataclass(frozen=True, slots=True)
class Propose:
    ceremony: CeremonyId
    wallet: WalletId
    wallet_name: str
    kinds: tuple[SignatureKind, ...]
    quorum: Quorum
    approvals_needed: int
    proposer: MemberId
    at_ms: int
    expires_at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Accept:
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Decline:
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class StartSession:
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True)
class FailSession:
    """A member ended the session without keys, so that nobody's keys of it count."""

    session: SessionId
    reason: str
    blamed: tuple[MemberId, ...]
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SealShare:
    session: SessionId
    keys: tuple[GroupKey, ...]
    transcript: bytes
    certificate_message: bytes
    code: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class ConfirmCode:
    """`certificate_signature` was verified over the certificate message by the caller."""

    session: SessionId
    member: MemberId
    certificate_signature: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Abort:
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


CeremonyCommand = (
    Propose | Accept | Decline | StartSession | FailSession | SealShare | ConfirmCode | Abort
)


def decide(state: KeyCeremony | None, command: CeremonyCommand) -> tuple[Event, ...]:
    """Decide on a ceremony; () when the fact is already recorded.

    Raises: AlreadyDecided, Conflict, Expired, NotYetPossible, UnknownMember.
    """
    match command:
        case Propose():
            return _propose(state, command)
        case Accept() | Decline() | Abort():
            return _answer(_known(state), command)
        case StartSession() | FailSession() | SealShare():
            return _session(_known(state), command)
        case ConfirmCode():
            return _confirm(_known(state), command)
        case _:
            assert_never(command)


def evolve(state: KeyCeremony | None, event: Event) -> KeyCeremony | None:
    """Fold one event of a ceremony's stream."""
    match event:
        case CeremonyProposed():
            return KeyCeremony(event)
        case _ if state is None:
            return None
        case CeremonyAccepted():
            return replace(state, accepted=(*state.accepted, event))
        case CeremonyDeclined():
            return replace(state, declined=event)
        case CeremonyAborted():
            return replace(state, aborted=event)
        case CeremonySessionStarted(session=session, at_ms=at_ms):
            return replace(state, attempts=(*state.attempts, Attempt(session, at_ms)))
        case CeremonySessionFailed(session=session, reason=reason, blamed=blamed):
            failed = tuple(
                replace(a, failure=reason or UNEXPLAINED, blamed=blamed)
                if a.session == session
                else a
                for a in state.attempts
            )
            undone = state.sealed is not None and state.sealed.session == session
            return replace(state, attempts=failed, sealed=None if undone else state.sealed)
        case CeremonyShareSealed():
            return replace(state, sealed=event)
        case CeremonyCodeConfirmed():
            return replace(state, confirmations=(*state.confirmations, event))
        case _:
            return state


def _propose(state: KeyCeremony | None, command: Propose) -> tuple[Event, ...]:
    proposed = CeremonyProposed(
        command.ceremony,
        command.wallet,
        command.wallet_name,
        command.kinds,
        command.quorum,
        command.approvals_needed,
        command.proposer,
        command.at_ms,
        command.expires_at_ms,
        command.evidence,
    )
    if state is not None:
        if state.proposal.evidence.body != command.evidence.body:
            raise Conflict("another ceremony was proposed under the same id")
        return ()
    if command.proposer not in command.quorum.custodians:
        raise UnknownMember(f"{command.proposer} proposes a wallet it would hold no share of")
    return (proposed,)


def _answer(state: KeyCeremony, command: Accept | Decline | Abort) -> tuple[Event, ...]:
    _custodian(state, command.member)
    ceremony = state.proposal.ceremony
    has_accepted = any(event.member == command.member for event in state.accepted)
    match command:
        case Accept(member, at_ms, evidence):
            if has_accepted:
                return ()
            _open(state, at_ms)
            return (CeremonyAccepted(ceremony, member, at_ms, evidence),)
        case Decline(member, reason, at_ms, evidence):
            if state.declined and state.declined.member == member:
                return ()
            _open(state, at_ms)
            if has_accepted:
                raise AlreadyDecided(f"{member} has accepted this ceremony; cancel it instead")
            return (CeremonyDeclined(ceremony, member, reason, at_ms, evidence),)
        case Abort(member, reason, at_ms, evidence):
            if state.aborted:
                return ()
            if state.state in OVER:
                raise AlreadyDecided("the ceremony is over")
            return (CeremonyAborted(ceremony, member, reason, at_ms, evidence),)
        case _:
            assert_never(command)


def _session(
    state: KeyCeremony, command: StartSession | FailSession | SealShare
) -> tuple[Event, ...]:
    ceremony = state.proposal.ceremony
    known = next((a for a in state.attempts if a.session == command.session), None)
    match command:
        case StartSession(session, at_ms):
            _open(state, at_ms)
            if known or state.running or state.sealed:
                raise AlreadyDecided("a session of this ceremony is under way or was used before")
            if not state.has_all_acceptances:
                raise NotYetPossible("not every custodian has accepted")
            return (CeremonySessionStarted(ceremony, session, at_ms),)
        case FailSession(session, reason, blamed, at_ms, evidence):
            if known is None or known.failure or state.state is CeremonyState.CERTIFIED:
                return ()
            return (CeremonySessionFailed(ceremony, session, reason, blamed, at_ms, evidence),)
        case SealShare(session, keys, transcript, message, code, at_ms):
            if known is None or known.failure or state.sealed:
                raise NotYetPossible("only the session under way can end with shares")
            return (CeremonyShareSealed(ceremony, session, keys, transcript, message, code, at_ms),)
        case _:
            assert_never(command)


def _confirm(state: KeyCeremony, command: ConfirmCode) -> tuple[Event, ...]:
    _custodian(state, command.member)
    for earlier in state.confirmations:
        if (earlier.member, earlier.session) == (command.member, command.session):
            return ()
    if state.sealed is None or state.sealed.session != command.session:
        raise NotYetPossible("this member has sealed no share of that session")
    return (
        CeremonyCodeConfirmed(
            state.proposal.ceremony,
            command.session,
            command.member,
            command.certificate_signature,
            command.at_ms,
            command.evidence,
        ),
    )


def _known(state: KeyCeremony | None) -> KeyCeremony:
    if state is None:
        raise NotYetPossible("this ceremony is not known here yet")
    return state


def _custodian(state: KeyCeremony, member: MemberId) -> None:
    if member not in state.quorum.custodians:
        raise UnknownMember(f"{member} is not a custodian of this ceremony")


def _open(state: KeyCeremony, at_ms: int) -> None:
    if state.state in OVER:
        raise AlreadyDecided("the ceremony is over")
    if at_ms >= state.proposal.expires_at_ms:
        raise Expired("the ceremony's time is over; propose it again")
