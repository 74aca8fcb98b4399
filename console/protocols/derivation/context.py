"""A key and all tweaks applied to it, as gacc and tacc of BIP 445 (docs/spec 2.4)."""

from dataclasses import dataclass, replace
from typing import Self

from console.protocols.math.group import Group, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1


class DegenerateTweak(Exception):
    """A tweak is not below the order, or leads to the identity: take the next index.

    The chance of it is below 2**-127.
    """


@dataclass(frozen=True, slots=True)
class TweakContext:
    """The tweaked key Q = gacc * Y + tacc * G, where gacc is 1 or -1."""

    group: Group
    Q: Point
    gacc: int
    tacc: Scalar

    @classmethod
    def of(cls, group: Group, key: Point) -> Self:
        """Begin with an untweaked key: (Y, 1, 0)."""
        return cls(group, key, 1, group.scalar(0))

    def apply(self, tweak: Scalar) -> Self:
        """Add a plain tweak, as BIP 32 does. Raises: DegenerateTweak."""
        Q = self.group.add(self.Q, self.group.base(tweak))
        if self.group.identity == Q:
            raise DegenerateTweak("the tweaked key is the identity")
        return replace(self, Q=Q, tacc=self.group.add_scalars(tweak, self.tacc))

    def apply_x_only(self, tweak: Scalar) -> Self:
        """Add an x-only tweak, as BIP 341 does: to Q or -Q, whichever has even y.

        The key must be of secp256k1. Raises: DegenerateTweak.
        """
        if SECP256K1.has_even_y(self.Q):
            return self.apply(tweak)
        negated = replace(
            self,
            Q=self.group.negate(self.Q),
            gacc=-self.gacc,
            tacc=self.group.negate_scalar(self.tacc),
        )
        return negated.apply(tweak)

    def points(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Apply the tweaks to public shares: adding the constant polynomial tacc to all."""
        shift = self.group.base(self.tacc)
        signed = points if self.gacc == 1 else tuple(self.group.negate(p) for p in points)
        return tuple(self.group.add(p, shift) for p in signed)

    def scalar(self, secret: Scalar) -> Scalar:
        """Apply the tweaks to a party's secret share: gacc * x_i + tacc."""
        signed = secret if self.gacc == 1 else self.group.negate_scalar(secret)
        return self.group.add_scalars(signed, self.tacc)
