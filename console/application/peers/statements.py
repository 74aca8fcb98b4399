"""What members tell each other: the bodies of signed statements, each a closed shape."""

from typing import Annotated

import msgspec

from console.domain.ids import MEMBER_PATTERN
from console.domain.roster import MAX_DECISIONS, MAX_ROSTER
from console.domain.times import END_OF_TIME_MS
from console.domain.values import MAX_CUSTODIANS, MAX_LABEL, MAX_REASON

MAX_SIGNATURES = 100
"""Of one request: a Bitcoin transaction needs one for each coin that it spends."""

MAX_CERTIFIED_SESSIONS = 512
"""That an endorsement names: the newest of every wallet first, within a statement's size."""

Named = Annotated[str, msgspec.Meta(max_length=64)]
"""An id or a name from a closed set; what it must be is checked where it is used."""
CeremonyName = Annotated[str, msgspec.Meta(pattern=r"\Akc-[0-9a-f]{16}\Z")]
WalletName = Annotated[str, msgspec.Meta(pattern=r"\Awl-[0-9a-f]{16}\Z")]
RequestName = Annotated[str, msgspec.Meta(pattern=r"\Arq-[0-9a-f]{16}\Z")]
SessionName = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]
Note = Annotated[str, msgspec.Meta(max_length=MAX_REASON)]
Epoch = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Moment = Annotated[int, msgspec.Meta(ge=0, lt=END_OF_TIME_MS)]
Members = Annotated[tuple[Named, ...], msgspec.Meta(max_length=MAX_CUSTODIANS)]
Roster = Annotated[
    tuple[Annotated[str, msgspec.Meta(pattern=MEMBER_PATTERN)], ...],
    msgspec.Meta(max_length=MAX_ROSTER),
]


class Statement(
    msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True, array_like=False
):
    """The body of a statement; times are UTC milliseconds by the signer's clock."""

    at_ms: Moment


class CeremonyProposal(Statement, frozen=True, kw_only=True, tag="ceremony-proposal"):
    ceremony: CeremonyName
    wallet: WalletName
    wallet_name: Label
    kinds: tuple[Named, ...]
    threshold: int
    custodians: Members
    approvals_needed: int
    expires_at_ms: Moment


class CeremonyAcceptance(Statement, frozen=True, tag="ceremony-acceptance"):
    """`proposal` is the SHA-256 of the proposal's body: exactly that text is accepted."""

    ceremony: CeremonyName
    proposal: Digest


class CeremonyRefusal(Statement, frozen=True, tag="ceremony-refusal"):
    ceremony: CeremonyName
    reason: Reason


class CeremonyCancellation(Statement, frozen=True, tag="ceremony-cancellation"):
    ceremony: CeremonyName
    reason: Reason


class CodeConfirmation(Statement, frozen=True, kw_only=True, tag="code-confirmation"):
    """`certificate_signature` is over the certificate message of the session's keys."""

    ceremony: CeremonyName
    session: SessionName
    certificate_signature: bytes


class KeyChangeProposal(Statement, frozen=True, kw_only=True, tag="key-change-proposal"):
    """A ceremony that gives a wallet's keys new shares.

    The rest follows from the wallet: names, kinds, share indices and the current quorum.
    """

    ceremony: CeremonyName
    wallet: WalletName
    purpose: Named
    from_epoch: Epoch
    epoch: Epoch
    threshold: int
    custodians: Members
    dealers: Members
    repaired: Named
    approvals_needed: int
    expires_at_ms: Moment


class CertifiedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of a certificate: its kind, public package, and the transcript of its making."""

    kind: Named
    package: bytes
    transcript: Digest


class CertificateSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member's signature over the certificate message."""

    member: Named
    signature: bytes


class KeyCertificate(Statement, frozen=True, kw_only=True, tag="key-certificate"):
    """A complete certificate, for members who took no part: its signatures prove it."""

    ceremony: CeremonyName
    session: SessionName
    keys: Annotated[tuple[CertifiedKey, ...], msgspec.Meta(min_length=1, max_length=8)]
    signatures: Annotated[
        tuple[CertificateSignature, ...], msgspec.Meta(max_length=2 * MAX_CUSTODIANS)
    ]


class Erasure(Statement, frozen=True, tag="erasure"):
    """The signer's shares of this wallet, of all epochs up to `epoch`, are erased."""

    wallet: WalletName
    epoch: Epoch


class DrillResult(Statement, frozen=True, kw_only=True, tag="drill-result"):
    """Signatures of a drill, one a key; every member verifies them under the group keys."""

    wallet: WalletName
    epoch: Epoch
    session: SessionName
    signers: Members
    signatures: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=8)]


