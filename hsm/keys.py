"""The member's keys in the token: their required attributes, and the checks that identify them."""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.types import Session

from console.application.errors import KeyCheckFailed
from console.domain.ids import MemberId
from console.sealing.sealer import OWN_GCM, length_prefixed
from hsm.wrapping_methods import SealingKey, method_of
from hsm.wrapping_methods.objects import (
    SECRET_TRAITS,
    find_all,
    find_one,
    only,
    require_traits,
)

APPLICATION = "quorate"
IDENTITY = "quorate-identity"
PRESENCE = "quorate-presence"
RECORD = "quorate-key-record"

# Records of the first form have no method: AES-GCM with an IV of ours.
_RECORD_DOMAIN, _NAMING_DOMAIN = b"quorate/key-record/1", b"quorate/key-record/2"

SIGNING_TRAITS = {
    **SECRET_TRAITS,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
}
PRESENCE_TRAITS = {**SIGNING_TRAITS, Attribute.ALWAYS_AUTHENTICATE: True}


@runtime_checkable
class SigningKey(Protocol):
    """A private key that may sign; `pin` for a key that asks for it at each use."""

    def sign(self, data: bytes, *, mechanism: Mechanism, pin: str | None = None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The token's keys when they were generated; stored in the token as public data.

    `method` is the code of the method by which the token seals. Without `presence_point` there is
    no presence key: another process's login checks the PIN. `heads_in_file` is where the ledger's
    head is kept, if not in the token.
    """

    member: MemberId
    identity_point: bytes
    presence_point: bytes
    kek_check: bytes
    method: int = OWN_GCM
    heads_in_file: bool = False

    def encode(self) -> bytes:
        """Encode the record with its checksum."""
        naming = self.method != OWN_GCM or not self.presence_point or self.heads_in_file
        body = length_prefixed(
            _NAMING_DOMAIN if naming else _RECORD_DOMAIN,
            self.member.encode("ascii"),
            self.identity_point,
            self.presence_point,
            self.kek_check,
            *((bytes([self.method, self.heads_in_file]),) if naming else ()),
        )
        return body + hashlib.sha256(body).digest()


class RecordedKeys(Protocol):
    """The identity key of an unlocked vault, and the record it was checked against."""

    @property
    def identity(self) -> SigningKey: ...
    @property
    def record(self) -> KeyRecord: ...


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Handles of the checked keys in one session, and the record they were checked against."""

    session: Session
    kek: SealingKey
    identity: SigningKey
    record: KeyRecord


def read_record(
    session: Session, member: MemberId, elsewhere: Callable[[], KeyRecord | None]
) -> KeyRecord:
    """Read the key record; needs no login. Raises: KeyCheckFailed.

    `elsewhere` returns the record of a file, which counts only if the token shows none.
    """
    found = find_all(session, ObjectClass.DATA, RECORD)
    record = None if found else elsewhere()
    if record is None:
        record = decode_record(bytes(only(found, RECORD)[Attribute.VALUE]))
    if record.member != member:
        raise KeyCheckFailed(f"the token belongs to the member {record.member}, not to {member}")
    return record


def holds_record(session: Session) -> bool:
    """Return whether the token shows a key record in this session."""
    return bool(find_all(session, ObjectClass.DATA, RECORD))


def load_keys(session: Session, record: KeyRecord) -> TokenKeys:
    """Find the keys and check their traits and values. Raises: KeyCheckFailed."""
    kek = method_of(record.method).load(session)
    identity = find_one(session, ObjectClass.PRIVATE_KEY, IDENTITY, KeyType.EC)
    kek.require_traits(stored=True)
    require_traits(identity, SIGNING_TRAITS, IDENTITY)
    if not isinstance(identity, SigningKey):
        raise KeyCheckFailed("the token's keys are not of the expected kind")
    keys = TokenKeys(session, kek, identity, record)
    require_kek(keys)
    probe = b"quorate/key-check" + secrets.token_bytes(32)
    sign_checked(identity, record.identity_point, probe)
    return keys


def require_kek(keys: TokenKeys) -> None:
    """Check that the wrapping key is the one of the record. Raises: KeyCheckFailed."""
    if not hmac.compare_digest(keys.kek.check_value(), keys.record.kek_check):
        raise KeyCheckFailed("the wrapping key is not the one that this member was set up with")


def sign_checked(key: SigningKey, point: bytes, message: bytes, pin: str | None = None) -> bytes:
    """Sign and verify under the recorded public key before the signature is used.

    Raises: KeyCheckFailed if another key signed.
    """
    digest = hashlib.sha256(message).digest()
    signature = key.sign(digest, mechanism=Mechanism.ECDSA, pin=pin)
    if len(signature) != 64:
        raise KeyCheckFailed("the token's signature does not have 64 bytes")
    if not is_signed_by(point, message, signature):
        raise KeyCheckFailed("a key in the token is not the one of its record")
    return signature


def is_signed_by(point: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature, r || s, is over SHA-256(message) under a P-256 point."""
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def presence_key(session: Session, *, checked: bool = False) -> SigningKey:
    """Find the key that asks for the PIN at each use. Raises: KeyCheckFailed.

    At each login it is `checked`: that there is no other, and its traits. Later the first that is
    found does: what it signs is verified under the record's key.
    """
    found = find_one(session, ObjectClass.PRIVATE_KEY, PRESENCE, KeyType.EC, alone=checked)
    if checked:
        require_traits(found, PRESENCE_TRAITS, PRESENCE)
    if not isinstance(found, SigningKey):
        raise KeyCheckFailed("the token's presence key is not of the expected kind")
    return found


def decode_record(data: bytes) -> KeyRecord:
    """Decode a key record; strict. Raises: KeyCheckFailed."""
    body, checksum = data[:-32], data[-32:]
    if not hmac.compare_digest(hashlib.sha256(body).digest(), checksum):
        raise KeyCheckFailed("the token's key record is damaged")
    parts = []
    position = 0
    while position < len(body):
        (size,) = struct.unpack_from(">I", body, position)
        parts.append(body[position + 4 : position + 4 + size])
        position += 4 + size
    forms = {(_RECORD_DOMAIN, 5), (_NAMING_DOMAIN, 6)}
    if position != len(body) or (parts[0], len(parts)) not in forms:
        raise KeyCheckFailed("the token's key record has a form that is not known here")
    method, in_file = (OWN_GCM, 0) if len(parts) == 5 else struct.unpack(">BB", parts[5])
    return KeyRecord(
        member=MemberId(parts[1].decode("ascii")),
        identity_point=parts[2],
        presence_point=parts[3],
        kek_check=parts[4],
        method=method,
        heads_in_file=bool(in_file),
    )
