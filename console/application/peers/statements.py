"""What members say to each other, signed: canonical bodies, strict decoding, verified signers."""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from console.application.ports.vault import IdentityPort
from console.domain.errors import UnknownMember
from console.domain.events import Evidence
from console.domain.ids import MEMBER_PATTERN, MemberId
from console.domain.member import Member
from console.domain.text import is_plain
from console.domain.values import MAX_CUSTODIANS, MAX_LABEL, MAX_REASON

MAX_STATEMENT_BYTES = 64 * 1024
MAX_SIGNATURES = 100
"""Of one request: a Bitcoin transaction needs one for each coin that it spends."""
_DOMAIN = b"quorate/statement/v1"

S = TypeVar("S")

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
Members = Annotated[tuple[Named, ...], msgspec.Meta(max_length=MAX_CUSTODIANS)]


class StatementRefused(Exception):
    """Bytes that are no statement, or not signed by whom they name; nothing was recorded."""


class Statement(
    msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True, array_like=False
):
    """The body of a statement; times are UTC milliseconds by the signer's clock."""

    at_ms: int


class CeremonyProposal(Statement, frozen=True, tag="ceremony-proposal"):
    ceremony: CeremonyName
    wallet: WalletName
    wallet_name: Label
    kinds: tuple[Named, ...]
    threshold: int
    custodians: Members
    approvals_needed: int
    expires_at_ms: int


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


class CodeConfirmation(Statement, frozen=True, tag="code-confirmation"):
    """`certificate_signature` is over the certificate message of the session's keys."""

    ceremony: CeremonyName
    session: SessionName
    certificate_signature: bytes


class KeyChangeProposal(Statement, frozen=True, tag="key-change-proposal"):
    """A ceremony that gives a wallet's keys new shares.

    What is not said follows from the wallet: names, kinds, share indices and the quorum before.
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
    expires_at_ms: int


class CertifiedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of a certificate: its kind, public package, and the transcript of its making."""

    kind: Named
    package: bytes
    transcript: Digest


class CertificateSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member's signature over the certificate message."""

    member: Named
    signature: bytes


class KeyCertificate(Statement, frozen=True, tag="key-certificate"):
    """A whole certificate, for members who took no part: it proves itself, whoever hands it on."""

    ceremony: CeremonyName
    session: SessionName
    keys: Annotated[tuple[CertifiedKey, ...], msgspec.Meta(min_length=1, max_length=8)]
    signatures: Annotated[
        tuple[CertificateSignature, ...], msgspec.Meta(max_length=2 * MAX_CUSTODIANS)
    ]


class Erasure(Statement, frozen=True, tag="erasure"):
    """The signer's shares of this wallet, of all epochs up to `epoch`, are gone."""

    wallet: WalletName
    epoch: Epoch


class DrillResult(Statement, frozen=True, tag="drill-result"):
    """Signatures of a drill, one a key; every member verifies them under the group keys."""

    wallet: WalletName
    epoch: Epoch
    session: SessionName
    signers: Members
    signatures: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=8)]


class MachineVouching(Statement, frozen=True, tag="machine-vouching"):
    """The signer vouches that this machine is `member`'s, whom it may make a new member.

    `identity_key` has 65 bytes, SEC1 uncompressed; `certificate` is PEM.
    """

    member: Annotated[str, msgspec.Meta(pattern=MEMBER_PATTERN)]
    name: Label
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=255)]
    identity_key: Annotated[bytes, msgspec.Meta(min_length=65, max_length=65)]
    certificate: Annotated[bytes, msgspec.Meta(min_length=1, max_length=8192)]


class TransferProposal(Statement, frozen=True, tag="transfer-proposal"):
    """The canonical intent: approvals sign its digest. `nonce` makes every intent unique."""

    request: RequestName
    wallet: WalletName
    epoch: int
    signature_kind: Named
    chain: Named
    network: Named
    path: Named
    transaction: bytes
    fee_ceiling: int
    note: Note
    policy_version: int
    nonce: bytes
    expires_at_ms: int


class Approval(Statement, frozen=True, tag="approval"):
    request: RequestName
    intent_digest: Digest


class Denial(Statement, frozen=True, tag="denial"):
    request: RequestName
    reason: Reason


class Withdrawal(Statement, frozen=True, tag="withdrawal"):
    request: RequestName


class SignatureResult(Statement, frozen=True, tag="signature-result"):
    """Finished signatures; every member verifies them under the group key before use."""

    request: RequestName
    session: SessionName
    signers: Members
    signatures: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=MAX_SIGNATURES)]


class Invitation(Statement, frozen=True, tag="invitation"):
    """A coordinator asks members into one protocol run about one ceremony or request."""

    purpose: Named
    subject: Named
    participants: Members
    nonce: bytes
    deadline_ms: int


