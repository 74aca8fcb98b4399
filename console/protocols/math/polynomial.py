"""Shamir's polynomials over a group's scalars, and Lagrange interpolation."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Self

from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.group import Group, Point, Scalar


class BadIndices(ValueError):
    """Party indices are zero or equal modulo the group order."""


def check_indices(indices: Iterable[int], order: int) -> None:
    """Refuse indices that are zero or repeat modulo `order`: they reveal or cancel shares."""
    reduced = [index % order for index in indices]
    if 0 in reduced or len(set(reduced)) != len(reduced):
        raise BadIndices("indices must be nonzero and distinct modulo the group order")


def lagrange(index: int, indices: Iterable[int], order: int, at: int = 0) -> int:
    """Return the coefficient of `index` when interpolating over `indices` at the point `at`.

    Raises: BadIndices.
    """
    return _lagrange(index, tuple(indices), order, at)


@lru_cache(maxsize=4096)
def _lagrange(index: int, xs: tuple[int, ...], order: int, at: int) -> int:
    check_indices(xs, order)
    if index not in xs:
        raise BadIndices("the index is not among those interpolated")
    numerator = denominator = 1
    for x in xs:
        if x != index:
            numerator = numerator * (at - x) % order
            denominator = denominator * (index - x) % order
    return numerator * pow(denominator, -1, order) % order


def interpolate(group: Group, points: Mapping[int, Point], at: int = 0) -> Point:
    """Evaluate in the exponent the polynomial that passes through `points`."""
    return group.sum(
        group.multiply_public(lagrange(i, points, group.order, at), point)
        for i, point in sorted(points.items())
    )


class Polynomial:
    """A secret polynomial of degree threshold - 1; wiped by `wipe`."""

    __slots__ = ("_coefficients", "_group")

    def __init__(self, group: Group, coefficients: list[SecretBytes]) -> None:
        self._group = group
        self._coefficients = coefficients

    @classmethod
    def draw(cls, group: Group, threshold: int, random: Random) -> Self:
        """Draw all coefficients at random, none of them zero."""
        return cls.through(SecretBytes(group.random_scalar(random)), group, threshold, random)

    @classmethod
    def through(cls, constant: SecretBytes, group: Group, threshold: int, random: Random) -> Self:
        """Draw a polynomial with this constant term, which it owns from now on."""
        scalars = (group.random_scalar(random) for _ in range(threshold - 1))
        return cls(group, [constant, *(SecretBytes(scalar) for scalar in scalars)])

    @property
    def group(self) -> Group:
        return self._group

    @property
    def constant(self) -> SecretBytes:
        return self._coefficients[0]

    @property
    def slope(self) -> SecretBytes:
        return self._coefficients[1]

    def evaluate(self, x: int) -> SecretBytes:
        """Return the share of index `x`, which must not be zero. Raises: BadIndices."""
        check_indices((x,), self._group.order)
        at = self._group.scalar(x)
        total = self._group.scalar(0)
        for coefficient in reversed(self._coefficients):
            total = self._group.multiply_scalars(total, at)
            total = self._group.add_scalars(total, Scalar(bytes(coefficient.view())))
        return SecretBytes(total)

    def commitments(self) -> tuple[Point, ...]:
        """Return each coefficient times the generator, constant term first."""
        return tuple(self._group.base(Scalar(bytes(c.view()))) for c in self._coefficients)

    def wipe(self) -> None:
        for coefficient in self._coefficients:
            coefficient.wipe()
