"""Coin selection: a set that needs no change if there is one, else a random draw.

As in Bitcoin Core: branch and bound over effective values (M. Erhardt, "An Evaluation of Coin
Selection Strategies", 2016, section 5), then a single random draw, then the largest coins first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.adapters.chains.bitcoin.shuffling import shuffled
from console.adapters.chains.bitcoin.transaction import OutPoint
from console.application.errors import InsufficientFunds, TransactionError

MAX_TRIES = 50_000
"""Most steps of the search for a set without change."""

USUAL_RATE = 10_000
"""Satoshis per 1000 vB at which change is expected to be spent, at most."""


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that can be spent: satoshis, and the weight of the input that spends it."""

    outpoint: OutPoint
    amount: int
    weight: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Weights and fees of a transaction. Weights in weight units, `rate` in satoshis per 1000 vB.

    `base_weight` is of the transaction with its payments but without inputs and change. Change
    below `dust` is added to the fee.
    """

    rate: int
    base_weight: int
    change_weight: int
    change_spend_weight: int
    dust: int
    max_inputs: int = 100
    least_fee: int = 0
    least_fee_rate: int = 0
    """A minimum: `least_fee` plus this rate, which a replacement needs (BIP 125, rule 4)."""
    lift: int = 0
    """Satoshis above the rate, for unconfirmed ancestors."""

    def fee(self, weight: int) -> int:
        """Return the fee of a transaction of this weight, rounded up."""
        vsize = -(-weight // 4)
        return max(
            self._at(self.rate, vsize) + self.lift,
            self.least_fee + self._at(self.least_fee_rate, vsize),
        )

    def vsize(self, selection: "Selection") -> int:
        """Return the virtual size of the transaction with this selection."""
        weight = self.base_weight + sum(coin.weight for coin in selection.coins)
        return -(-(weight + (self.change_weight if selection.change else 0)) // 4)

    def share(self, weight: int) -> int:
        """Return the fee of a part of this weight, rounded up."""
        return -(-weight * max(self.rate, self.least_fee_rate) // 4000)

    @property
    def of_change(self) -> int:
        """The cost of change: its output now, and its input later."""
        later = -(-self.change_spend_weight * min(self.rate, USUAL_RATE) // 4000)
        return self.share(self.change_weight) + later

    @staticmethod
    def _at(rate: int, vsize: int) -> int:
        return -(-vsize * rate // 1000)


@dataclass(frozen=True, slots=True)
class Selection:
    """The coins to spend, the fee, and the change in satoshis, 0 for no change output."""

    coins: tuple[Coin, ...]
    fee: int
    change: int


def select(
    coins: Sequence[Coin], target: int, costs: Costs, seed: int, required: tuple[Coin, ...] = ()
) -> Selection:
    """Choose coins for `target` satoshis and the fee; `required` ones are always spent.

    The same seed gives the same choice. Raises: InsufficientFunds.
    """
    fixed = {coin.outpoint for coin in required}
    useful = [
        coin
        for coin in coins
        if coin.outpoint not in fixed and coin.amount > costs.share(coin.weight)
    ]
    for chosen in _candidates(useful, target, costs, seed, required):
        selection = _settle(required + chosen, target, costs)
        if selection is not None:
            return selection
    raise InsufficientFunds("the account's coins do not cover the amount and the fee")


def select_all(
    offered: Sequence[Coin], target: int, costs: Costs, required: tuple[Coin, ...] = ()
) -> Selection:
    """Spend every coin that brings more than it costs; the change is all that is left.

    `required` ones are always spent. Raises: TransactionError if they are too many,
    InsufficientFunds if what is left is dust.
    """
    worthy = (coin for coin in offered if coin.amount > costs.share(coin.weight))
    coins = tuple(dict.fromkeys((*required, *worthy)))
    if len(coins) > costs.max_inputs:
        raise TransactionError(f"at most {costs.max_inputs} coins fit in a transaction")
    selection = _settle(coins, target, costs)
    if selection is None or not selection.change:
        raise InsufficientFunds("the account's coins are not worth more than the fee")
    return selection


def _candidates(
    coins: list[Coin], target: int, costs: Costs, seed: int, required: tuple[Coin, ...]
) -> Iterable[tuple[Coin, ...]]:
    """Yield sets of coins to try, the best first."""
    room = costs.max_inputs - len(required)
    weight = costs.base_weight + sum(coin.weight for coin in required)
    missing = target + costs.fee(weight) - sum(coin.amount for coin in required)
    largest = sorted(coins, key=lambda coin: (-coin.amount, coin.outpoint.encode()))
    if missing <= 0:
        yield ()
    else:
        exact = branch_and_bound(largest, missing, costs, room)
        if exact is not None:
            yield exact
    drawn = shuffled(coins, seed, lambda coin: coin.outpoint.encode())
    with_change = missing + costs.of_change + costs.dust
    for order in (drawn, largest):
        for aim in (with_change, missing):
            found = _until(order, aim, costs, room)
            if found is not None:
                yield found
    yield tuple(largest[:room])


def branch_and_bound(
    coins: Sequence[Coin], missing: int, costs: Costs, room: int
) -> tuple[Coin, ...] | None:
    """Search for coins, given largest first, that need no change.

    Their effective values, which are amounts less the fee for spending, sum to at least `missing`
    and at most the cost of change more. The set with the smallest excess wins.
    """
    values = [coin.amount - costs.share(coin.weight) for coin in coins]
    most = missing + costs.of_change
    left = sum(values)
    chosen: list[int] = []
    best: tuple[int, tuple[int, ...]] | None = None
    total, at = 0, 0
    for _ in range(MAX_TRIES):
        fits = missing <= total <= most
        if fits and (best is None or total < best[0]):
            best = (total, tuple(chosen))
        if total + left < missing or total >= missing or len(chosen) == room or at == len(values):
            # Backtrack to the last coin that was taken, and omit it.
            while at > 0 and (not chosen or at - 1 != chosen[-1]):
                at -= 1
                left += values[at]
            if not chosen:
                break
            total -= values[chosen.pop()]
        else:
            total += values[at]
            chosen.append(at)
            left -= values[at]
            at += 1
    return None if best is None else tuple(coins[place] for place in best[1])


def _until(coins: Sequence[Coin], missing: int, costs: Costs, room: int) -> tuple[Coin, ...] | None:
    total = 0
    for count, coin in enumerate(coins[:room], start=1):
        total += coin.amount - costs.share(coin.weight)
        if total >= missing:
            return tuple(coins[:count])
    return None


def _settle(coins: tuple[Coin, ...], target: int, costs: Costs) -> Selection | None:
    """Return the selection with fee and change; None if the coins are too few or too many."""
    if not 0 < len(coins) <= costs.max_inputs:
        return None
    left = sum(coin.amount for coin in coins) - target
    weight = costs.base_weight + sum(coin.weight for coin in coins)
    fee = costs.fee(weight + costs.change_weight)
    if left - fee >= max(costs.dust, 1):
        return Selection(coins, fee, left - fee)
    if left >= costs.fee(weight) and target > 0:
        return Selection(coins, left, 0)
    return None
