"""What distinguishes one FROST ciphersuite from another (RFC 9591, section 6)."""

from collections.abc import Callable
from dataclasses import dataclass

from console.protocols.math.group import Group, Point, Scalar

HashToScalar = Callable[[bytes], Scalar]
Hash = Callable[[bytes], bytes]


class InvalidSignature(Exception):
    """A signature does not verify, or is not in its one canonical form."""


def _never(_point: Point) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Suite:
    """A group with its hashes, named as in RFC 9591.

    `challenge(R, Y, m)` is H2 over the encodings, `encode(R, z)` the final signature and `decode`
    its inverse, which raises BadEncoding; `verify(Y, m, signature)` raises InvalidSignature.
    `negates(point)` says whether the secret behind a key or a group commitment is used negated,
    as BIP 340 does wherever y is odd.
    """

    name: str
    group: Group
    H1: HashToScalar
    H3: HashToScalar
    H4: Hash
    H5: Hash
    challenge: Callable[[Point, Point, bytes], Scalar]
    encode: Callable[[Point, Scalar], bytes]
    decode: Callable[[bytes], tuple[Point, Scalar]]
    verify: Callable[[bytes, bytes, bytes], None]
    negates: Callable[[Point], bool] = _never
