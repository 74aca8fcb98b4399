"""Child pays for parent: a transaction that spends an unconfirmed one pays the fee for both.

Miners rank a transaction together with its unconfirmed ancestors, by their common fee rate. So a
payment to the wallet can be accelerated, and an own payment that has change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.adapters.chains.bitcoin.build import OwnCoin, SpendingDraft, Wallet
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.transaction import Transaction
from console.application.errors import TransactionError

MAX_WAITING = 24
"""Bitcoin Core's limit (DEFAULT_ANCESTOR_LIMIT): 25 unconfirmed, with the child."""
_TRUC_VERSION = 3
_SIGNED = frozenset({ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR})
"""Outputs that cannot be spent without a witness."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unconfirmed signed transaction, and its fee in satoshis."""

    transaction: Transaction
    fee: int

    def lack(self, sat_per_kvb: int) -> int:
        """Return the satoshis that are missing to this fee rate, at least 0."""
        return max(-(-self.transaction.vsize * sat_per_kvb // 1000) - self.fee, 0)


def weighed(transaction: Transaction, previous: Iterable[Transaction]) -> Waiting:
    """Return the transaction with its fee, computed from the transactions that it spends.

    The hashes prove the fee. They do not prove the size, because no txid covers witnesses: a node
    that swells them makes the child pay more, up to the limits of every fee.
    Raises: TransactionError.
    """
    made = {each.hash: each for each in previous}
    taken = 0
    for spender in transaction.inputs:
        maker, index = made.get(spender.outpoint.txid), spender.outpoint.index
        if maker is None or index >= len(maker.outputs):
            raise TransactionError("what the waiting transaction spends is not known")
        output = maker.outputs[index]
        if kind_of(output.script) in _SIGNED and not spender.witness:
            raise TransactionError("the waiting transaction came without its signatures")
        taken += output.amount
    fee = taken - sum(each.amount for each in transaction.outputs)
    if fee < 0:
        raise TransactionError("the waiting transaction pays out more than it takes in")
    return Waiting(transaction, fee)


def accelerate(
    wallet: Wallet, coins: tuple[OwnCoin, ...], waiting: Sequence[Waiting], sat_per_kvb: int
) -> SpendingDraft:
    """Return a draft that spends unconfirmed own coins and lifts their ancestors to this rate.

    `waiting` are all unconfirmed ancestors of the coins, at most 24. Other coins of the draft must
    be confirmed. Raises: TransactionError, also if all of them pay this rate.
    """
    if not 0 < len(waiting) <= MAX_WAITING:
        raise TransactionError(f"from 1 to {MAX_WAITING} transactions can be accelerated at once")
    if any(each.transaction.version == _TRUC_VERSION for each in waiting):
        raise TransactionError("version 3 waits only for its own kind, which is not made here")
    known = {each.transaction.hash: each for each in waiting}
    if not coins or any(coin.outpoint.txid not in known for coin in coins):
        raise TransactionError("a coin is to be spent whose transaction does not wait")
    if _reached(coins, known) != known.keys():
        raise TransactionError("none of the coins comes from one of the waiting transactions")
    # Each counts alone: one that pays enough is mined without the others and lifts none.
    lack = sum(each.lack(sat_per_kvb) for each in known.values())
    if not lack:
        raise TransactionError("what waits pays this rate already")
    return SpendingDraft(wallet).rate(sat_per_kvb).lift(lack).spend(*coins)


def _reached(coins: tuple[OwnCoin, ...], known: dict[bytes, Waiting]) -> set[bytes]:
    """Return the hashes of the coins' ancestors among `known`."""
    reached: set[bytes] = set()
    left = [coin.outpoint.txid for coin in coins]
    while left:
        txid = left.pop()
        if txid in known and txid not in reached:
            reached.add(txid)
            left += [each.outpoint.txid for each in known[txid].transaction.inputs]
    return reached
