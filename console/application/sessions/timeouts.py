"""How long to wait for a peer, learnt from how it answered before (after RFC 6298)."""

from dataclasses import dataclass, field

from console.domain.ids import MemberId

_ALPHA, _BETA, _K = 1 / 8, 1 / 4, 4


@dataclass(frozen=True, slots=True)
class TimeoutLimits:
    """Bounds and allowances in seconds; `work_s` is what a round's own computing may take."""

    floor_s: float = 0.5
    ceiling_s: float = 10.0
    work_s: float = 1.5


@dataclass(slots=True)
class _Estimate:
    smoothed_s: float
    variation_s: float


@dataclass(slots=True)
class AdaptiveTimeouts:
    """One round-trip estimate for each peer."""

    limits: TimeoutLimits = field(default_factory=TimeoutLimits)
    _peers: dict[MemberId, _Estimate] = field(default_factory=dict)

    def observe(self, peer: MemberId, round_trip_s: float) -> None:
        """Learn from an answered call; not for calls that were sent twice."""
        known = self._peers.get(peer)
        if known is None:
            self._peers[peer] = _Estimate(round_trip_s, round_trip_s / 2)
            return
        error = abs(known.smoothed_s - round_trip_s)
        known.variation_s += _BETA * (error - known.variation_s)
        known.smoothed_s += _ALPHA * (round_trip_s - known.smoothed_s)

    def call_s(self, peer: MemberId) -> float:
        """Return how long one call to this peer may take."""
        known = self._peers.get(peer)
        if known is None:
            return self.limits.ceiling_s / 4
        wanted = known.smoothed_s + _K * known.variation_s + self.limits.work_s
        return min(max(wanted, self.limits.floor_s), self.limits.ceiling_s)

    def round_s(self, peers: frozenset[MemberId]) -> float:
        """Return how long a protocol round may stand still while these peers are awaited.

        Twice a call: a message may have to be sent again once.
        """
        return 2 * max((self.call_s(peer) for peer in peers), default=self.limits.floor_s)
