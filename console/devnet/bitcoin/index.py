"""An index over the active chain's blocks: transactions, coins, and their spenders."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median_high
from typing import TypeAlias

from bitcoin.core import CBlock, COutPoint, CTransaction, CTxOut

Outpoint: TypeAlias = tuple[bytes, int]
"""A transaction id, in the order of its bytes, and the number of an output."""


@dataclass(frozen=True, slots=True)
class Coin:
    """An output and its block; `height` is None for one in no block yet."""

    output: CTxOut
    height: int | None
    coinbase: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A transaction in a block, with the coins that it spent."""

    transaction: CTransaction
    height: int
    spent: tuple[Coin, ...]


class ChainIndex:
    """Follows the chain block by block, forwards and backwards."""

    def __init__(self, genesis: CBlock) -> None:
        # The coins of block 0 can never be spent, so they are not among the coins.
        self.blocks = [genesis]
        self.coins: dict[Outpoint, Coin] = {}
        self.placed: dict[bytes, Placed] = {}
        self.spenders: dict[Outpoint, Outpoint] = {}
        """For each spent output, the transaction and the number of its input."""
        self._touching: defaultdict[bytes, dict[bytes, None]] = defaultdict(dict)

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return len(self.blocks) - 1

    def median_time_past(self, height: int) -> int:
        """Return the median of the eleven block times up to `height` (BIP 113)."""
        newest = self.blocks[max(0, height - 10) : height + 1]
        return median_high([int(block.nTime) for block in newest])

    def touching(self, script: bytes) -> list[bytes]:
        """Return the ids of transactions that pay to or spend from a script, oldest first."""
        return list(self._touching.get(script, ()))

    def connect(self, block: CBlock) -> None:
        """Add the next block, which the kernel has accepted."""
        self.blocks.append(block)
        for transaction in block.vtx:
            txid = transaction.GetTxid()
            spent = () if transaction.is_coinbase() else self._spend(transaction, txid)
            self.placed[txid] = Placed(transaction, self.height, spent)
            for number, output in enumerate(transaction.vout):
                coin = Coin(output, self.height, transaction.is_coinbase())
                self.coins[txid, number] = coin
            for script in _scripts(transaction, spent):
                self._touching[script][txid] = None

    def disconnect(self) -> CBlock:
        """Undo the newest block and return it."""
        block = self.blocks.pop()
        for transaction in reversed(block.vtx):
            txid = transaction.GetTxid()
            placed = self.placed.pop(txid)
            for number in range(len(transaction.vout)):
                del self.coins[txid, number]
            for entry, coin in zip(transaction.vin, placed.spent, strict=False):
                outpoint = outpoint_of(entry.prevout)
                self.coins[outpoint] = coin
                del self.spenders[outpoint]
            for script in _scripts(transaction, placed.spent):
                del self._touching[script][txid]
        return block

    def _spend(self, transaction: CTransaction, txid: bytes) -> tuple[Coin, ...]:
        spent = []
        for number, entry in enumerate(transaction.vin):
            outpoint = outpoint_of(entry.prevout)
            spent.append(self.coins.pop(outpoint))
            self.spenders[outpoint] = (txid, number)
        return tuple(spent)


def outpoint_of(prevout: COutPoint) -> Outpoint:
    """Return what an input names, as a key."""
    return bytes(prevout.hash), prevout.n


def _scripts(transaction: CTransaction, spent: tuple[Coin, ...]) -> set[bytes]:
    outputs = [*transaction.vout, *(coin.output for coin in spent)]
    return {bytes(output.scriptPubKey) for output in outputs}
