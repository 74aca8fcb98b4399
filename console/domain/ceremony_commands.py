"""Commands on a ceremony; each is built from a verified statement or a session."""

from dataclasses import dataclass

from console.domain.events import CeremonyCertified, Evidence, GroupKey, KeyChangeProposed
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.values import Quorum, SignatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    ceremony: CeremonyId
    wallet: WalletId
    wallet_name: str
    kinds: tuple[SignatureKind, ...]
    quorum: Quorum
    approvals_needed: int
    proposer: MemberId
    proposed_at_ms: int
    expires_at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ProposeChange:
    """The event is built, and its evidence verified, by the caller."""

    proposal: KeyChangeProposed


@dataclass(frozen=True, slots=True)
class Accept:
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Dispute:
    """The proposer's signature under another proposal of this id, verified by the caller."""

    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class StartSession:
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailSession:
    """A member ended the session without keys, so no member's keys of it count.

    Nothing is recorded if `unless_confirmed_by` has certified the session's keys meanwhile.
    """

    session: SessionId
    reason: str
    blamed: tuple[MemberId, ...]
    at_ms: int
    evidence: Evidence
    unless_confirmed_by: MemberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealShare:
    session: SessionId
    keys: tuple[GroupKey, ...]
    transcript: bytes
    certificate_message: bytes
    code: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCode:
    """`certificate_signature` was verified over the certificate message by the caller."""

    session: SessionId
    member: MemberId
    certificate_signature: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Certify:
    """Record a complete certificate; the caller has verified every signature of it."""

    certificate: CeremonyCertified


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


CeremonyCommand = (
    Propose
    | ProposeChange
    | Dispute
    | Accept
    | Decline
    | StartSession
    | FailSession
    | SealShare
    | ConfirmCode
    | Certify
    | Abort
)
