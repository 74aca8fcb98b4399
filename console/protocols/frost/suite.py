"""What distinguishes one FROST ciphersuite from another (RFC 9591, section 6)."""

from collections.abc import Callable
from dataclasses import dataclass

from console.protocols.math.group import Group, Point, Scalar

HashToScalar = Callable[[bytes], Scalar]
Hash = Callable[[bytes], bytes]


class InvalidSignature(Exception):
    """A signature does not verify, or is not in its one canonical form."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A group with its hashes, named as in RFC 9591; `HDKG` is the one of the FROST paper's DKG.

    `challenge(R, Y, m)` is H2 over the encodings, `encode(R, z)` the final signature, and
    `verify(Y, m, signature)` raises InvalidSignature.
    """

    name: str
    group: Group
    H1: HashToScalar
    H3: HashToScalar
    H4: Hash
    H5: Hash
    HDKG: HashToScalar
    challenge: Callable[[Point, Point, bytes], Scalar]
    encode: Callable[[Point, Scalar], bytes]
    verify: Callable[[bytes, bytes, bytes], None]
