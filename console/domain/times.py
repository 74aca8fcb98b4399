"""Times that members sign, in UTC milliseconds: bounded when they are received.

A clock may be wrong and a member may lie, so no signed time opens a request for ever, closes a
page that shows it, or decides between two facts by more than the clocks may differ.
"""

from console.domain.errors import Conflict, Expired

MAX_CLOCK_SKEW_MS = 300_000
"""How far apart the clocks of two members may be."""
MAX_LIFETIME_MS = 7 * 86_400_000
"""How long a request or a ceremony may stay open."""
END_OF_TIME_MS = 1 << 42
"""In the year 2109: a time beyond it is no time, and before 1970 neither."""


def require_lifetime(from_ms: int, to_ms: int) -> None:
    """Check how long a proposal stays open. Raises: Conflict."""
    if not 0 < to_ms - from_ms <= MAX_LIFETIME_MS:
        raise Conflict("a proposal is open for at most 7 days")


def require_during(at_ms: int, from_ms: int, to_ms: int, again: str) -> None:
    """Check that an answer is dated within a proposal's time, as far as clocks may differ.

    Raises: Conflict, Expired with `again`, which says what to do.
    """
    # The proposer's clock may be ahead of the common time, and the other's behind it.
    if at_ms < from_ms - 2 * MAX_CLOCK_SKEW_MS:
        raise Conflict("the answer is dated before the proposal: a clock is wrong")
    if at_ms >= to_ms:
        raise Expired(again)
