"""Signed statements: canonical bodies, identity signatures, strict decoding."""

import contextlib
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from console.application.peers.statements import AnyStatement, TransferProposal
from console.application.ports.vault import IdentityPort
from console.domain.errors import NotYetPossible, UnknownMember
from console.domain.events import Evidence
from console.domain.ids import MemberId
from console.domain.member import Member
from console.domain.text import is_plain

MAX_STATEMENT_BYTES = 64 * 1024
MAX_PROPOSAL_BYTES = 256 * 1024
"""A transfer's bytes may bring the transactions that made the coins which it spends."""
_DOMAIN = b"quorate/statement/v1"

S = TypeVar("S")


class StatementRefused(Exception):
    """Bytes are not a statement, or not signed by the member they name; nothing was recorded."""


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyStatement] = msgspec.msgpack.Decoder(AnyStatement)


class SignedStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement as it travels and is kept: the exact bytes that were signed."""

    body: bytes
    signer: Annotated[str, msgspec.Meta(max_length=64)]
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


Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
"""Signs a statement, records it and tells the others."""


class Statements:
    """Signs this member's statements and verifies everybody's, within one vault's roster."""

    def __init__(self, me: MemberId, identity: IdentityPort, vault_id: bytes) -> None:
        self._me = me
        self._identity = identity
        self._vault_id = vault_id

    async def sign(self, statement: AnyStatement) -> Verified:
        """Sign as this member. Raises: VaultLocked, HsmError."""
        body = _encoder.encode(statement)
        signature = await self._identity.sign(self.message_of(self._me, body))
        return Verified(
            statement,
            self._me,
            Evidence(kind=_kind(statement), body=body, signer=self._me, signature=signature),
        )

    def verify(self, signed: SignedStatement, signer: Member) -> Verified:
        """Check signature and form. Raises: StatementRefused."""
        if len(signed.body) > MAX_PROPOSAL_BYTES or signed.signer != signer.member:
            raise StatementRefused("a statement is too large or not by the member it names")
        # Only the current machine counts: an older one could backdate. A member that
        # pulls from the start sees older statements before the admission that ends them.
        verify_identity(
            signer.identity_key, self.message_of(signer.member, signed.body), signed.signature
        )
        try:
            statement = _decoder.decode(signed.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise StatementRefused(f"{signer.member} signed bytes that are no statement") from None
        if len(signed.body) > MAX_STATEMENT_BYTES and not isinstance(statement, TransferProposal):
            raise StatementRefused("a statement of this kind is not so large")
        texts = (getattr(statement, name) for name in statement.__struct_fields__)
        if not all(is_plain(text) for text in texts if isinstance(text, str)):
            raise StatementRefused(f"{signer.member} signed text that cannot be shown plainly")
        evidence = Evidence(
            kind=_kind(statement),
            body=signed.body,
            signer=signer.member,
            signature=signed.signature,
        )
        return Verified(statement, signer.member, evidence)

    async def is_of_this_machine(self, signed: SignedStatement) -> bool:
        """Return whether this machine's own key signed it, whatever the roster says."""
        try:
            verify_identity(
                await self._identity.public_key(),
                self.message_of(self._me, signed.body),
                signed.signature,
            )
        except StatementRefused:
            return False
        return True

    def message_of(self, signer: MemberId, body: bytes) -> bytes:
        """Return what the signer signs: domain, vault, its own name and the body."""
        name = signer.encode()
        return b"".join((_DOMAIN, self._vault_id, len(name).to_bytes(2, "big"), name, body))


def to_signed(evidence: Evidence) -> SignedStatement:
    """Return recorded evidence as it is sent to peers."""
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


def verify_member(
    member: Member, message: bytes, signature: bytes, *, is_older: bool = False
) -> None:
    """Check a signature in a certificate by a member's machine.

    A former machine's counts only if `is_older`: it is known to be older than the replacement.
    Raises: StatementRefused; NotYetPossible if only that is missing, which may still be learned.
    """
    for key in member.former_keys:
        with contextlib.suppress(StatementRefused):
            verify_identity(key, message, signature)
            if is_older:
                return
            raise NotYetPossible(
                f"a machine of {member.member} that was replaced has signed it, and nothing shows "
                "that this was before"
            )
    verify_identity(member.identity_key, message, signature)


def vault_id(members: tuple[Member, ...]) -> bytes:
    """Return the vault's id, 32 bytes: a hash of founding members and keys, in every signature.

    It stays the same when members join or machines are replaced.
    """
    digest = hashlib.sha256(b"quorate/vault/v1")
    for member in sorted(members, key=lambda m: m.member):
        for part in (member.member.encode(), member.identity_key):
            digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


def signer_of(signed: SignedStatement, members: Mapping[MemberId, Member]) -> Member:
    """Return the signer's roster entry. Raises: UnknownMember."""
    member = members.get(MemberId(signed.signer))
    if member is None:
        raise UnknownMember("a statement is signed by nobody in the roster")
    return member


def _kind(statement: AnyStatement) -> str:
    return str(type(statement).__struct_config__.tag)
