"""Children of an Ed25519 key: our own rule, for no standard has unhardened ones.

Like BIP 32 it adds a hash of the parent and the index to the key, so that every party derives
alone; unlike BIP32-Ed25519 it does not clamp, since shares are scalars modulo the order. No other
wallet derives these addresses (docs/spec 7.1).
"""

from console.protocols.kernel.transcript import XOF, Tag
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Point, Scalar


def child(parent: Point, chain_code: bytes, index: int) -> tuple[Scalar, bytes]:
    """Return the tweak of child `index`, 64 bytes modulo the order, and the child's chain code."""
    expanded = XOF(Tag.ED25519_CHILD, 96, chain_code, parent, index)
    return ED25519.reduce(expanded[:64]), expanded[64:]
