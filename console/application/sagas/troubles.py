"""What is in the way of something, in memory: nothing is on record of what has not happened."""

from collections.abc import Callable

from console.domain.text import printable
from console.domain.values import MAX_REASON

MAX_TROUBLES = 512
"""Reasons that are kept; the oldest gives way."""


class Troubles:
    """The newest reason for each ceremony or request that this node could not start or follow."""

    def __init__(self, moved: Callable[[str], None]) -> None:
        self._moved = moved
        self._reasons: dict[str, str] = {}

    def of(self, subject: str) -> str:
        """Return why a subject has not begun; "" if nothing is known."""
        return self._reasons.get(subject, "")

    def note(self, subject: str, reason: str) -> None:
        """Keep a reason, which may quote a peer."""
        text = printable(reason, MAX_REASON).rstrip(".")
        known = self._reasons.pop(subject, None)
        if len(self._reasons) >= MAX_TROUBLES:
            del self._reasons[next(iter(self._reasons))]
        self._reasons[subject] = text
        if text != known:
            self._moved(subject)

    def clear(self, subject: str) -> None:
        """Forget a reason: it has begun, or is over."""
        if self._reasons.pop(subject, None) is not None:
            self._moved(subject)
