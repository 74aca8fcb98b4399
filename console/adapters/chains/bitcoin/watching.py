"""Address discovery: the used places of an account, and their coins.

Places are scanned up to the gap limit of BIP 44, and used ones are remembered while the node runs.
Places to which signed transactions pay are looked at wherever they are: another program may have
chosen change far beyond the gap, and what is called the wallet's own must not be lost from sight.
A coin counts only with the transaction that made it, whose hash is the coin's txid.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.adapters.chains.bitcoin.accounts import CHANGE, RECEIVE, KeyPosition, script_at
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.build import OwnCoin, Wallet
from console.adapters.chains.bitcoin.limits import MAX_INPUTS
from console.adapters.chains.bitcoin.sources import ProofUnavailable, Sources, Transacted, Unspent
from console.adapters.chains.bitcoin.transaction import TransactionTooLarge, parse_transaction
from console.application.errors import ChainUnavailable, UnknownTransaction

GAP_LIMIT = 20
"""Unused places in a row that end a scan (BIP 44)."""
NEAR = 2
"""Unused places in a row that end a scan between two whole scans."""
WHOLE_SCAN_EVERY_S = 600.0
MATURITY = 100
"""Blocks after which a coinbase's outputs can be spent (Bitcoin Core, COINBASE_MATURITY)."""
MAX_PLACES = 10_000
"""Most places of each chain: a node that calls every place used must not make us scan for ever."""
_AT_A_TIME = 10
_KEPT_TRANSACTIONS = 2_000
_KEPT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class FoundCoin:
    """An unspent output at one of the account's places."""

    unspent: Unspent
    place: KeyPosition