class MachineEndorsement(
    Statement, frozen=True, kw_only=True, omit_defaults=True, tag="machine-vouching"
):
    """The signer endorses this machine as `member`'s; the member may be new.

    `identity_key` has 65 bytes, SEC1 uncompressed; `certificate` is PEM. `certified` names the
    sessions of ceremonies that the member's machines took part in and all have certified, as the
    signer has them on record: what a former key signed in these is older than this machine.
    `decided` is the number of the newest decision about the roster that the signer knows.
    """

    member: Annotated[str, msgspec.Meta(pattern=MEMBER_PATTERN)]
    name: Label
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=255)]
    identity_key: Annotated[bytes, msgspec.Meta(min_length=65, max_length=65)]
    certificate: Annotated[bytes, msgspec.Meta(min_length=1, max_length=8192)]
    certified: Annotated[
        tuple[SessionName, ...], msgspec.Meta(max_length=MAX_CERTIFIED_SESSIONS)
    ] = ()
    decided: Annotated[int, msgspec.Meta(ge=0, le=MAX_DECISIONS)] = 0


class RosterDecision(Statement, frozen=True, kw_only=True, tag="roster-decision"):
    """The signer wants `retires` to leave, and `electors` to decide and admit machines next.

    `number` counts decisions from 1; `prior` is the digest of the one before, zeros for none.
    `certified` names the sessions of ceremonies that those who leave took part in and all have
    certified, as the signer has them on record: what they signed in these is older than this.
    """

    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_DECISIONS)]
    prior: Digest
    retires: Roster
    electors: Roster
    certified: Annotated[tuple[SessionName, ...], msgspec.Meta(max_length=MAX_CERTIFIED_SESSIONS)]


class AddressChange(Statement, frozen=True, tag="address-change"):
    """The signer's machine is reached at this address from now on."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=255)]


class LinkKeyChange(Statement, frozen=True, tag="link-key-change"):
    """The signer's machine has the TLS key of this certificate (PEM, of its own).

    It counts beside the key before it until the signer says that it counts `alone`.
    """

    certificate: Annotated[bytes, msgspec.Meta(min_length=1, max_length=8192)]
    alone: bool


class TransferProposal(Statement, frozen=True, kw_only=True, tag="transfer-proposal"):
    """The canonical intent: approvals sign its digest. `nonce` makes every intent unique."""

    request: RequestName
    wallet: WalletName
    epoch: int
    kind: Named = msgspec.field(name="signature_kind")
    chain: Named
    network: Named
    path: Named
    transaction: bytes
    fee_ceiling: int
    note: Note
    policy_version: int
    nonce: bytes
    expires_at_ms: Moment


class Approval(Statement, frozen=True, tag="approval"):
    request: RequestName
    intent_digest: Digest


class Denial(Statement, frozen=True, tag="denial"):
    request: RequestName
    reason: Reason


class Withdrawal(Statement, frozen=True, tag="withdrawal"):
    request: RequestName


class SignatureResult(Statement, frozen=True, kw_only=True, tag="signature-result"):
    """Finished signatures; every member verifies them under the group key before use."""

    request: RequestName
    session: SessionName
    signers: Members
    signatures: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=MAX_SIGNATURES)]


class Invitation(Statement, frozen=True, kw_only=True, tag="invitation"):
    """A coordinator asks members into one protocol session about one ceremony or request.

    `terms` is the digest of what is agreed about the subject. The session's id hashes the
    invitation, so those who know the subject by different texts never share a session.
    """

    purpose: Named
    subject: Named
    terms: Digest
    participants: Members
    nonce: Digest
    deadline_ms: Moment


class Readiness(Statement, frozen=True, kw_only=True, tag="readiness"):
    """A member's consent: a fresh nonce and channel key (32 bytes each), and its ledger head."""

    invitation: Digest
    nonce: bytes
    channel_key: bytes
    head_sequence: Annotated[int, msgspec.Meta(ge=0)]
    head_hash: Digest


class LedgerHead(Statement, frozen=True, kw_only=True, tag="ledger-head"):
    """The number and the hash of the newest record of the signer's ledger."""

    sequence: Annotated[int, msgspec.Meta(ge=0)]
    hash: Digest


class SessionFailure(Statement, frozen=True, kw_only=True, tag="run-failure"):
    """The signer's session ended without a result. `blamed` is its own view; it binds nobody."""

    subject: Named
    session: SessionName
    reason: Reason
    blamed: Members


AnyStatement = (
    CeremonyProposal
    | KeyChangeProposal
    | CeremonyAcceptance
    | CeremonyRefusal
    | CeremonyCancellation
    | CodeConfirmation
    | KeyCertificate
    | Erasure
    | DrillResult
    | MachineEndorsement
    | RosterDecision
    | AddressChange
    | LinkKeyChange
    | TransferProposal
    | Approval
    | Denial
    | Withdrawal
    | SignatureResult
    | Invitation
    | Readiness
    | LedgerHead
    | SessionFailure
)
