"""FROST with signatures of BIP 340, the Zcash Foundation's suite FROST-secp256k1-SHA256-TR-v1.

A signature commits to x alone, so every party uses its share negated where the group key has odd
y, and its nonces negated where the group commitment has. All else is FROST(secp256k1, SHA-256).
"""

from console.protocols.frost import bip340
from console.protocols.frost.secp256k1 import hash_to_scalar, hash_to_secret, prefixed_sha256
from console.protocols.frost.suite import InvalidSignature, Suite
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1

_CONTEXT = b"FROST-secp256k1-SHA256-TR-v1"


def _has_odd_y(point: Point) -> bool:
    return not SECP256K1.has_even_y(point)


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature under a compressed group key, of which BIP 340 uses x.

    Raises: InvalidSignature.
    """
    try:
        Y = SECP256K1.parse_point(public_key)
    except BadEncoding:
        raise InvalidSignature("the key is not a compressed point") from None
    bip340.verify(SECP256K1.x_only(Y), message, signature)


FROST_TAPROOT = Suite(
    name="FROST-secp256k1-SHA256-TR-v1",
    group=SECP256K1,
    H1=hash_to_scalar(_CONTEXT + b"rho"),
    H3=hash_to_secret(_CONTEXT + b"nonce"),
    H4=prefixed_sha256(_CONTEXT + b"msg"),
    H5=prefixed_sha256(_CONTEXT + b"com"),
    challenge=bip340.challenge,
    encode=bip340.encode,
    decode=bip340.decode,
    verify=verify,
    negates=_has_odd_y,
)
