"""Unhardened children of a secp256k1 key (BIP 32, public parent to public child).

Every party computes the tweak itself from the public key and the chain code: a tweak is never
accepted from anybody.
"""

import hmac

from console.protocols.derivation.context import DegenerateTweak
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1

HARDENED = 1 << 31


def child(parent: Point, chain_code: bytes, index: int) -> tuple[Scalar, bytes]:
    """Return the tweak I_L of child `index`, below 2**31, and the child's chain code I_R.

    Raises: DegenerateTweak if I_L is not below the order.
    """
    digest = hmac.digest(chain_code, parent + index.to_bytes(4, "big"), "sha512")
    try:
        return SECP256K1.parse_scalar(digest[:32]), digest[32:]
    except BadEncoding:
        raise DegenerateTweak("the tweak is not below the order") from None
