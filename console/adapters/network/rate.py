"""Token buckets: the rate of requests that one peer may send."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBucket:
    """Refills `rate_per_s` tokens a second up to `burst`; each request takes one."""

    rate_per_s: float
    burst: float
    monotonic_s: Callable[[], float]
    _tokens: float = field(init=False)
    _at_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Start full."""
        self._tokens = self.burst
        self._at_s = self.monotonic_s()

    def take(self) -> bool:
        """Take a token, or return False."""
        now = self.monotonic_s()
        self._tokens = min(self.burst, self._tokens + (now - self._at_s) * self.rate_per_s)
        self._at_s = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
