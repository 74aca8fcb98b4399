"""What a protocol needs of a prime-order group; one instance per curve.

Scalars and points are their canonical encodings. A value of type `Scalar` or `Point` has been
parsed or computed here, so protocols never meet an invalid one. Secret scalars are added,
multiplied and negated by the C backend; `int` is for public scalars. The one exception is
`ot.vole`, which says what it computes with Python integers, and what that may reveal.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NewType

from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes

Scalar = NewType("Scalar", bytes)
Point = NewType("Point", bytes)

Buffer = bytes | bytearray | memoryview


class BadEncoding(ValueError):
    """Bytes are not the canonical encoding of an acceptable scalar or point. Never quotes them."""


class Group(ABC):
    """A group of prime `order`; `scalar_size` and `point_size` are in bytes."""

    name: str
    order: int
    scalar_size: int
    point_size: int
    generator: Point
    identity: Point

    @abstractmethod
    def parse_point(self, data: Buffer) -> Point:
        """Accept a canonical point of the prime-order group other than the identity.

        Raises: BadEncoding, also for small and mixed order, and points off the curve.
        """

    @abstractmethod
    def parse_scalar(self, data: Buffer) -> Scalar:
        """Accept a canonical scalar below the order, zero included. Raises: BadEncoding."""

    def parse_nonzero_scalar(self, data: Buffer) -> Scalar:
        """Accept a canonical scalar in 1..order-1. Raises: BadEncoding."""
        scalar = self.parse_scalar(data)
        if self.is_zero(scalar):
            raise BadEncoding("the scalar is zero")
        return scalar

    def secret_scalar(self, secret: SecretBytes) -> Scalar:
        """Read a nonzero secret for use by the backend. Raises: BadEncoding."""
        return self.parse_nonzero_scalar(secret.view())

    @abstractmethod
    def scalar(self, value: int) -> Scalar:
        """Encode a public integer, reduced modulo the order."""

    @abstractmethod
    def public_int(self, scalar: Scalar) -> int:
        """Decode a public scalar."""

    @abstractmethod
    def reduce(self, data: bytes) -> Scalar:
        """Reduce uniform bytes, wider than the order by 128 bits or more."""

    @abstractmethod
    def random_scalar(self, random: Random) -> Scalar:
        """Draw a nonzero scalar, with a bias below 2**-128."""

    @abstractmethod
    def is_zero(self, scalar: Scalar) -> bool: ...

    @abstractmethod
    def add_scalars(self, a: Scalar, b: Scalar) -> Scalar: ...

    @abstractmethod
    def multiply_scalars(self, a: Scalar, b: Scalar) -> Scalar: ...

    @abstractmethod
    def negate_scalar(self, a: Scalar) -> Scalar: ...

    def sum_scalars(self, scalars: Iterable[Scalar]) -> Scalar:
        rest = iter(scalars)
        total = next(rest, None)
        if total is None:
            return self.scalar(0)
        for scalar in rest:
            total = self.add_scalars(total, scalar)
        return total

    @abstractmethod
    def base(self, k: Scalar) -> Point:
        """Multiply the generator by a secret scalar."""

    @abstractmethod
    def multiply(self, k: Scalar, point: Point, random: Random) -> Point:
        """Multiply a point by a secret scalar; `random` blinds the work where that is needed."""

    @abstractmethod
    def multiply_public(self, k: int, point: Point) -> Point:
        """Multiply a point by a public integer; may take time that depends on it."""

    @abstractmethod
    def add(self, a: Point, b: Point) -> Point: ...

    @abstractmethod
    def subtract(self, a: Point, b: Point) -> Point: ...

    @abstractmethod
    def negate(self, point: Point) -> Point: ...

    def add_multiple(self, point: Point, k: int, other: Point) -> Point:
        """Return point + k * other, where k is public."""
        return self.add(point, self.multiply_public(k, other))

    def sum(self, points: Iterable[Point]) -> Point:
        rest = iter(points)
        total = next(rest, self.identity)
        for point in rest:
            total = self.add(total, point)
        return total
