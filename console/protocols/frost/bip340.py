"""Schnorr signatures of BIP 340: the challenge, and verification by libsecp256k1."""

from functools import lru_cache

from coincurve import PublicKeyXOnly

from console.protocols.frost.suite import InvalidSignature
from console.protocols.math.group import Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.math.tagged_hash import tagged_hash


def challenge(R: Point, Y: Point, message: bytes) -> Scalar:
    """Return int(hash(x(R) || x(Y) || m)) mod n (BIP 340, Verification)."""
    digest = tagged_hash("BIP0340/challenge", R[1:] + Y[1:] + message)
    return SECP256K1.scalar(int.from_bytes(digest, "big") % N)


def encode(R: Point, z: Scalar) -> bytes:
    """Return x(R) || z, 64 bytes."""
    return SECP256K1.x_only(R) + z


def decode(signature: bytes) -> tuple[Point, Scalar]:
    """Return R, whose y is even, and z. Raises: BadEncoding."""
    return SECP256K1.lift_x(signature[:32]), SECP256K1.parse_scalar(signature[32:])


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature of 64 bytes under a key of 32 bytes; the message may have any length.

    Raises: InvalidSignature.
    """
    # The backend reads as many bytes as it expects, not as many as it is given.
    if len(public_key) != 32 or len(signature) != 64:
        raise InvalidSignature("a signature has 64 bytes and its key 32")
    try:
        key = _parsed(public_key)
    except ValueError:
        raise InvalidSignature("the key is not the x of a point") from None
    if not key.verify(signature, message):
        raise InvalidSignature("the signature does not verify")


@lru_cache(maxsize=256)
def _parsed(public_key: bytes) -> PublicKeyXOnly:
    return PublicKeyXOnly(public_key)
