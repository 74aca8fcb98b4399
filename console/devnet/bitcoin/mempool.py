"""The mempool: which transactions may wait, and which replace others (BIP 125)."""

from collections.abc import Iterable
from dataclasses import dataclass

from bitcoin.core import CTransaction, b2lx

from console.devnet.bitcoin.index import ChainIndex, Coin, Outpoint, outpoint_of
from console.devnet.bitcoin.kernel import Kernel
from console.devnet.bitcoin.policy import (
    MIN_FEE_RATE,
    PolicyRefused,
    check_sense,
    check_standard,
    virtual_size,
)
from console.devnet.bitcoin.signatures import check_signatures

COINBASE_MATURITY = 100
_MAX_REPLACED = 100
_MISSING_INPUTS = -25
_TIME_LOCKS_FROM = 500_000_000
_FINAL = 0xFFFFFFFF
_NOT_RELATIVE, _BY_TIME, _LOCK_MASK = 1 << 31, 1 << 22, 0xFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A waiting transaction, with the coins that it spends, its fee and its virtual size."""

    transaction: CTransaction
    spent: tuple[Coin, ...]
    fee: int
    size: int


class Mempool:
    """The transactions for the next block, parents before children."""

    def __init__(self, kernel: Kernel, chain: ChainIndex) -> None:
        self._kernel = kernel
        self._chain = chain
        self.entries: dict[bytes, Entry] = {}
        self.spenders: dict[Outpoint, Outpoint] = {}

    def admit(self, transaction: CTransaction) -> bytes:
        """Admit a transaction and drop those that it replaces; return its id.

        Raises: TransactionRefused.
        """
        txid: bytes = transaction.GetTxid()
        if txid in self.entries:
            return txid
        check_sense(transaction)
        check_standard(transaction)
        self._check_final(transaction)
        rivals = self._rivals(transaction)
        spent = self._spent(transaction)
        self._check_relative_locks(transaction, spent)
        fee = self._fee(transaction, spent)
        entry = Entry(transaction, spent, fee, virtual_size(transaction))
        if fee < MIN_FEE_RATE * entry.size:
            raise PolicyRefused(f"min relay fee not met, {fee} < {MIN_FEE_RATE * entry.size}")
        replaced = self._with_descendants(rivals)
        if rivals:
            self._check_replacement(entry, rivals, replaced)
        failing = self._kernel.failing_input(
            transaction.serialize(), [coin.output for coin in spent]
        )
        if failing is not None:
            raise PolicyRefused(f"mandatory-script-verify-flag-failed (input {failing})")
        check_signatures(transaction, spent)
        for gone in replaced:
            self._remove(gone)
        self._insert(txid, entry)
        return txid

    def coin(self, outpoint: Outpoint) -> Coin | None:
        """Return an output of a waiting transaction."""
        entry = self.entries.get(outpoint[0])
        if entry is None or outpoint[1] >= len(entry.transaction.vout):
            return None
        return Coin(entry.transaction.vout[outpoint[1]], None)

    def touching(self, script: bytes) -> list[bytes]:
        """Return the ids of waiting transactions that pay to or spend from a script."""
        return [
            txid
            for txid, entry in self.entries.items()
            if any(
                bytes(output.scriptPubKey) == script
                for output in (*entry.transaction.vout, *(coin.output for coin in entry.spent))
            )
        ]

    def follow(self, connected: Iterable[CTransaction]) -> None:
        """Drop transactions that are in a block now, or no longer can be."""
        for transaction in connected:
            self._remove(transaction.GetTxid())
            rivals = {
                self.spenders[outpoint][0]
                for entry in transaction.vin
                if (outpoint := outpoint_of(entry.prevout)) in self.spenders
            }
            for gone in self._with_descendants(rivals):
                self._remove(gone)

    def start_again(self, returned: Iterable[CTransaction]) -> None:
        """After blocks were undone: their transactions wait again, then all that waited before."""
        waiting = [entry.transaction for entry in self.entries.values()]
        self.entries.clear()
        self.spenders.clear()
        for transaction in (*returned, *waiting):
            try:
                self.admit(transaction)
            except PolicyRefused:
                continue

    def _insert(self, txid: bytes, entry: Entry) -> None:
        self.entries[txid] = entry
        for number, spending in enumerate(entry.transaction.vin):
            self.spenders[outpoint_of(spending.prevout)] = (txid, number)

    def _remove(self, txid: bytes) -> None:
        entry = self.entries.pop(txid, None)
        if entry is not None:
            for spending in entry.transaction.vin:
                del self.spenders[outpoint_of(spending.prevout)]

    def _with_descendants(self, txids: Iterable[bytes]) -> dict[bytes, Entry]:
        """Return waiting transactions with all their descendants."""
        found: dict[bytes, Entry] = {}
        open_ids = list(txids)
        while open_ids:
            txid = open_ids.pop()
            if txid not in found:
                found[txid] = self.entries[txid]
                outputs = range(len(found[txid].transaction.vout))
                children = (self.spenders.get((txid, number)) for number in outputs)
                open_ids += [child[0] for child in children if child]
        return found

    def _spent(self, transaction: CTransaction) -> tuple[Coin, ...]:
        found = []
        for entry in transaction.vin:
            outpoint = outpoint_of(entry.prevout)
            coin = self._chain.coins.get(outpoint) or self.coin(outpoint)
            if coin is None:
                raise PolicyRefused("bad-txns-inputs-missingorspent", _MISSING_INPUTS)
            found.append(coin)
        return tuple(found)

    def _fee(self, transaction: CTransaction, spent: tuple[Coin, ...]) -> int:
        for coin in spent:
            age = self._chain.height + 1 - (coin.height or 0)
            if coin.coinbase and age < COINBASE_MATURITY:
                raise PolicyRefused("bad-txns-premature-spend-of-coinbase")
        held = sum(int(coin.output.nValue) for coin in spent)
        fee = held - sum(int(output.nValue) for output in transaction.vout)
        if fee < 0:
            raise PolicyRefused("bad-txns-in-belowout")
        return fee

    def _check_final(self, transaction: CTransaction) -> None:
        lock = transaction.nLockTime
        height = self._chain.height
        by_time = lock >= _TIME_LOCKS_FROM
        reached = self._chain.median_time_past(height) if by_time else height + 1
        ignored = all(entry.nSequence == _FINAL for entry in transaction.vin)
        if lock >= reached and lock and not ignored:
            raise PolicyRefused("non-final")

    def _check_relative_locks(self, transaction: CTransaction, spent: tuple[Coin, ...]) -> None:
        """Refuse a transaction whose coins are too young for its relative locks (BIP 68)."""
        following = self._chain.height + 1
        for entry, coin in zip(transaction.vin, spent, strict=True):
            if transaction.nVersion < 2 or entry.nSequence & _NOT_RELATIVE:
                continue
            made = following if coin.height is None else coin.height
            needed = entry.nSequence & _LOCK_MASK
            if entry.nSequence & _BY_TIME:
                since = self._chain.median_time_past(max(made - 1, 0))
                waited = self._chain.median_time_past(self._chain.height) - since
                needed *= 512
            else:
                waited = following - made
            if waited < needed:
                raise PolicyRefused("non-BIP68-final")

    def _rivals(self, transaction: CTransaction) -> set[bytes]:
        """Return the spenders of the same coins; each may be replaced, as in Bitcoin Core 28."""
        outpoints = (outpoint_of(entry.prevout) for entry in transaction.vin)
        return {self.spenders[point][0] for point in outpoints if point in self.spenders}

    def _check_replacement(
        self, entry: Entry, rivals: set[bytes], replaced: dict[bytes, Entry]
    ) -> None:
        name = b2lx(entry.transaction.GetTxid())
        parents = {bytes(spending.prevout.hash) for spending in entry.transaction.vin}
        if parents & replaced.keys():
            raise PolicyRefused("bad-txns-spends-conflicting-tx")
        known = {
            bytes(spending.prevout.hash)
            for rival in rivals
            for spending in self.entries[rival].transaction.vin
        }
        if (parents & self.entries.keys()) - known:
            raise PolicyRefused("replacement-adds-unconfirmed")
        if len(replaced) > _MAX_REPLACED:
            raise PolicyRefused("too many potential replacements")
        refusal = f"insufficient fee, rejecting replacement {name}"
        for rival in rivals:
            old = self.entries[rival]
            if entry.fee * old.size <= old.fee * entry.size:
                raise PolicyRefused(f"{refusal}; new feerate <= old feerate")
        paid = sum(old.fee for old in replaced.values())
        if entry.fee < paid:
            less = f"less fees than conflicting txs; {entry.fee} < {paid}"
            raise PolicyRefused(f"{refusal}, {less}")
        more, needed = entry.fee - paid, MIN_FEE_RATE * entry.size
        if more < needed:
            short = f"not enough additional fees to relay; {more} < {needed}"
            raise PolicyRefused(f"{refusal}, {short}")
