"""The machine's clocks."""

import time


class SystemClock:
    """Wall time from the system, monotonic time from boot."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()
