"""Derivation paths: only unhardened steps can be derived without the whole secret."""

import re
from collections.abc import Iterable

from console.protocols.derivation.bip32 import HARDENED

MAX_DEPTH = 255

_STEP = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


class PathRefused(ValueError):
    """A path has a hardened step, is too deep, or is not a path at all."""


def check_path(path: Iterable[int]) -> tuple[int, ...]:
    """Accept unhardened steps, each in 0..2**31-1. Raises: PathRefused."""
    steps = tuple(path)
    if len(steps) > MAX_DEPTH:
        raise PathRefused("the path is too deep")
    if any(step >= HARDENED for step in steps):
        # A hardened child depends on the secret key, which no party has.
        raise PathRefused("a hardened step cannot be derived from shares")
    if any(step < 0 for step in steps):
        raise PathRefused("a step is negative")
    return steps


def parse_path(text: str) -> tuple[int, ...]:
    """Read `m/0/5` as (0, 5). Raises: PathRefused."""
    root, *steps = text.split("/")
    if root != "m":
        raise PathRefused("a path begins with m")
    if any(step.endswith(("'", "h", "H")) for step in steps):
        raise PathRefused("a hardened step cannot be derived from shares")
    if not all(_STEP.fullmatch(step) for step in steps):
        raise PathRefused("a step is not a number")
    return check_path(int(step) for step in steps)
