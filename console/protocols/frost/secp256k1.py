"""FROST(secp256k1, SHA-256): Schnorr signatures over compressed points (RFC 9591, 6.5).

The suite itself is library only; that of BIP 340 builds on its hashes.
"""

import hashlib

from console.protocols.frost.suite import Hash, HashToScalar, InvalidSignature, Suite
from console.protocols.math.expand_message import expand_message_xmd
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1

_CONTEXT = b"FROST-secp256k1-SHA256-v1"


def hash_to_scalar(dst: bytes) -> HashToScalar:
    """Return hash_to_field of RFC 9380 for one public scalar, under a domain separation tag."""

    def to_scalar(data: bytes) -> Scalar:
        return SECP256K1.scalar(int.from_bytes(expand_message_xmd(data, dst, 48), "big"))

    return to_scalar


def hash_to_secret(dst: bytes) -> HashToScalar:
    """Return the same for a secret scalar, which the backend reduces."""

    def to_scalar(data: bytes) -> Scalar:
        return SECP256K1.reduce(expand_message_xmd(data, dst, 48))

    return to_scalar


def prefixed_sha256(prefix: bytes) -> Hash:
    """Return SHA-256 of `prefix` and the input."""

    def digest(data: bytes) -> bytes:
        return hashlib.sha256(prefix + data).digest()

    return digest


_H2 = hash_to_scalar(_CONTEXT + b"chal")


def _challenge(R: Point, Y: Point, message: bytes) -> Scalar:
    return _H2(R + Y + message)


def _encode(R: Point, z: Scalar) -> bytes:
    return R + z


def _decode(signature: bytes) -> tuple[Point, Scalar]:
    return SECP256K1.parse_point(signature[:33]), SECP256K1.parse_scalar(signature[33:])


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature of this suite: compressed R and z, 65 bytes (RFC 9591, appendix B).

    Raises: InvalidSignature, also for bad encodings.
    """
    try:
        Y = SECP256K1.parse_point(public_key)
        R, z = _decode(signature)
    except BadEncoding:
        raise InvalidSignature("the signature or its key is not canonical") from None
    c = SECP256K1.public_int(_challenge(R, Y, message))
    if SECP256K1.add_multiple(SECP256K1.base(z), -c, Y) != R:
        raise InvalidSignature("the signature does not verify")


FROST_SECP256K1 = Suite(
    name="FROST-secp256k1-SHA256-v1",
    group=SECP256K1,
    H1=hash_to_scalar(_CONTEXT + b"rho"),
    H3=hash_to_secret(_CONTEXT + b"nonce"),
    H4=prefixed_sha256(_CONTEXT + b"msg"),
    H5=prefixed_sha256(_CONTEXT + b"com"),
    challenge=_challenge,
    encode=_encode,
    decode=_decode,
    verify=verify,
)
