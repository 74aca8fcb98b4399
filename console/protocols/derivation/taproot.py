"""The tweak that turns an internal key into a Taproot output key (BIP 341)."""

from console.protocols.derivation.context import DegenerateTweak
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.math.tagged_hash import tagged_hash


def tap_tweak_scalar(internal: Point, merkle_root: bytes | None) -> Scalar:
    """Return the hash of x(P) and the root of the script tree; None commits to no script at all.

    Raises: DegenerateTweak; ValueError if the root has not 32 bytes.
    """
    if merkle_root is not None and len(merkle_root) != 32:
        raise ValueError("a merkle root has 32 bytes")
    digest = tagged_hash("TapTweak", SECP256K1.x_only(internal) + (merkle_root or b""))
    try:
        return SECP256K1.parse_scalar(digest)
    except BadEncoding:
        raise DegenerateTweak("the tweak is not below the order") from None
