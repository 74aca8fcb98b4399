"""How long to wait for a peer, learnt from how it answered before (after RFC 6298)."""

from dataclasses import dataclass, field

from console.domain.ids import MemberId

_ALPHA, _BETA, _K = 1 / 8, 1 / 4, 4
_RAN_OUT = 0.9
"""A call that failed earlier than this part of its limit was refused, not slow."""


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
    _backed_off: dict[MemberId, float] = field(default_factory=dict)
    """How long to wait for who did not answer in time; until it answers (RFC 6298, 5.5)."""

    def observe(self, peer: MemberId, round_trip_s: float) -> None:
        """Learn from an answered call; not for calls that were sent twice."""
        self._backed_off.pop(peer, None)
        known = self._peers.get(peer)
        if known is None:
            self._peers[peer] = _Estimate(round_trip_s, round_trip_s / 2)
            return
        error = abs(known.smoothed_s - round_trip_s)
        known.variation_s += _BETA * (error - known.variation_s)
        known.smoothed_s += _ALPHA * (round_trip_s - known.smoothed_s)

    def missed(self, peer: MemberId, waited_s: float) -> None:
        """Learn from a call that was not answered in time: the next may take twice as long.

        Without this a peer whose round trips are longer than the first limit never answers.
        """
        limit_s = self.call_s(peer)
        if waited_s >= _RAN_OUT * limit_s:
            self._backed_off[peer] = min(2 * limit_s, self.limits.ceiling_s)

    def call_s(self, peer: MemberId) -> float:
        """Return how long one call to this peer may take."""
        known = self._peers.get(peer)
        if known is None:
            wanted = self.limits.ceiling_s / 4
        else:
            wanted = known.smoothed_s + _K * known.variation_s + self.limits.work_s
        wanted = max(wanted, self._backed_off.get(peer, 0.0), self.limits.floor_s)
        return min(wanted, self.limits.ceiling_s)

    def round_s(self, peers: frozenset[MemberId]) -> float:
        """Return how long a protocol round may stand still while these peers are awaited.

        Twice a call: a message may have to be sent again once.
        """
        return 2 * max((self.call_s(peer) for peer in peers), default=self.limits.floor_s)
