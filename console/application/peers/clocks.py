"""Clocks: how far each peer's clock is from this machine's, measured at every exchange."""

import statistics
from collections.abc import Collection

from console.domain.ids import MemberId
from console.domain.times import MAX_CLOCK_SKEW_MS

_LONGEST_TRIP_MS = 10_000
"""An answer that took longer says too little about the time when it was written."""


class PeerClocks:
    """The newest difference to each peer's clock, in milliseconds; positive if it is ahead."""

    def __init__(self) -> None:
        self._ahead_ms: dict[MemberId, int] = {}

    def observe(self, peer: MemberId, told_ms: int, sent_ms: int, received_ms: int) -> None:
        """Take the time that a peer wrote between our sending and our receiving."""
        if told_ms and 0 <= received_ms - sent_ms <= _LONGEST_TRIP_MS:
            self._ahead_ms[peer] = told_ms - (sent_ms + received_ms) // 2

    def ahead_ms(self, peer: MemberId) -> int:
        """Return by how much a peer's clock is ahead of ours; 0 if that is not known."""
        return self._ahead_ms.get(peer, 0)

    def own_ahead_ms(self, peers: Collection[MemberId]) -> int:
        """Return by how much our clock is ahead of the others': what more than half of them say.

        Those that were not measured agree with ours: a few cannot accuse it.
        """
        if not peers:
            return 0
        told = [self.ahead_ms(peer) for peer in peers]
        low, high = statistics.median_low(told), statistics.median_high(told)
        return 0 if low <= 0 <= high else -min(low, high, key=abs)

    def is_off(self, peers: Collection[MemberId]) -> bool:
        """Return whether our clock is so far off that others refuse what we date by it.

        One peer alone may be the one that is wrong: it takes two to say so.
        """
        return len(peers) > 1 and abs(self.own_ahead_ms(peers)) > MAX_CLOCK_SKEW_MS


def duration(milliseconds: int) -> str:
    """Return a difference of clocks in words, "6 minutes"."""
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if abs(milliseconds) >= 2 * size:
            return f"{abs(milliseconds) // size} {unit}s"
    return f"{abs(milliseconds) // 1000} seconds"
