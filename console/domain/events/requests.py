"""Events of signing requests, from the proposal to the chain's status."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event, Evidence
from console.domain.ids import MemberId, RequestId, SessionId, WalletId
from console.domain.values import Chain, Network, SignatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestProposed(Event):
    """The unsigned bytes that an operator asked to sign, and the limits they were shown with."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproved(Event):
    NAME: ClassVar[str] = "signing-request.approved.v1"
    request: RequestId
    member: MemberId
    intent_digest: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDenied(Event):
    NAME: ClassVar[str] = "signing-request.denied.v1"
    request: RequestId
    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDisputed(Event):
    """The proposer has signed another request under the same id; `evidence` is that one."""

    NAME: ClassVar[str] = "signing-request.disputed.v1"
    request: RequestId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn(Event):
    NAME: ClassVar[str] = "signing-request.withdrawn.v1"
    request: RequestId
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """The attempt's nonces are consumed; recorded before the share leaves."""

    NAME: ClassVar[str] = "signing-request.share-released.v1"
    request: RequestId
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSessionFailed(Event):
    NAME: ClassVar[str] = "signing-request.session-failed.v1"
    request: RequestId
    session: SessionId
    reason: str
    unreachable: tuple[MemberId, ...]
    blamed: tuple[MemberId, ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSigned(Event):
    """The signatures, one per payload, verified by this member, and the bytes to broadcast."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionConfirmed(Event):
    """The chain has it. Recorded again when it moves to another block, and when it is settled."""

    NAME: ClassVar[str] = "signing-request.confirmed.v1"
    request: RequestId
    transaction_id: str
    block: int
    at_ms: int
    settled: bool = True
    """Whether the chain can no longer take it back."""


@dataclass(frozen=True, slots=True)
class TransactionTakenBack(Event):
    """What the chain had confirmed, for this request or in its place, it has no longer."""

    NAME: ClassVar[str] = "signing-request.taken-back.v1"
    request: RequestId
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TransactionRefused(Event):
    """The chain's node refuses it now; the signed bytes stay valid until they are replaced."""

    NAME: ClassVar[str] = "signing-request.refused.v1"
    request: RequestId
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TransactionFailed(Event):
    """It was executed and failed, or never can be executed; the funds did not move."""

    NAME: ClassVar[str] = "signing-request.failed.v1"
    request: RequestId
    reason: str
    at_ms: int
