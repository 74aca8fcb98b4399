"""FROST(Ed25519, SHA-512) and the strict verifier its signatures must pass (RFC 9591, 6.1)."""

import hashlib
from collections.abc import Callable

from nacl import bindings
from nacl.exceptions import BadSignatureError

from console.protocols.frost.suite import Hash, HashToScalar, InvalidSignature, Suite
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import BadEncoding, Point, Scalar

_CONTEXT = b"FROST-ED25519-SHA512-v1"


def _sha512(prefix: bytes) -> Hash:
    def digest(data: bytes) -> bytes:
        return hashlib.sha512(prefix + data).digest()

    return digest


def _scalar(hashed: Callable[[bytes], bytes]) -> HashToScalar:
    def to_scalar(data: bytes) -> Scalar:
        return ED25519.reduce(hashed(data))

    return to_scalar


# H2 has no prefix: it is the challenge of RFC 8032, so that any Ed25519 verifier accepts.
_H2 = _scalar(_sha512(b""))


def _challenge(R: Point, Y: Point, message: bytes) -> Scalar:
    return _H2(R + Y + message)


def _encode(R: Point, z: Scalar) -> bytes:
    return R + z


def _decode(signature: bytes) -> tuple[Point, Scalar]:
    return ED25519.parse_point(signature[:32]), ED25519.parse_scalar(signature[32:])


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Verify an Ed25519 signature (RFC 8032, section 5.1.7) more strictly than required.

    R and the key must be canonical points of the prime-order group and S below L, so that
    cofactored and cofactorless verifiers agree, and one signature has one encoding.
    Raises: InvalidSignature.
    """
    try:
        Y = ED25519.parse_point(public_key)
        _decode(signature)
    except BadEncoding:
        raise InvalidSignature("the signature or its key is not canonical") from None
    try:
        bindings.crypto_sign_open(signature + message, Y)
    except BadSignatureError:
        raise InvalidSignature("the signature does not verify") from None


FROST_ED25519 = Suite(
    name="FROST-ED25519-SHA512-v1",
    group=ED25519,
    H1=_scalar(_sha512(_CONTEXT + b"rho")),
    H3=_scalar(_sha512(_CONTEXT + b"nonce")),
    H4=_sha512(_CONTEXT + b"msg"),
    H5=_sha512(_CONTEXT + b"com"),
    challenge=_challenge,
    encode=_encode,
    decode=_decode,
    verify=verify,
)
