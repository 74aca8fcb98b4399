"""Hashing to scalars and to points of secp256k1 whose logarithm nobody knows (RFC 9380).

Inputs are public: the map to the curve takes time that depends on them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from console.protocols.math.group import Point
from console.protocols.math.secp256k1 import SECP256K1

P = 2**256 - 2**32 - 977

SHA256 = hashlib.sha256
SHA512 = hashlib.sha512

# The curve E' on which the map of section 6.6.2 is defined (section 8.7), and its 3-isogeny to
# secp256k1 (appendix E.1): numerators and denominators of x and y, highest power first.
_A = 0x3F8731ABDD661ADCA08A5558F0F5D272E953D363CB6F0E5D405447C01A444533
_B = 1771
_Z = -11
_MINUS_B_OVER_A = -_B * pow(_A, -1, P) % P
_ROOT_OF_MINUS_Z_CUBED = pow(-(_Z**3), (P + 1) // 4, P)
_B_OVER_ZA = _B * pow(_Z * _A, -1, P) % P
_X_NUMERATOR = (
    0x8E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38DAAAAA88C,
    0x534C328D23F234E6E2A413DECA25CAECE4506144037C40314ECBD0B53D9DD262,
    0x07D3D4C80BC321D5B9F315CEA7FD44C5D595D2FC0BF63B92DFFF1044F17C6581,
    0x8E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38E38DAAAAA8C7,
)
_X_DENOMINATOR = (
    1,
    0xEDADC6F64383DC1DF7C4B2D51B54225406D36B641F5E41BBC52A56612A8C6D14,
    0xD35771193D94918A9CA34CCBB7B640DD86CD409542F8487D9FE6B745781EB49B,
)
_Y_NUMERATOR = (
    0x2F684BDA12F684BDA12F684BDA12F684BDA12F684BDA12F684BDA12F38E38D84,
    0x29A6194691F91A73715209EF6512E576722830A201BE2018A765E85A9ECEE931,
    0xC75E0C32D5CB7C0FA9D0A54B12A0A6D5647AB046D686DA6FDFFC90FC201D71A3,
    0x4BDA12F684BDA12F684BDA12F684BDA12F684BDA12F684BDA12F684B8E38E23C,
)
_Y_DENOMINATOR = (
    1,
    0x6484AA716545CA2CF3A70C3FA8FE337E0A3D21162F0D6299A7BF8192BFD2A76F,
    0x7A06534BB8BDB49FD5E9E6632722C2989467C1BFC8E8D978DFB425D2685C2573,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFF93B,
)


class BadExpansion(ValueError):
    """A domain separation tag is empty, or more output is asked for than the hash can give."""


@dataclass(frozen=True, slots=True)
class _Expander:
    """What of an expansion depends only on the tag and the hash."""

    padding: bytes
    suffix: bytes
    size: int

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, dst: bytes, algorithm: Callable[[bytes], Any]) -> Self:
        if not dst:
            raise BadExpansion("a domain separation tag must not be empty")
        if len(dst) > 255:
            dst = algorithm(b"H2C-OVERSIZE-DST-" + dst).digest()
        empty = algorithm(b"")
        return cls(bytes(empty.block_size), dst + bytes((len(dst),)), empty.digest_size)


def expand_message_xmd(
    message: bytes, dst: bytes, size: int, algorithm: Callable[[bytes], Any] = SHA256
) -> bytes:
    """Expand a message to `size` uniform bytes under a domain separation tag (section 5.3.1).

    Raises: BadExpansion.
    """
    expander = _Expander.of(dst, algorithm)
    blocks = -(-size // expander.size)
    if blocks > 255:  # so that its length fits into two bytes as well
        raise BadExpansion("the output is too long for the hash")
    head = expander.padding + message + size.to_bytes(2, "big") + b"\x00" + expander.suffix
    first: bytes = algorithm(head).digest()
    block: bytes = algorithm(first + b"\x01" + expander.suffix).digest()
    out = [block]
    for number in range(2, blocks + 1):
        mixed = int.from_bytes(first, "big") ^ int.from_bytes(block, "big")
        row = mixed.to_bytes(expander.size, "big") + bytes((number,)) + expander.suffix
        block = algorithm(row).digest()
        out.append(block)
    return b"".join(out)[:size]


def hash_to_field(
    message: bytes,
    dst: bytes,
    modulus: int,
    count: int,
    algorithm: Callable[[bytes], Any] = SHA256,
) -> tuple[int, ...]:
    """Hash to `count` numbers below a 256-bit modulus, 48 bytes each (section 5.2)."""
    uniform = expand_message_xmd(message, dst, 48 * count, algorithm)
    return tuple(
        int.from_bytes(uniform[at : at + 48], "big") % modulus for at in range(0, len(uniform), 48)
    )


def hash_to_secp256k1(message: bytes, dst: bytes) -> Point:
    """Hash to a point with the suite secp256k1_XMD:SHA-256_SSWU_RO_ (section 8.7)."""
    u = hash_to_field(message, dst, P, 2)
    return SECP256K1.sum(map_to_secp256k1(value) for value in u)


def map_to_secp256k1(u: int) -> Point:
    """Map one field element to the curve (sections 6.6.2 and 6.6.3, appendix E.1)."""
    x, y = _simplified_swu(u)
    x_denominator, y_denominator = _evaluate(_X_DENOMINATOR, x), _evaluate(_Y_DENOMINATOR, x)
    # Never zero: at the common root of the denominators, the right side of E' is not a square.
    inverse = pow(x_denominator * y_denominator, -1, P)
    mapped_x = _evaluate(_X_NUMERATOR, x) * inverse * y_denominator % P
    mapped_y = y * _evaluate(_Y_NUMERATOR, x) * inverse * x_denominator % P
    return SECP256K1.parse_point(bytes((2 | mapped_y & 1,)) + mapped_x.to_bytes(32, "big"))


def _simplified_swu(u: int) -> tuple[int, int]:
    """Give a point of E' (section 6.6.2): the first of two candidates to lie on it."""
    tv1 = _Z * u * u % P
    tv2 = (tv1 * tv1 + tv1) % P
    x = _MINUS_B_OVER_A * (1 + pow(tv2, -1, P)) % P if tv2 else _B_OVER_ZA
    square = (x * x * x + _A * x + _B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        # Then y is a root of -square, and the right side at tv1 * x is tv1**3 * square: no second
        # root has to be drawn (compare appendix F.2.1.2).
        x, y = tv1 * x % P, _ROOT_OF_MINUS_Z_CUBED * u * u * u * y % P
    return x, y if (y ^ u) & 1 == 0 else P - y


def _evaluate(coefficients: tuple[int, ...], x: int) -> int:
    total = 0
    for coefficient in coefficients:
        total = (total * x + coefficient) % P
    return total
