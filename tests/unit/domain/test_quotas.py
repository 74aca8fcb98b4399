"""Quotas: one member's beginnings are bounded, and no other member's are touched."""

import pytest

from console.domain.errors import PolicyViolation
from console.domain.quotas import DAY_MS, Counted, Quotas
from tests.unit.domain.facts import ANA, BEN

NOW = 10 * DAY_MS


def full(at_ms: int = NOW) -> Quotas:
    quotas = Quotas()
    for _ in range(Counted.CEREMONY.value):
        quotas.require(ANA, Counted.CEREMONY, at_ms)
        quotas.count(ANA, Counted.CEREMONY, at_ms)
    return quotas


def test_a_member_may_begin_so_many_in_a_day() -> None:
    quotas = full()
    with pytest.raises(PolicyViolation, match="ana has begun 50 in a day"):
        quotas.require(ANA, Counted.CEREMONY, NOW)
    with pytest.raises(PolicyViolation):
        quotas.require(ANA, Counted.CEREMONY, NOW + DAY_MS - 1)
    quotas.require(ANA, Counted.CEREMONY, NOW + DAY_MS)


def test_members_and_kinds_are_counted_apart() -> None:
    quotas = full()
    quotas.require(BEN, Counted.CEREMONY, NOW)
    quotas.require(ANA, Counted.REQUEST, NOW)


def test_dating_back_gains_a_day_at_most() -> None:
    quotas = full()
    with pytest.raises(PolicyViolation, match="more than a day before"):
        quotas.require(ANA, Counted.CEREMONY, NOW - DAY_MS - 1)
    with pytest.raises(PolicyViolation, match="in a day"):
        quotas.require(ANA, Counted.CEREMONY, NOW - DAY_MS)
