"""Commands on a signing request, each built from a verified statement, session or chain status."""

from dataclasses import dataclass, field

from console.domain.events import Evidence, RequestProposed
from console.domain.ids import MemberId, SessionId


@dataclass(frozen=True, slots=True)
class Propose:
    """A frozen intent; the proposal event is built and its evidence verified by the caller."""

    proposal: RequestProposed


@dataclass(frozen=True, slots=True)
class Dispute:
    """The proposer's signature under another proposal of this id, verified by the caller."""

    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    member: MemberId
    intent_digest: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """`is_later_custodian`: the caller found the member among the custodians of a later epoch."""

    member: MemberId
    reason: str
    at_ms: int
    evidence: Evidence
    is_later_custodian: bool = False


@dataclass(frozen=True, slots=True)
class Withdraw:
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    session: SessionId
    signers: tuple[MemberId, ...]
    coordinator: MemberId
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReleaseShare:
    session: SessionId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailSession:
    session: SessionId
    reason: str
    unreachable: tuple[MemberId, ...]
    blamed: tuple[MemberId, ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSignature:
    """The signatures, one per payload, were verified under the group key by the caller."""

    session: SessionId
    signers: tuple[MemberId, ...]
    signatures: tuple[bytes, ...]
    signed_transaction: bytes
    transaction_id: str
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RecordBroadcast:
    transaction_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RecordConfirmation:
    transaction_id: str
    block: int
    at_ms: int
    settled: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class RecordTakenBack:
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RecordFailure:
    reason: str
    at_ms: int


Decision = Approve | Deny | Withdraw
SessionStep = StartSession | ReleaseShare | FailSession | RecordSignature
ChainStep = RecordBroadcast | RecordConfirmation | RecordTakenBack | RecordRefusal | RecordFailure
RequestCommand = Propose | Dispute | Decision | SessionStep | ChainStep
