"""Clock: the only source of time."""

from typing import Protocol


class Clock(Protocol):
    """Wall time for records and expiry, monotonic time for time-outs."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards."""
        ...
