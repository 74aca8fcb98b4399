"""Choosing coins: sums that are right, no change where a set fits, bounded work."""

import itertools

import pytest

from console.adapters.chains.bitcoin.coin_selection import (
    Coin,
    Costs,
    Selection,
    branch_and_bound,
    select,
)
from console.adapters.chains.bitcoin.transaction import OutPoint
from console.application.errors import InsufficientFunds

COSTS = Costs(rate=5_000, base_weight=166, change_weight=124, change_spend_weight=272, dust=294)


def coins(*amounts: int) -> tuple[Coin, ...]:
    return tuple(
        Coin(OutPoint(number.to_bytes(32, "big"), 0), amount, 272)
        for number, amount in enumerate(amounts)
    )


def weight(selection: Selection, costs: Costs = COSTS) -> int:
    change = costs.change_weight if selection.change else 0
    return costs.base_weight + sum(coin.weight for coin in selection.coins) + change


def balanced(selection: Selection, target: int) -> bool:
    return sum(c.amount for c in selection.coins) == target + selection.fee + selection.change


def test_a_set_without_change_is_found() -> None:
    cost = COSTS.share(272)
    fitting = 30_000 + COSTS.fee(COSTS.base_weight) + 2 * cost
    have = coins(100_000, fitting // 2, fitting - fitting // 2, 9_000)
    selection = select(have, 30_000, COSTS, seed=1)
    assert selection.change == 0
    assert set(selection.coins) == {have[1], have[2]}
    assert balanced(selection, 30_000)


def test_change_is_what_is_left() -> None:
    selection = select(coins(100_000), 30_000, COSTS, seed=1)
    assert balanced(selection, 30_000)
    assert selection.fee == COSTS.fee(weight(selection))
    assert selection.change > COSTS.dust


def test_change_below_dust_goes_to_the_fee() -> None:
    fee = COSTS.fee(COSTS.base_weight + 272)
    for extra in (0, 1, COSTS.dust - 1 + COSTS.share(COSTS.change_weight) - 1):
        selection = select(coins(30_000 + fee + extra), 30_000, COSTS, seed=1)
        assert selection == Selection(selection.coins, fee + extra, 0)


def test_a_missing_satoshi_is_missing() -> None:
    fee = COSTS.fee(COSTS.base_weight + 272)
    with pytest.raises(InsufficientFunds):
        select(coins(30_000 + fee - 1), 30_000, COSTS, seed=1)
    with pytest.raises(InsufficientFunds):
        select((), 1, COSTS, seed=1)


def test_coins_that_cost_more_than_they_are_worth_are_left_alone() -> None:
    selection = select(coins(*[340] * 50, 50_000), 30_000, COSTS, seed=3)
    assert len(selection.coins) == 1


def test_required_coins_are_spent_and_others_only_if_needed() -> None:
    needed, *others = coins(40_000, 50_000, 60_000)
    assert select(others, 20_000, COSTS, 1, (needed,)).coins == (needed,)
    both = select([needed, *others], 70_000, COSTS, 1, (needed,))
    assert both.coins[0] == needed
    assert len(both.coins) == 2
    everything = select((), 0, COSTS, 1, (needed, *others))
    assert everything.change == 150_000 - everything.fee


def test_nothing_to_pay_needs_change() -> None:
    with pytest.raises(InsufficientFunds):
        select((), 0, COSTS, 1, coins(COSTS.fee(COSTS.base_weight + 272)))


def test_no_more_inputs_than_allowed() -> None:
    many = coins(*[10_000] * 300)
    assert len(select(many, 500_000, COSTS, seed=1).coins) <= 100
    with pytest.raises(InsufficientFunds):
        select(many, 990_000, COSTS, seed=1)
    mixed = coins(*[3_000] * 299, 900_000)
    assert select(mixed, 890_000, COSTS, seed=1).change >= 0


def test_the_search_keeps_to_the_inputs_that_there_is_room_for() -> None:
    have, cost = coins(10_000, 10_000, 10_000), COSTS.share(272)
    assert branch_and_bound(have, 3 * (10_000 - cost), COSTS, 3) == have
    assert branch_and_bound(have, 3 * (10_000 - cost), COSTS, 2) is None


def test_the_seed_decides() -> None:
    have = coins(*[40_000] * 20)
    chosen = {select(have, 100_000, COSTS, seed).coins for seed in range(20)}
    assert select(have, 100_000, COSTS, 5) == select(have, 100_000, COSTS, 5)
    assert len(chosen) > 1


def test_a_replacement_pays_for_itself() -> None:
    costs = Costs(1, 166, 124, 272, 294, least_fee=5_000, least_fee_rate=1_000)
    selection = select(coins(100_000), 30_000, costs, seed=1)
    assert selection.fee == 5_000 + -(-weight(selection, costs) // 4)


@pytest.mark.parametrize("missing", range(1_000, 40_000, 1_713))
def test_the_search_is_as_good_as_trying_everything(missing: int) -> None:
    have = tuple(sorted(coins(12_345, 9_876, 7_001, 5_555, 2_222, 1_900), key=lambda c: -c.amount))
    values = {coin: coin.amount - COSTS.share(coin.weight) for coin in have}
    sums = [
        sum(values[coin] for coin in chosen)
        for count in range(1, len(have) + 1)
        for chosen in itertools.combinations(have, count)
    ]
    fitting = [each for each in sums if missing <= each <= missing + COSTS.of_change]
    found = branch_and_bound(have, missing, COSTS, 100)
    assert (found is None) == (not fitting)
    if found is not None:
        assert sum(values[coin] for coin in found) == min(fitting)
