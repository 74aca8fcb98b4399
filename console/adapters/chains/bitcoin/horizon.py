"""The latest lock times that a signature may wait for, by what this node knows of the present.

A transaction with a later one waits, signed, where nobody sees it: nodes refuse it until then. One
that is locked a little ahead is no danger: it is followed and broadcast again until its time.
"""

from dataclasses import dataclass

from console.domain.values import Network

_AHEAD = 2_016
"""Blocks, two weeks of them, by which a lock may be ahead: nodes may lag behind each other."""
_AHEAD_S = 14 * 86_400
_BLOCK_S = 300
"""Seconds for a block while no node tells of one: half of what is usual, to be on the safe side."""
_KNOWN_HEIGHT, _KNOWN_S = 840_000, 1_713_571_767
"""A block of the main network and its time: 20 April 2024."""
_USUAL_BLOCK_S = 600
FAR_HEIGHT = 4_000_000
"""A block of the main network of about the year 2085."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """The highest block that was ever told, and when it was new, in seconds since 1970."""

    height: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The highest block and the latest time to which a lock is no danger."""

    height: int = FAR_HEIGHT
    time_s: int = 0


UNKNOWN = Horizon()


def risen(tip: Tip | None, height: int, now_s: float) -> Tip:
    """Return the tip after a height was told: it never sinks, and its age counts from its rise."""
    if tip is not None and height <= tip.height:
        return tip
    return Tip(height=height, at_s=now_s)


def horizon(network: Network, tip: Tip | None, now_s: float) -> Horizon:
    """Return the horizon at a time; heights are estimated while no tip is known.

    On the main network it is at least where the chain is at its usual pace: all nodes may lag.
    """
    heights: list[int] = []
    if tip is not None:
        heights.append(tip.height + int(max(now_s - tip.at_s, 0) / _BLOCK_S))
    if network is Network.MAINNET:
        passed = int(max(now_s - _KNOWN_S, 0) / _USUAL_BLOCK_S)
        heights.append(_KNOWN_HEIGHT + passed + (0 if tip else passed // 20))
    height = max(heights) + _AHEAD if heights else FAR_HEIGHT
    return Horizon(height=min(height, FAR_HEIGHT), time_s=int(now_s) + _AHEAD_S)
