"""Events of key ceremonies: the generation of keys, and changes of their shares."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event, Evidence, GroupKey
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.values import CeremonyPurpose, Quorum, SignatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyProposed(Event):
    NAME: ClassVar[str] = "key-ceremony.proposed.v1"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeProposed(Event):
    """A ceremony that gives the keys of a wallet new shares, in a new epoch.

    `previous` is the quorum of `from_epoch`. `dealers` are its members that deal in a reshare, ()
    for other purposes. `repaired` is the member that lost its share, "" for other purposes.
    """

    NAME: ClassVar[str] = "key-ceremony.change-proposed.v1"
    ceremony: CeremonyId
    wallet: WalletId
    wallet_name: str
    kinds: tuple[SignatureKind, ...]
    purpose: CeremonyPurpose
    from_epoch: int
    epoch: int
    previous: Quorum
    quorum: Quorum
    dealers: tuple[MemberId, ...]
    repaired: MemberId
    approvals_needed: int
    proposer: MemberId
    proposed_at_ms: int
    expires_at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyAccepted(Event):
    NAME: ClassVar[str] = "key-ceremony.accepted.v1"
    ceremony: CeremonyId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyDeclined(Event):
    NAME: ClassVar[str] = "key-ceremony.declined.v1"
    ceremony: CeremonyId
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class CeremonySessionStarted(Event):
    """This member takes part in one attempt; recorded before its first message leaves."""

    NAME: ClassVar[str] = "key-ceremony.session-started.v1"
    ceremony: CeremonyId
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonySessionFailed(Event):
    """An attempt ended without keys at the member that signed `evidence`: no member may use it."""

    NAME: ClassVar[str] = "key-ceremony.session-failed.v1"
    ceremony: CeremonyId
    session: SessionId
    reason: str
    blamed: tuple[MemberId, ...]
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyShareSealed(Event):
    """This member's shares of the attempt are sealed as pending; `code` is what people compare.

    `transcript` joins the 32-byte transcripts of all keys, in their order.
    """

    NAME: ClassVar[str] = "key-ceremony.share-sealed.v1"
    ceremony: CeremonyId
    session: SessionId
    keys: tuple[GroupKey, ...]
    transcript: bytes
    certificate_message: bytes
    code: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyCodeConfirmed(Event):
    """A custodian saw the same code as the others and signed the certificate message."""

    NAME: ClassVar[str] = "key-ceremony.code-confirmed.v1"
    ceremony: CeremonyId
    session: SessionId
    member: MemberId
    certificate_signature: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyCertified(Event):
    """The complete certificate as a peer passed it on; every signature of it was verified here.

    A member that took no part, or whose machine is new, thus learns the keys from all their
    custodians and not from one.
    """

    NAME: ClassVar[str] = "key-ceremony.certified.v1"
    ceremony: CeremonyId
    session: SessionId
    keys: tuple[GroupKey, ...]
    certificate_message: bytes
    signatures: tuple[tuple[MemberId, bytes], ...]
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyDisputed(Event):
    """The proposer has signed another ceremony under the same id; `evidence` is that one."""

    NAME: ClassVar[str] = "key-ceremony.disputed.v1"
    ceremony: CeremonyId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyAborted(Event):
    NAME: ClassVar[str] = "key-ceremony.aborted.v1"
    ceremony: CeremonyId
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence
