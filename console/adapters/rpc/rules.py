"""How one method's answers of several nodes become one, and the shape that each must have."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Way(Enum):
    """Whose word counts."""

    AGREED = "all must tell the same"
    LOWEST = "all must answer, the lowest figure counts"
    HIGHEST = "all must answer, the highest figure counts"
    FIRST = "all must answer, the first one is shown"
    ANY = "the first that takes the call"
    HANDED_OVER = "all are given it, one that takes it is enough"


def number(quantity: str) -> int:
    """Return a hexadecimal quantity as a number."""
    return int(quantity, 16)


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one method. `figure` is what LOWEST and HIGHEST compare."""

    way: Way
    kind: Any
    figure: Callable[[Any], int] = number