class Readiness(Statement, frozen=True, tag="readiness"):
    """A member will take part: its fresh nonce and channel key (32 bytes each), its ledger head."""

    invitation: Digest
    nonce: bytes
    channel_key: bytes
    head_sequence: int
    head_hash: Digest


class RunFailure(Statement, frozen=True, tag="run-failure"):
    """The signer's run ended without result. `blamed` is its own view and binds nobody."""

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
    | MachineVouching
    | TransferProposal
    | Approval
    | Denial
    | Withdrawal
    | SignatureResult
    | Invitation
    | Readiness
    | RunFailure
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyStatement] = msgspec.msgpack.Decoder(AnyStatement)


class SignedStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement as it travels and is kept: the exact bytes that were signed."""

    body: bytes
    signer: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement whose signature was checked against the roster."""

    statement: AnyStatement
    signer: MemberId
    evidence: Evidence

    @property
    def digest(self) -> bytes:
        """SHA-256 of the body, 32 bytes."""
        return hashlib.sha256(self.evidence.body).digest()

    def expect(self, kind: type[S]) -> S:
        """Return the statement, which must be of this kind. Raises: StatementRefused."""
        if not isinstance(self.statement, kind):
            raise StatementRefused("a statement of another kind was expected")
        return self.statement


class Statements:
    """Signs this member's statements and verifies everybody's, within one vault's roster."""

    def __init__(self, me: MemberId, identity: IdentityPort, vault_id: bytes) -> None:
        self._me = me
        self._identity = identity
        self._vault_id = vault_id

    async def sign(self, statement: AnyStatement) -> Verified:
        """Sign as this member. Raises: VaultLocked, HsmError."""
        body = _encoder.encode(statement)
        signature = await self._identity.sign(self._message(self._me, body))
        return Verified(statement, self._me, Evidence(_kind(statement), body, self._me, signature))

    def verify(self, signed: SignedStatement, signer: Member) -> Verified:
        """Check signature and form. Raises: StatementRefused."""
        if len(signed.body) > MAX_STATEMENT_BYTES or signed.signer != signer.member:
            raise StatementRefused("a statement is too large or not by the member it names")
        # By the machine of today alone: a statement of the one before could be dated back. Whoever
        # pulls a ledger from its start meets such statements before the admission that ends them.
        verify_identity(
            signer.identity_key, self._message(signer.member, signed.body), signed.signature
        )
        try:
            statement = _decoder.decode(signed.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise StatementRefused(f"{signer.member} signed bytes that are no statement") from None
        texts = (getattr(statement, name) for name in statement.__struct_fields__)
        if not all(is_plain(text) for text in texts if isinstance(text, str)):
            raise StatementRefused(f"{signer.member} signed text that cannot be shown plainly")
        evidence = Evidence(_kind(statement), signed.body, signer.member, signed.signature)
        return Verified(statement, signer.member, evidence)

    async def is_of_this_machine(self, signed: SignedStatement) -> bool:
        """Tell whether this machine's own key signed it, whatever the roster says."""
        try:
            verify_identity(
                await self._identity.public_key(),
                self._message(self._me, signed.body),
                signed.signature,
            )
        except StatementRefused:
            return False
        return True

    def _message(self, signer: MemberId, body: bytes) -> bytes:
        name = signer.encode()
        return b"".join((_DOMAIN, self._vault_id, len(name).to_bytes(2, "big"), name, body))


def to_signed(evidence: Evidence) -> SignedStatement:
    """Return the travelling form of recorded evidence."""
    return SignedStatement(evidence.body, evidence.signer, evidence.signature)


def verify_identity(identity_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a member's P-256 signature (64 bytes, r || s). Raises: StatementRefused."""
    if len(signature) != 64:
        raise StatementRefused("an identity signature has 64 bytes")
    der = encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), identity_key)
        key.verify(der, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise StatementRefused("a statement's signature does not hold") from None


def verify_member(member: Member, message: bytes, signature: bytes) -> None:
    """Check a signature in a certificate by any machine a member has had.

    Raises: StatementRefused.
    """
    for key in member.former_keys:
        with contextlib.suppress(StatementRefused):
            verify_identity(key, message, signature)
            return
    verify_identity(member.identity_key, message, signature)


def vault_id(members: tuple[Member, ...]) -> bytes:
    """Name a vault by its founding members and their keys, 32 bytes; bound into every signature.

    It stays the same whoever joins and whatever machine is replaced.
    """
    digest = hashlib.sha256(b"quorate/vault/v1")
    for member in sorted(members, key=lambda m: m.member):
        for part in (member.member.encode(), member.identity_key):
            digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


def signer_of(signed: SignedStatement, members: Mapping[MemberId, Member]) -> Member:
    """Find the signer in the roster. Raises: UnknownMember."""
    member = members.get(MemberId(signed.signer))
    if member is None:
        raise UnknownMember("a statement is signed by nobody in the roster")
    return member


def _kind(statement: AnyStatement) -> str:
    return str(type(statement).__struct_config__.tag)
