"""The member's keys in the token: their required attributes, and the checks that identify them."""

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, GCMParams, Mechanism, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import KeyCheckFailed
from console.domain.ids import MemberId
from console.sealing.sealer import length_prefixed

APPLICATION = "quorate"
IDENTITY = "quorate-identity"
PRESENCE = "quorate-presence"
KEK = "quorate-kek"
RECORD = "quorate-key-record"

_RECORD_DOMAIN = b"quorate/key-record/1"
# A fixed block that no GCM counter takes, and not zero: E(0) is GCM's authentication key.
_CHECK_BLOCK = hashlib.sha256(b"quorate/kek-check").digest()[:16]

_SECRET_TRAITS = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.LOCAL: True,
    Attribute.SENSITIVE: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.DERIVE: False,
    Attribute.UNWRAP: False,
}
KEK_TRAITS = {
    **_SECRET_TRAITS,
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.SIGN: False,
}
SIGNING_TRAITS = {
    **_SECRET_TRAITS,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
}
PRESENCE_TRAITS = {**SIGNING_TRAITS, Attribute.ALWAYS_AUTHENTICATE: True}


@runtime_checkable
class WrappingKey(Protocol):
    """An AES key that may encrypt and decrypt."""

    def encrypt(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams | None = None
    ) -> bytes: ...

    def decrypt(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams | None = None
    ) -> bytes: ...


@runtime_checkable
class SigningKey(Protocol):
    """A private key that may sign; `pin` for a key that asks for it at each use."""

    def sign(self, data: bytes, *, mechanism: Mechanism, pin: str | None = None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The token's keys when they were generated; stored in the token as public data."""

    member: MemberId
    identity_point: bytes
    presence_point: bytes
    kek_check: bytes

    def encode(self) -> bytes:
        """Encode the record with its checksum."""
        body = length_prefixed(
            _RECORD_DOMAIN,
            self.member.encode("ascii"),
            self.identity_point,
            self.presence_point,
            self.kek_check,
        )
        return body + hashlib.sha256(body).digest()


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Handles of the checked keys in one session, and the record they were checked against."""

    session: Session
    kek: WrappingKey
    identity: SigningKey
    record: KeyRecord


def read_record(session: Session, member: MemberId) -> KeyRecord:
    """Read the key record; needs no login. Raises: KeyCheckFailed."""
    found = _one(session, ObjectClass.DATA, RECORD)
    data = bytes(found[Attribute.VALUE])
    record = _decode_record(data)
    if record.member != member:
        raise KeyCheckFailed(f"the token belongs to the member {record.member}, not to {member}")
    return record


def load_keys(session: Session, record: KeyRecord) -> TokenKeys:
    """Find the keys and check their traits and values. Raises: KeyCheckFailed."""
    kek = _one(session, ObjectClass.SECRET_KEY, KEK)
    identity = _one(session, ObjectClass.PRIVATE_KEY, IDENTITY)
    presence = _one(session, ObjectClass.PRIVATE_KEY, PRESENCE)
    require_traits(kek, KEK_TRAITS, KEK)
    require_traits(identity, SIGNING_TRAITS, IDENTITY)
    require_traits(presence, PRESENCE_TRAITS, PRESENCE)
    if not isinstance(kek, WrappingKey) or not isinstance(identity, SigningKey):
        raise KeyCheckFailed("the token's keys are not of the expected kind")
    keys = TokenKeys(session, kek, identity, record)
    require_kek(keys)
    probe = b"quorate/key-check" + secrets.token_bytes(32)
    sign_checked(identity, record.identity_point, probe)
    return keys


def require_kek(keys: TokenKeys) -> None:
    """Check that the wrapping key is the one of the record. Raises: KeyCheckFailed."""
    if not hmac.compare_digest(kek_check(keys.kek), keys.record.kek_check):
        raise KeyCheckFailed("the wrapping key is not the one that this member was set up with")


def kek_check(kek: WrappingKey) -> bytes:
    """Return the wrapping key's check value; hashed, so that no cipher block is published."""
    block = kek.encrypt(_CHECK_BLOCK, mechanism=Mechanism.AES_ECB)
    return hashlib.sha256(block).digest()


def sign_checked(key: SigningKey, point: bytes, message: bytes, pin: str | None = None) -> bytes:
    """Sign and verify under the recorded public key before the signature is used.

    Raises: KeyCheckFailed if another key signed.
    """
    digest = hashlib.sha256(message).digest()
    signature = key.sign(digest, mechanism=Mechanism.ECDSA, pin=pin)
    if len(signature) != 64:
        raise KeyCheckFailed("the token's signature does not have 64 bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise KeyCheckFailed("a key in the token is not the one of its record") from None
    return signature


def presence_key(session: Session) -> SigningKey:
    """Find the key that asks for the PIN at each use. Raises: KeyCheckFailed."""
    found = _one(session, ObjectClass.PRIVATE_KEY, PRESENCE)
    if not isinstance(found, SigningKey):
        raise KeyCheckFailed("the token's presence key is not of the expected kind")
    return found


def require_traits(key: Object, traits: dict[Attribute, bool], name: str) -> None:
    """Check a key's attributes. Raises: KeyCheckFailed naming the wrong ones."""
    wrong = [trait.name for trait, value in traits.items() if key[trait] is not value]
    if wrong:
        raise KeyCheckFailed(f"the key {name!r} must not be used: {', '.join(wrong)} is wrong")


def _one(session: Session, kind: ObjectClass, label: str) -> Object:
    found = list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))
    if len(found) != 1:
        # An absent key is never generated again: the token may have been pulled out.
        raise KeyCheckFailed(f"the token holds {len(found)} objects {label!r} instead of one")
    return found[0]


def _decode_record(data: bytes) -> KeyRecord:
    body, checksum = data[:-32], data[-32:]
    if not hmac.compare_digest(hashlib.sha256(body).digest(), checksum):
        raise KeyCheckFailed("the token's key record is damaged")
    parts = []
    position = 0
    while position < len(body):
        (size,) = struct.unpack_from(">I", body, position)
        parts.append(body[position + 4 : position + 4 + size])
        position += 4 + size
    if len(parts) != 5 or parts[0] != _RECORD_DOMAIN or position != len(body):
        raise KeyCheckFailed("the token's key record has a form that is not known here")
    return KeyRecord(MemberId(parts[1].decode("ascii")), parts[2], parts[3], parts[4])
