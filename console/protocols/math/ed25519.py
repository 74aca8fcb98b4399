"""The prime-order group of edwards25519, with libsodium doing the arithmetic."""

import hmac

from nacl import bindings

from console.protocols.kernel.party import Random
from console.protocols.math.group import BadEncoding, Buffer, Group, Point, Scalar

L = 2**252 + 27742317777372353535851937790883648493


class Ed25519(Group):
    """Scalars and points are 32 bytes, little-endian, as in RFC 8032."""

    name = "ed25519"
    order = L
    scalar_size = 32
    point_size = 32
    generator = Point(bytes.fromhex("58" + "66" * 31))
    identity = Point(b"\x01" + bytes(31))

    def parse_point(self, data: Buffer) -> Point:
        point = bytes(data)
        if point in VALID_POINTS:
            return Point(point)
        # The backend checks canonical form, curve, small order and the prime-order subgroup.
        if len(point) != 32 or not bindings.crypto_core_ed25519_is_valid_point(point):
            raise BadEncoding("not a point of the prime-order group of ed25519")
        return _remembered(Point(point))

    def parse_scalar(self, data: Buffer) -> Scalar:
        if len(data) != 32:
            raise BadEncoding("a scalar of ed25519 has 32 bytes")
        reduced: bytes = bindings.crypto_core_ed25519_scalar_reduce(bytes(data) + bytes(32))
        if not hmac.compare_digest(reduced, data):
            raise BadEncoding("the scalar is not below the order of ed25519")
        return Scalar(reduced)

    def scalar(self, value: int) -> Scalar:
        return Scalar((value % L).to_bytes(32, "little"))

    def public_int(self, scalar: Scalar) -> int:
        return int.from_bytes(scalar, "little")

    def reduce(self, data: bytes) -> Scalar:
        """Reduce 64 bytes, little-endian, modulo the order."""
        return Scalar(bindings.crypto_core_ed25519_scalar_reduce(data))

    def random_scalar(self, random: Random) -> Scalar:
        scalar = self.reduce(random(64))
        if self.is_zero(scalar):
            # Only a broken source gives zero: stop rather than draw until it looks right.
            raise BadEncoding("the random source gave the zero scalar")
        return scalar

    def is_zero(self, scalar: Scalar) -> bool:
        return hmac.compare_digest(scalar, bytes(32))

    def add_scalars(self, a: Scalar, b: Scalar) -> Scalar:
        return Scalar(bindings.crypto_core_ed25519_scalar_add(a, b))

    def multiply_scalars(self, a: Scalar, b: Scalar) -> Scalar:
        return Scalar(bindings.crypto_core_ed25519_scalar_mul(a, b))

    def negate_scalar(self, a: Scalar) -> Scalar:
        return Scalar(bindings.crypto_core_ed25519_scalar_negate(a))

    def base(self, k: Scalar) -> Point:
        if self.is_zero(k):
            return self.identity
        return _remembered(Point(bindings.crypto_scalarmult_ed25519_base_noclamp(k)))

    def multiply(self, k: Scalar, point: Point, random: Random) -> Point:  # noqa: ARG002
        # The backend takes the same time for all scalars: nothing to blind.
        return self._product(k, point)

    def multiply_public(self, k: int, point: Point) -> Point:
        return self._product(self.scalar(k), point)

    def _product(self, k: Scalar, point: Point) -> Point:
        # The backend raises where the result is the identity; a peer must not choose our crash.
        if self.is_zero(k) or point == self.identity:
            return self.identity
        return Point(bindings.crypto_scalarmult_ed25519_noclamp(k, point))

    def add(self, a: Point, b: Point) -> Point:
        return Point(bindings.crypto_core_ed25519_add(a, b))

    def subtract(self, a: Point, b: Point) -> Point:
        return Point(bindings.crypto_core_ed25519_sub(a, b))

    def negate(self, point: Point) -> Point:
        return self.subtract(self.identity, point)


# Points that were checked or are multiples of the generator: a check costs half a product.
VALID_POINTS: set[bytes] = set()
MAX_VALID_POINTS = 2048


def _remembered(point: Point) -> Point:
    if len(VALID_POINTS) >= MAX_VALID_POINTS:
        VALID_POINTS.clear()
    VALID_POINTS.add(point)
    return point


ED25519 = Ed25519()
