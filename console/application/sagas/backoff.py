"""Pauses between attempts: exponential, bounded, with jitter so that members do not collide."""

import secrets
from dataclasses import dataclass

_JITTER_STEPS = 1000
_MAX_DOUBLINGS = 32


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before attempt n (from 1): `first_s * 2^(n-1)`, at most `last_s`."""

    first_s: float = 0.25
    last_s: float = 8.0

    def pause_s(self, attempt: int) -> float:
        """Return the pause after the given attempt, between half and all of its bound."""
        doublings = min(max(attempt, 1) - 1, _MAX_DOUBLINGS)
        bound = min(self.first_s * float(2**doublings), self.last_s)
        return bound * (0.5 + secrets.randbelow(_JITTER_STEPS) / (2 * _JITTER_STEPS))