class Watcher:
    """Follows accounts over the network's sources."""

    def __init__(self, sources: Sources, now_s: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._now_s = now_s
        self._used: dict[bytes, set[KeyPosition]] = defaultdict(set)
        self._paid: dict[bytes, set[KeyPosition]] = defaultdict(set)
        self._empty: dict[bytes, set[KeyPosition]] = defaultdict(set)
        self._scanned_s: dict[bytes, float] = {}
        self._previous: dict[str, bytes] = {}

    def watch(self, wallet: Wallet, place: KeyPosition) -> None:
        """Look at a place from now on, however far it is: a signed transaction pays to it.

        While it is empty, only whole scans look there: it may be one of thousands. It moves neither
        the end of a scan nor the next place for change.
        """
        self._paid[_name(wallet)].add(place)
        self._empty[_name(wallet)].discard(place)

    async def coins(self, wallet: Wallet) -> tuple[FoundCoin, ...]:
        """Return the account's coins. Raises: ChainUnavailable, NotYetPossible."""
        found = await self._look(wallet)
        return tuple(coin for coins in found.values() for coin in coins)

    async def next_change(self, wallet: Wallet) -> KeyPosition:
        """Return the first change place after all used ones; call `coins` before.

        Without a source that keeps histories, a restarted node finds coins only within the gap
        limit. Places are then reused.
        """
        used = self._used[_name(wallet)]
        indices = [place.index for place in used if place.chain == CHANGE]
        index = max(indices, default=-1) + 1
        return KeyPosition(CHANGE, index if self._sources.keep_history else index % GAP_LIMIT)

    async def spendable(self, coins: Sequence[FoundCoin], height: int) -> list[OwnCoin]:
        """Return the largest coins that may be spent after `height`, with their proofs.

        At most MAX_INPUTS, out of the three times as many largest coins.
        """
        largest = sorted(coins, key=lambda coin: -coin.unspent.value)[: 3 * MAX_INPUTS]
        spendable: list[OwnCoin] = []
        for start in range(0, len(largest), _AT_A_TIME):
            if len(spendable) >= MAX_INPUTS:
                break
            some = largest[start : start + _AT_A_TIME]
            own = await asyncio.gather(*map(self._provable, some))
            pairs = zip(own, some, strict=True)
            spendable += [coin for coin, found in pairs if coin and _is_ripe(coin, found, height)]
        return spendable[:MAX_INPUTS]

    async def _provable(self, coin: FoundCoin) -> OwnCoin | None:
        """Return a coin with its proof; None if that is so large that nodes do not relay it."""
        with contextlib.suppress(ProofUnavailable):
            return await self.own_coin(coin)
        return None

    async def own_coin(self, coin: FoundCoin) -> OwnCoin:
        """Return a coin with the transaction that made it, amount and script from its bytes.

        Raises: ChainUnavailable if the node's amount is another, or it has no such transaction;
        ProofUnavailable.
        """
        txid, number = coin.unspent.txid, coin.unspent.number
        raw = self._previous.get(txid)
        if raw is None:
            raw = await self._sources.raw_transaction(txid)
            self._keep(txid, raw)
        try:
            previous = parse_transaction(raw)
        except TransactionTooLarge as large:
            raise ProofUnavailable(f"the Bitcoin node answers {large}") from None
        except UnknownTransaction:
            raise ChainUnavailable("the Bitcoin node answers no proper transaction") from None
        told = previous.outputs[number] if number < len(previous.outputs) else None
        if told is None or told.amount != coin.unspent.value:
            raise ChainUnavailable("the Bitcoin node tells another amount than the coin has")
        return OwnCoin(previous, number, coin.place)

    def _keep(self, txid: str, raw: bytes) -> None:
        kept = len(raw) + sum(map(len, self._previous.values()))
        if len(self._previous) >= _KEPT_TRANSACTIONS or kept > _KEPT_BYTES:
            self._previous.clear()
        self._previous[txid] = raw

    async def history(self, wallet: Wallet) -> tuple[Transacted, ...]:
        """Return the account's newest movements, one for each transaction."""
        await self._look(wallet)
        every = self._used[_name(wallet)] | self._paid[_name(wallet)]
        places = sorted(every, key=lambda place: (place.chain, place.index))
        told: list[tuple[Transacted, ...]] = []
        for start in range(0, len(places), _AT_A_TIME):
            some = (_address(wallet, place) for place in places[start : start + _AT_A_TIME])
            told += await asyncio.gather(*map(self._sources.transactions, some))
        merged: dict[str, Transacted] = {}
        for line in (line for lines in told for line in lines):
            known = merged.get(line.txid)
            change = line.change + (known.change if known else 0)
            merged[line.txid] = Transacted(line.txid, change, line.height, line.time_s)
        newest = 1 << 62
        return tuple(
            sorted(merged.values(), key=lambda m: -(newest if m.height is None else m.height))
        )

    async def _look(self, wallet: Wallet) -> dict[KeyPosition, list[FoundCoin]]:
        name, now_s = _name(wallet), self._now_s()
        whole = now_s - self._scanned_s.get(name, -WHOLE_SCAN_EVERY_S) >= WHOLE_SCAN_EVERY_S
        gap = GAP_LIMIT if whole else NEAR
        found: dict[KeyPosition, list[FoundCoin]] = {}
        ends = {c: await self._look_along(wallet, c, gap, found) for c in (RECEIVE, CHANGE)}
        paid = self._paid[name] - (set() if whole else self._empty[name])
        await self._look_far(
            wallet, {place for place in paid if place.index >= ends[place.chain]}, found
        )
        if whole:
            self._scanned_s[name] = now_s
        return found

    async def _look_far(
        self, wallet: Wallet, places: set[KeyPosition], found: dict[KeyPosition, list[FoundCoin]]
    ) -> None:
        """Look at places beyond the end of a scan, and remember which are empty."""
        far = sorted(places, key=lambda place: (place.chain, place.index))
        for start in range(0, len(far), _AT_A_TIME):
            some = far[start : start + _AT_A_TIME]
            looked = await asyncio.gather(*(self._coins_at(wallet, place) for place in some))
            full = {place: coins for place, coins in zip(some, looked, strict=True) if coins}
            self._empty[_name(wallet)] |= set(some) - full.keys()
            self._empty[_name(wallet)] -= full.keys()
            found |= full

    async def _look_along(
        self, wallet: Wallet, chain: int, gap: int, found: dict[KeyPosition, list[FoundCoin]]
    ) -> int:
        """Scan places in order until `gap` in a row are unused; return the index after the last.

        Raises: ChainUnavailable after MAX_PLACES; then nothing of this scan is remembered.
        """
        used, index, unused = self._used[_name(wallet)], 0, 0
        seen: set[KeyPosition] = set()
        last = max((place.index for place in used if place.chain == chain), default=-1)
        while unused < gap or index <= last:
            if index >= MAX_PLACES:
                raise ChainUnavailable("the Bitcoin node calls more places used than there are")
            count = min(_AT_A_TIME, max(gap - unused, last - index + 1))
            places = [KeyPosition(chain, index + step) for step in range(count)]
            looked = await asyncio.gather(*(self._look_at(wallet, place) for place in places))
            for place, (coins, was_used) in zip(places, looked, strict=True):
                unused = 0 if was_used else unused + 1
                if was_used:
                    seen.add(place)
                if coins:
                    found[place] = coins
            index += count
        used |= seen
        return index

    async def _coins_at(self, wallet: Wallet, place: KeyPosition) -> list[FoundCoin]:
        address = _address(wallet, place)
        return [FoundCoin(coin, place) for coin in await self._sources.utxos(address)]

    async def _look_at(self, wallet: Wallet, place: KeyPosition) -> tuple[list[FoundCoin], bool]:
        address = _address(wallet, place)
        coins = await self._coins_at(wallet, place)
        used = bool(coins) or place in self._used[_name(wallet)]
        return coins, used or await self._sources.was_used(address)


def _address(wallet: Wallet, place: KeyPosition) -> str:
    script = script_at(wallet.account, wallet.keys, place)
    return address_of(script, wallet.network) or ""


def _is_ripe(coin: OwnCoin, found: FoundCoin, height: int) -> bool:
    born = found.unspent.height
    return not coin.is_mined or (born is not None and height + 1 - born >= MATURITY)


def _name(wallet: Wallet) -> bytes:
    """Return the account's first script, which identifies wallet and account."""
    return script_at(wallet.account, wallet.keys, KeyPosition(RECEIVE, 0))
