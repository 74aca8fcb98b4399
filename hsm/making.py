"""Making the member's objects: keys, key record and heads, stored or for one session's trial."""

import hashlib

from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11.types import Object, PrivateKey, PublicKey, Session
from pkcs11.util.ec import encode_named_curve_parameters

from console.application.errors import HsmError
from hsm.keys import APPLICATION, RECORD
from hsm.wrapping_methods.objects import template


def identifier_of(setup: bytes, label: str) -> bytes:
    """Return a key's CKA_ID, 16 bytes: another one for each set-up and key."""
    return hashlib.sha256(b"quorate/key-id" + setup + label.encode()).digest()[:16]


def make_signing_key(
    session: Session, label: str, traits: dict[Attribute, bool], identifier: bytes, *, stored: bool
) -> tuple[PublicKey, PrivateKey]:
    """Generate a P-256 key pair in the token."""
    parameters = session.create_domain_parameters(
        KeyType.EC,
        {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
        local=True,
    )
    made: tuple[PublicKey, PrivateKey] = parameters.generate_keypair(
        id=identifier,
        label=label,
        store=stored,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template=template(traits, stored=stored),
    )
    return made


def point_of(public: PublicKey) -> bytes:
    """Return a public key's uncompressed point, 65 bytes. Raises: HsmError."""
    point = bytes(public[Attribute.EC_POINT])
    # The standard wraps the point in an OCTET STRING; some tokens return it bare.
    if len(point) == 67 and point[:2] == b"\x04\x41":
        point = point[2:]
    if len(point) != 65 or point[0] != 4:
        raise HsmError("the token's public key is not an uncompressed P-256 point")
    return point


def create_record(session: Session, data: bytes, *, stored: bool) -> Object:
    """Create the key record, readable without login."""
    return session.create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.TOKEN: stored,
            Attribute.PRIVATE: False,
            Attribute.MODIFIABLE: False,
            Attribute.LABEL: RECORD,
            Attribute.APPLICATION: APPLICATION,
            Attribute.VALUE: data,
        }
    )
