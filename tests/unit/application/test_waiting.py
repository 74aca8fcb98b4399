"""How long to wait: learnt for peers, bounded and scattered between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.network.rate import TokenBucket
from console.application.peers.timeouts import AdaptiveTimeouts, TimeoutLimits
from console.application.sagas.backoff import Backoff
from console.domain.ids import MemberId

ANA, BEN = MemberId("ana"), MemberId("ben")
LIMITS = TimeoutLimits(floor_s=0.5, ceiling_s=10.0, work_s=0.0)


def test_an_unknown_peer_gets_a_quarter_of_the_ceiling() -> None:
    assert AdaptiveTimeouts(LIMITS).call_s(ANA) == 2.5


def test_a_quick_peer_is_given_little_and_a_slow_one_more() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    for _ in range(50):
        timeouts.observe(ANA, 0.01)
        timeouts.observe(BEN, 1.5)
    assert timeouts.call_s(ANA) == LIMITS.floor_s
    assert 1.5 <= timeouts.call_s(BEN) < 3.0


def test_an_irregular_peer_is_given_more_than_its_mean() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    for number in range(100):
        timeouts.observe(ANA, 0.2 if number % 2 else 1.8)
    assert timeouts.call_s(ANA) > 1.8


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_timeout_stays_within_its_bounds(trips: list[float]) -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    for trip in trips:
        timeouts.observe(ANA, trip)
        assert LIMITS.floor_s <= timeouts.call_s(ANA) <= LIMITS.ceiling_s


def test_a_round_waits_twice_as_long_as_its_slowest_peer() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    timeouts.observe(ANA, 0.01)
    assert timeouts.round_s(frozenset({ANA, BEN})) == 2 * timeouts.call_s(BEN)
    assert timeouts.round_s(frozenset()) == 2 * LIMITS.floor_s


@pytest.mark.parametrize("attempt", [-5, 0, 1, 2, 3, 6, 50, 2_000, 10**9])
def test_a_pause_is_between_half_and_all_of_its_bound(attempt: int) -> None:
    backoff = Backoff(first_s=0.25, last_s=8.0)
    bound = min(0.25 * 2 ** (min(max(attempt, 1), 20) - 1), 8.0)
    pauses = [backoff.pause_s(attempt) for _ in range(200)]
    assert all(bound / 2 <= pause <= bound for pause in pauses)
    assert len(set(pauses)) > 1


def test_a_bucket_refills_up_to_its_burst() -> None:
    now = [100.0]
    bucket = TokenBucket(2.0, 3.0, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now[0] += 1_000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
