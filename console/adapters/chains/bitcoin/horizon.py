"""The latest lock times that can be meant now, by what this node knows of the chain's present.

A transaction with a later one waits, signed, where nobody sees it: nodes refuse it until then.
"""

from dataclasses import dataclass

from console.domain.values import Network

_AHEAD = 6
"""Blocks by which another member's node may be ahead of this one's."""
_BLOCK_S = 300
"""Seconds for a block while no node is asked: half of what is usual, to be on the safe side."""
_KNOWN_HEIGHT, _KNOWN_S = 840_000, 1_713_571_767
"""A block of the main network and its time: 20 April 2024."""
_USUAL_BLOCK_S = 600
_UNCERTAIN = 2_016
"""Blocks that an estimate may be off after years."""
FAR_HEIGHT = 4_000_000
"""A block of the main network of about the year 2085."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """The height of the newest block, and when a node told it, in seconds since 1970."""

    height: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The highest block and the latest time to which a lock is no danger."""

    height: int = FAR_HEIGHT
    time_s: int = 0


UNKNOWN = Horizon()


def horizon(network: Network, tip: Tip | None, now_s: float) -> Horizon:
    """Return the horizon at a time; heights are estimated while no tip is known."""
    if tip is not None:
        elapsed = max(now_s - tip.at_s, 0)
        return Horizon(height=tip.height + _AHEAD + int(elapsed / _BLOCK_S), time_s=int(now_s))
    if network is not Network.MAINNET:
        return Horizon(time_s=int(now_s))
    passed = int(max(now_s - _KNOWN_S, 0) / _USUAL_BLOCK_S)
    height = _KNOWN_HEIGHT + passed + passed // 20 + _UNCERTAIN
    return Horizon(height=min(height, FAR_HEIGHT), time_s=int(now_s))
