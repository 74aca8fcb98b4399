"""The group of secp256k1, with libsecp256k1 doing the arithmetic."""

import hmac
from collections.abc import Iterable
from typing import Any

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from console.protocols.kernel.party import Random
from console.protocols.math.group import BadEncoding, Buffer, Group, Point, Scalar

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_CONTEXT = GLOBAL_CONTEXT.ctx  # randomised, so that multiplications of the generator are blinded
_ZERO = bytes(32)
_2_192 = (1 << 192).to_bytes(32, "big")
_COMPRESSED = lib.SECP256K1_EC_COMPRESSED
_EVEN, _ODD = 2, 3


class Secp256k1(Group):
    """Scalars are 32 bytes, big-endian; points 33 bytes, compressed (SEC 1, section 2.3.3).

    The identity has no such encoding: it is 33 zero bytes here, which no parser accepts.
    """

    name = "secp256k1"
    order = N
    scalar_size = 32
    point_size = 33
    generator = Point(
        bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    )
    identity = Point(bytes(33))

    def parse_point(self, data: Buffer) -> Point:
        # By length first: the backend would take uncompressed and hybrid forms as well.
        point = bytes(data)
        if len(point) != 33 or _parsed(point) is None:
            raise BadEncoding("not a compressed point of secp256k1")
        return Point(point)

    def parse_scalar(self, data: Buffer) -> Scalar:
        scalar = bytes(data)
        if len(scalar) != 32:
            raise BadEncoding("a scalar of secp256k1 has 32 bytes")
        if not (self.is_zero(Scalar(scalar)) or lib.secp256k1_ec_seckey_verify(_CONTEXT, scalar)):
            raise BadEncoding("the scalar is not below the order of secp256k1")
        return Scalar(scalar)

    def scalar(self, value: int) -> Scalar:
        return Scalar((value % N).to_bytes(32, "big"))

    def public_int(self, scalar: Scalar) -> int:
        return int.from_bytes(scalar, "big")

    def reduce(self, data: bytes) -> Scalar:
        """Reduce 48 bytes, big-endian, modulo the order: high * 2**192 + low, in the backend."""
        high, low = bytes(8) + data[:24], bytes(8) + data[24:48]
        return self.add_scalars(self.multiply_scalars(Scalar(high), Scalar(_2_192)), Scalar(low))

    def random_scalar(self, random: Random) -> Scalar:
        scalar = self.reduce(random(48))
        if self.is_zero(scalar):
            # Only a broken source gives zero: stop rather than draw until it looks right.
            raise BadEncoding("the random source gave the zero scalar")
        return scalar

    def is_zero(self, scalar: Scalar) -> bool:
        return hmac.compare_digest(scalar, _ZERO)

    def add_scalars(self, a: Scalar, b: Scalar) -> Scalar:
        total = ffi.new("unsigned char[32]", a)
        # For scalars in range the backend refuses a zero, as `a` or as the sum, and writes zero.
        # A secret is zero with a chance of 2**-256, so that the branch reveals nothing of it.
        if not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, total, b) and self.is_zero(a):
            return b
        return Scalar(bytes(ffi.buffer(total)))

    def multiply_scalars(self, a: Scalar, b: Scalar) -> Scalar:
        product = ffi.new("unsigned char[32]", a)
        # Here too a refusal means that a factor is zero, and that zero has been written.
        lib.secp256k1_ec_seckey_tweak_mul(_CONTEXT, product, b)
        return Scalar(bytes(ffi.buffer(product)))

    def negate_scalar(self, a: Scalar) -> Scalar:
        negated = ffi.new("unsigned char[32]", a)
        lib.secp256k1_ec_seckey_negate(_CONTEXT, negated)
        return Scalar(bytes(ffi.buffer(negated)))

    def base(self, k: Scalar) -> Point:
        product = ffi.new("secp256k1_pubkey *")
        if not lib.secp256k1_ec_pubkey_create(_CONTEXT, product, k):
            return self.identity
        return _remembered(product)

    def multiply(self, k: Scalar, point: Point, random: Random) -> Point:
        # The backend's product with a variable point takes time that depends on the scalar, so
        # it sees k - r and r only, each of which is random by itself.
        r = self.random_scalar(random)
        rest = self.add_scalars(k, self.negate_scalar(r))
        total = _sum([_product(rest, point), _product(r, point)])
        return self.identity if total is None else _encoded(total)  # a secret: not remembered

    def multiply_public(self, k: int, point: Point) -> Point:
        product = _product(self.scalar(k), point)
        return self.identity if product is None else _remembered(product)

    def add_multiple(self, point: Point, k: int, other: Point) -> Point:
        total = _sum([_known(point), _product(self.scalar(k), other)])
        return self.identity if total is None else _remembered(total)

    def add(self, a: Point, b: Point) -> Point:
        return self.sum((a, b))

    def subtract(self, a: Point, b: Point) -> Point:
        return self.sum((a, self.negate(b)))

    def negate(self, point: Point) -> Point:
        if point == self.identity:
            return point
        return Point(bytes((point[0] ^ 1,)) + point[1:])

    def sum(self, points: Iterable[Point]) -> Point:
        total = _sum([_known(point) for point in points])
        return self.identity if total is None else _remembered(total)

    def has_even_y(self, point: Point) -> bool:
        """Return the parity of y; the identity has none and counts as odd."""
        return point[0] == _EVEN

    def x_only(self, point: Point) -> bytes:
        """Return the 32 bytes of x, the public key of BIP 340."""
        return point[1:]

    def lift_x(self, x: Buffer) -> Point:
        """Accept 32 bytes of x and return the point with even y (BIP 340). Raises: BadEncoding."""
        return self.parse_point(bytes((_EVEN,)) + bytes(x))


