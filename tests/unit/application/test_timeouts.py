"""How long a peer is waited for: by what it needed before, within bounds."""

import pytest

from console.application.peers.timeouts import AdaptiveTimeouts, TimeoutLimits
from tests.unit.domain.facts import ANA, BEN

LIMITS = TimeoutLimits(floor_s=0.5, ceiling_s=10.0, work_s=1.5)


def test_who_never_answered_has_a_quarter_of_the_longest_time() -> None:
    assert AdaptiveTimeouts(LIMITS).call_s(ANA) == pytest.approx(2.5)


def test_an_estimate_follows_the_round_trips_as_in_rfc_6298() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    timeouts.observe(ANA, 0.4)
    # 0.4 smoothed, 0.2 of variation: 0.4 + 4 * 0.2 + 1.5.
    assert timeouts.call_s(ANA) == pytest.approx(2.7)
    timeouts.observe(ANA, 0.8)
    # The variation first: 0.2 + (0.4 - 0.2) / 4, then 0.4 + 0.4 / 8.
    assert timeouts.call_s(ANA) == pytest.approx(0.45 + 4 * 0.25 + 1.5)
    assert timeouts.call_s(BEN) == pytest.approx(2.5)


def test_nobody_is_waited_for_longer_or_shorter_than_the_limits() -> None:
    timeouts = AdaptiveTimeouts(TimeoutLimits(floor_s=0.5, ceiling_s=10.0, work_s=0.0))
    timeouts.observe(ANA, 0.001)
    timeouts.observe(BEN, 100.0)
    assert (timeouts.call_s(ANA), timeouts.call_s(BEN)) == (0.5, 10.0)


def test_a_round_waits_for_the_slowest_and_for_one_repetition() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    timeouts.observe(ANA, 0.4)
    assert timeouts.round_s(frozenset({ANA, BEN})) == pytest.approx(2 * 2.7)
    assert timeouts.round_s(frozenset()) == pytest.approx(2 * 0.5)


def test_who_did_not_answer_in_time_has_twice_as_long_until_it_answers() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    for longer in (5.0, 10.0, 10.0):
        timeouts.missed(ANA, timeouts.call_s(ANA))
        assert timeouts.call_s(ANA) == pytest.approx(longer)
    assert timeouts.call_s(BEN) == pytest.approx(2.5)
    timeouts.observe(ANA, 0.4)
    assert timeouts.call_s(ANA) == pytest.approx(2.7)


def test_who_refused_at_once_was_not_slow() -> None:
    timeouts = AdaptiveTimeouts(LIMITS)
    timeouts.missed(ANA, 0.1)
    assert timeouts.call_s(ANA) == pytest.approx(2.5)
