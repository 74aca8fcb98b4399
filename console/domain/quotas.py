"""Quotas: how many things of a kind one member may begin in a day, by the dates that it signs.

Every node counts what its own ledger holds. A member that dates its statements back gains little:
they must lie within a day of its newest one.
"""

from collections import defaultdict, deque
from enum import Enum

from console.domain.errors import PolicyViolation
from console.domain.ids import MemberId

DAY_MS = 86_400_000


class Counted(Enum):
    """What is counted, and how many of it a member may begin in a day."""

    CEREMONY = 50
    REQUEST = 5_000
    ENDORSEMENT = 20
    LINK_CHANGE = 24


class Quotas:
    """What members have begun lately."""

    def __init__(self) -> None:
        self._begun: dict[tuple[MemberId, Counted], deque[int]] = {}
        self._newest: dict[tuple[MemberId, Counted], int] = defaultdict(int)

    def count(self, member: MemberId, what: Counted, at_ms: int) -> None:
        """Count one that is on record."""
        key = (member, what)
        if key not in self._begun:
            self._begun[key] = deque(maxlen=what.value)
        self._begun[key].append(at_ms)
        self._newest[key] = max(self._newest[key], at_ms)

    def require(self, member: MemberId, what: Counted, at_ms: int) -> None:
        """Check that a member may begin one more. Raises: PolicyViolation."""
        key = (member, what)
        if at_ms < self._newest[key] - DAY_MS:
            raise PolicyViolation(f"{member} dates it more than a day before its newest one")
        begun = self._begun.get(key, ())
        if sum(at > at_ms - DAY_MS for at in begun) >= what.value:
            raise PolicyViolation(
                f"{member} has begun {what.value} in a day, which is the most that is taken"
            )