# Points that were parsed or computed recently: to decompress one costs a sixth of a product. What
# is in here is shared, so the backend never writes to it. A product of `multiply` is not in here.
KNOWN_POINTS: dict[bytes, Any] = {}
MAX_KNOWN_POINTS = 2048


def _parsed(point: bytes) -> Any:
    """Decompress a point other than the identity; return None if it is not one."""
    key = KNOWN_POINTS.get(point)
    if key is None:
        key = ffi.new("secp256k1_pubkey *")
        if not lib.secp256k1_ec_pubkey_parse(_CONTEXT, key, point, len(point)):
            return None
        _remember(point, key)
    return key


def _known(point: Point) -> Any:
    """Decompress a point that was parsed or computed before; None if it is the identity."""
    if point == SECP256K1.identity:
        return None
    key = _parsed(point)
    if key is None:
        raise BadEncoding("not a point of secp256k1")  # never taken for the identity
    return key


def _remember(point: bytes, key: Any) -> None:
    if len(KNOWN_POINTS) >= MAX_KNOWN_POINTS:
        KNOWN_POINTS.clear()
    KNOWN_POINTS[point] = key


def _remembered(key: Any) -> Point:
    point = _encoded(key)
    _remember(point, key)
    return point


def _encoded(key: Any) -> Point:
    out, size = ffi.new("unsigned char[33]"), ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(_CONTEXT, out, size, key, _COMPRESSED)
    return Point(bytes(ffi.buffer(out)))


def _product(k: Scalar, point: Point) -> Any:
    """Multiply by a scalar in time that depends on it; None for the identity."""
    key = _known(point)
    if key is None:
        return None
    product = ffi.new("secp256k1_pubkey *", key[0])
    return product if lib.secp256k1_ec_pubkey_tweak_mul(_CONTEXT, product, k) else None


def _sum(terms: list[Any]) -> Any:
    """Add points, of which None is the identity; None if that is what comes out."""
    keys = [term for term in terms if term is not None]
    total = ffi.new("secp256k1_pubkey *")
    # The backend refuses the empty sum and a sum at infinity. A peer can bring about either.
    if keys and lib.secp256k1_ec_pubkey_combine(_CONTEXT, total, keys, len(keys)):
        return total
    return None


SECP256K1 = Secp256k1()
