"""Clocks that tests move: by hand, or as virtual time of an event loop that never really waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

START_MS = 1_900_000_000_000

T = TypeVar("T")


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._now_ms / 1000

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)


class LoopClock:
    """The time of the running event loop, `skew_ms` off for wall time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, skew_ms: int = 0) -> None:
        self._loop = loop
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        return START_MS + self._skew_ms + int(self._loop.time() * 1000)

    def monotonic_s(self) -> float:
        return self._loop.time()


class NothingWillHappen(Exception):
    """Every task waits and no timer is set: the simulated system is dead-locked."""


class _TimeSelector(selectors.SelectSelector):
    """Where a real selector would sleep, this one moves the time."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingWillHappen
        self.now_s += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs timers in order without waiting. For code that uses neither threads nor sockets."""

    def __init__(self) -> None:
        self._selector_of_time = _TimeSelector()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self._selector_of_time.now_s


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end in a fresh virtual-time loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
