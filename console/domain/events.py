"""Everything that can be recorded in a ledger, under names that never change.

Secrets never appear here. A member's decision keeps the signed statement that proves it.
"""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.ids import CeremonyId, MemberId, RequestId, SessionId, WalletId
from console.domain.values import Chain, Network, Quorum, SignatureKind


@dataclass(frozen=True, slots=True)
class Evidence:
    """A member's signed statement: canonical body, signer, 64-byte P-256 signature."""

    kind: str
    body: bytes
    signer: MemberId
    signature: bytes


@dataclass(frozen=True, slots=True)
class GroupKey:
    """One group key of a wallet: the kind, the public key package as the protocol encodes it."""

    kind: SignatureKind
    public_key: bytes
    package: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. `NAME` is its stable name in every ledger, never a class path."""

    NAME: ClassVar[str] = ""


# A member


@dataclass(frozen=True, slots=True)
class MemberEnrolled(Event):
    """A member is part of this vault: identity key (65 bytes) and TLS pin (SHA-256 of SPKI)."""

    NAME: ClassVar[str] = "member.enrolled.v1"
    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    address: str


@dataclass(frozen=True, slots=True)
class VaultUnlocked(Event):
    """The operator logged in to the vault and the ledger was verified up to `verified_to`."""

    NAME: ClassVar[str] = "member.vault-unlocked.v1"
    member: MemberId
    at_ms: int
    verified_to: int


@dataclass(frozen=True, slots=True)
class PeerHeadSeen(Event):
    """A peer's signed ledger head, so that a rolled back ledger is found out by others."""

    NAME: ClassVar[str] = "member.peer-head-seen.v1"
    member: MemberId
    sequence: int
    hash: bytes
    signed_at_ms: int
    evidence: Evidence


# Key ceremony


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class CeremonyAccepted(Event):
    NAME: ClassVar[str] = "key-ceremony.accepted.v1"
    ceremony: CeremonyId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class CeremonySessionFailed(Event):
    """An attempt ended without keys at the member who signed `evidence`: nobody may use it."""

    NAME: ClassVar[str] = "key-ceremony.session-failed.v1"
    ceremony: CeremonyId
    session: SessionId
    reason: str
    blamed: tuple[MemberId, ...]
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class CeremonyShareSealed(Event):
    """This member's shares of the attempt are sealed as pending; `code` is what people compare."""

    NAME: ClassVar[str] = "key-ceremony.share-sealed.v1"
    ceremony: CeremonyId
    session: SessionId
    keys: tuple[GroupKey, ...]
    transcript: bytes
    certificate_message: bytes
    code: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CeremonyCodeConfirmed(Event):
    """A custodian saw the same code as the others and signed the certificate message."""

    NAME: ClassVar[str] = "key-ceremony.code-confirmed.v1"
    ceremony: CeremonyId
    session: SessionId
    member: MemberId
    certificate_signature: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class CeremonyAborted(Event):
    NAME: ClassVar[str] = "key-ceremony.aborted.v1"
    ceremony: CeremonyId
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


# Wallet


@dataclass(frozen=True, slots=True)
class WalletActivated(Event):
    """All custodians certified the keys; from now on the wallet can sign.

    `certificate` holds one signature per share index over `certificate_message`.
    """

    NAME: ClassVar[str] = "wallet.activated.v1"
    wallet: WalletId
    name: str
    ceremony: CeremonyId
    quorum: Quorum
    approvals_needed: int
    keys: tuple[GroupKey, ...]
    epoch: int
    certificate_message: bytes
    certificate: tuple[tuple[int, bytes], ...]
    at_ms: int


# Signing request


@dataclass(frozen=True, slots=True)
class RequestProposed(Event):
    """What a human asked for: the unsigned bytes, and the limits under which they were shown."""

    NAME: ClassVar[str] = "signing-request.proposed.v1"
    request: RequestId
    wallet: WalletId
    epoch: int
    kind: SignatureKind
    chain: Chain
    network: Network
    path: str
    transaction: bytes
    fee_ceiling: int
    note: str
    policy_version: int
    proposer: MemberId
    proposed_at_ms: int
    expires_at_ms: int
    intent_digest: bytes
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RequestApproved(Event):
    NAME: ClassVar[str] = "signing-request.approved.v1"
    request: RequestId
    member: MemberId
    intent_digest: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RequestDenied(Event):
    NAME: ClassVar[str] = "signing-request.denied.v1"
    request: RequestId
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RequestWithdrawn(Event):
    NAME: ClassVar[str] = "signing-request.withdrawn.v1"
    request: RequestId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SigningSessionStarted(Event):
    """This member takes part in one attempt; recorded before its first message leaves."""

    NAME: ClassVar[str] = "signing-request.session-started.v1"
    request: RequestId
    session: SessionId
    signers: tuple[MemberId, ...]
    coordinator: MemberId
    at_ms: int


@dataclass(frozen=True, slots=True)
class SignatureShareReleased(Event):
    """From here on the attempt's nonces count as used; recorded before the share leaves."""

    NAME: ClassVar[str] = "signing-request.share-released.v1"
    request: RequestId
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True)
class SigningSessionFailed(Event):
    NAME: ClassVar[str] = "signing-request.session-failed.v1"
    request: RequestId
    session: SessionId
    reason: str
    unreachable: tuple[MemberId, ...]
    blamed: tuple[MemberId, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class RequestSigned(Event):
    """The signatures, one a payload, verified by this member, and the bytes to broadcast."""

    NAME: ClassVar[str] = "signing-request.signed.v1"
    request: RequestId
    session: SessionId
    signers: tuple[MemberId, ...]
    signatures: tuple[bytes, ...]
    signed_transaction: bytes
    transaction_id: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class TransactionBroadcast(Event):
    NAME: ClassVar[str] = "signing-request.broadcast.v1"
    request: RequestId
    transaction_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TransactionConfirmed(Event):
    NAME: ClassVar[str] = "signing-request.confirmed.v1"
    request: RequestId
    transaction_id: str
    block: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class TransactionFailed(Event):
    """The chain refused it for good; the request is over and the funds did not move."""

    NAME: ClassVar[str] = "signing-request.failed.v1"
    request: RequestId
    reason: str
    at_ms: int


EVENT_TYPES: tuple[type[Event], ...] = (
    MemberEnrolled,
    VaultUnlocked,
    PeerHeadSeen,
    CeremonyProposed,
    CeremonyAccepted,
    CeremonyDeclined,
    CeremonySessionStarted,
    CeremonySessionFailed,
    CeremonyShareSealed,
    CeremonyCodeConfirmed,
    CeremonyAborted,
    WalletActivated,
    RequestProposed,
    RequestApproved,
    RequestDenied,
    RequestWithdrawn,
    SigningSessionStarted,
    SignatureShareReleased,
    SigningSessionFailed,
    RequestSigned,
    TransactionBroadcast,
    TransactionConfirmed,
    TransactionFailed,
)
