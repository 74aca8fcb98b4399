"""KeyCeremony: proposal, acceptances, sessions, codes; keys exist only when all have certified."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from console.domain.events import (
    CeremonyAborted,
    CeremonyAccepted,
    CeremonyCertified,
    CeremonyCodeConfirmed,
    CeremonyDeclined,
    CeremonyDisputed,
    CeremonyProposed,
    CeremonySessionFailed,
    CeremonySessionStarted,
    CeremonyShareSealed,
    Event,
    KeyChangeProposed,
)
from console.domain.ids import MemberId, SessionId
from console.domain.values import CeremonyPurpose, Quorum


class CeremonyState(StrEnum):
    """A ceremony's state, derived from its events alone."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    RUNNING = "running"
    SEALED = "sealed"
    CERTIFIED = "certified"
    DECLINED = "declined"
    ABORTED = "aborted"


FIRST_EPOCH = 0
UNEXPLAINED = "no reason was given"
OVER = frozenset({CeremonyState.CERTIFIED, CeremonyState.DECLINED, CeremonyState.ABORTED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One protocol session of a ceremony, as this member recorded it."""

    session: SessionId
    started_ms: int
    failure: str = ""
    blamed: tuple[MemberId, ...] = ()

    def ended(self, reason: str, blamed: tuple[MemberId, ...]) -> "Attempt":
        """Return the attempt after one more report: whoever anybody blames is blamed."""
        failure = reason if blamed else self.failure or reason
        names = tuple(sorted({*self.blamed, *blamed}))
        return replace(self, failure=failure or UNEXPLAINED, blamed=names)


@dataclass(frozen=True, slots=True)
class KeyCeremony:
    """A key generation, or a change of a wallet's shares."""

    proposal: CeremonyProposed | KeyChangeProposed
    accepted: tuple[CeremonyAccepted, ...] = ()
    declines: tuple[CeremonyDeclined, ...] = ()
    aborts: tuple[CeremonyAborted, ...] = ()
    disputed: CeremonyDisputed | None = None
    attempts: tuple[Attempt, ...] = ()
    sealed: CeremonyShareSealed | None = None
    confirmations: tuple[CeremonyCodeConfirmed, ...] = ()
    certified: CeremonyCertified | None = None

    @property
    def declined(self) -> CeremonyDeclined | None:
        """The refusal that counts: the first by its date, in whatever order they arrived."""
        return min(self.declines, key=lambda d: (d.at_ms, d.member), default=None)

    @property
    def aborted(self) -> CeremonyAborted | None:
        """The cancellation that counts, likewise."""
        return min(self.aborts, key=lambda a: (a.at_ms, a.member), default=None)

    @property
    def quorum(self) -> Quorum:
        """The custodians that hold shares afterwards, with the threshold."""
        return self.proposal.quorum

    @property
    def purpose(self) -> CeremonyPurpose:
        match self.proposal:
            case CeremonyProposed():
                return CeremonyPurpose.GENERATE
            case KeyChangeProposed(purpose=purpose):
                return purpose

    @property
    def epoch(self) -> int:
        """The epoch that begins."""
        match self.proposal:
            case CeremonyProposed():
                return FIRST_EPOCH
            case KeyChangeProposed(epoch=epoch):
                return epoch

    @property
    def indices(self) -> dict[MemberId, int]:
        """The share index of each participant; all of them accept and certify."""
        indices = {member: index for index, member in self.quorum.shares}
        match self.proposal:
            case KeyChangeProposed(previous=previous, dealers=dealers):
                indices |= {member: previous.index_of(member) for member in dealers}
            case CeremonyProposed():
                pass
        return indices

    @property
    def participants(self) -> tuple[MemberId, ...]:
        """The participants, in the order of their share indices."""
        indices = self.indices
        return tuple(sorted(indices, key=indices.__getitem__))

    @property
    def has_all_acceptances(self) -> bool:
        return {event.member for event in self.accepted} == set(self.participants)

    @property
    def running(self) -> Attempt | None:
        """The newest attempt, if it has neither failed nor sealed shares."""
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
        """Return whether a member has certified the keys that this member has sealed."""
        return any(c.member == member for c in self.certifying)

    @property
    def certified_session(self) -> SessionId | None:
        """The session whose keys all have certified; None before that."""
        if self.certified:
            return self.certified.session
        return self.sealed.session if self.sealed and self._has_all_signatures else None

    @property
    def rank(self) -> tuple[int, bytes]:
        """Which of several certified changes counts: the highest epoch.

        Two changes by disjoint custodians may take one epoch; a digest decides, alike everywhere.
        """
        whole = self.certified or self.sealed
        return rank_of(self.epoch, whole.certificate_message if whole else b"")

    @property
    def _has_all_signatures(self) -> bool:
        return {c.member for c in self.certifying} == set(self.participants)

    @property
    def state(self) -> CeremonyState:
        # A full certificate outweighs a cancellation: all have signed, so the keys exist.
        if self.certified or self._has_all_signatures:
            return CeremonyState.CERTIFIED
        if self.declines:
            return CeremonyState.DECLINED
        if self.aborts or self.disputed:
            return CeremonyState.ABORTED
        if self.sealed:
            return CeremonyState.SEALED
        if self.running:
            return CeremonyState.RUNNING
        return CeremonyState.ACCEPTED if self.has_all_acceptances else CeremonyState.PROPOSED


def rank_of(epoch: int, certificate_message: bytes) -> tuple[int, bytes]:
    """Return the order in which certified changes of one wallet outweigh each other."""
    return epoch, hashlib.sha256(certificate_message).digest()


def evolve(state: KeyCeremony | None, event: Event) -> KeyCeremony | None:
    """Return the state after one event of a ceremony's stream."""
    match event:
        case CeremonyProposed() | KeyChangeProposed():
            return KeyCeremony(event)
        case _ if state is None:
            return None
        case CeremonyAccepted():
            return replace(state, accepted=(*state.accepted, event))
        case CeremonyDeclined():
            return replace(state, declines=(*state.declines, event))
        case CeremonyDisputed():
            return replace(state, disputed=event)
        case CeremonyAborted():
            return replace(state, aborts=(*state.aborts, event))
        case CeremonySessionStarted(session=session, at_ms=at_ms):
            return replace(state, attempts=(*state.attempts, Attempt(session, at_ms)))
        case CeremonySessionFailed(session=session, reason=reason, blamed=blamed):
            failed = tuple(
                a.ended(reason, blamed) if a.session == session else a for a in state.attempts
            )
            undone = state.sealed is not None and state.sealed.session == session
            return replace(state, attempts=failed, sealed=None if undone else state.sealed)
        case CeremonyShareSealed():
            return replace(state, sealed=event)
        case CeremonyCodeConfirmed():
            return replace(state, confirmations=(*state.confirmations, event))
        case CeremonyCertified():
            return replace(state, certified=event)
        case _:
            return state
