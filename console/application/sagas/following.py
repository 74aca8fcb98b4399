"""One request that is followed on its chain: its pauses, and since when no node answers."""

import asyncio

from console.application.sagas.backoff import Backoff

PAUSES = Backoff(first_s=0.2, last_s=600.0)
"""Between looks. What waits for half a day is looked at every 10 min, and after a long absence of
the chain's node nobody waits longer than that."""


class Following:
    """What an operator can hurry."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._urgent = False
        self.silent_since_ms: int | None = None

    def hurry(self) -> None:
        """End the pause; the next look broadcasts, whose turn it may be."""
        self._urgent = True
        self._wake.set()

    def take_hurry(self) -> bool:
        """Return whether the next look is an operator's, once."""
        urgent, self._urgent = self._urgent, False
        return urgent

    async def pause(self, seconds: float) -> bool:
        """Wait; return whether an operator ended the wait."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def answered(self) -> bool:
        """Note that a node answers; return whether it had not before."""
        silent, self.silent_since_ms = self.silent_since_ms is not None, None
        return silent

    def unanswered(self, now_ms: int) -> None:
        """Note that no node answers."""
        if self.silent_since_ms is None:
            self.silent_since_ms = now_ms
