"""Where the chain's facts come from: one interface, and several sources that must agree."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from console.adapters.chains.bitcoin.transaction import parse_transaction
from console.adapters.rpc import agreement
from console.adapters.rpc.agreement import Told
from console.application.errors import ChainUnavailable, InvalidAddress, UnknownTransaction

FEE_TARGETS = (2, 6, 144)
"""The numbers of blocks within which a transaction shall be in one, for which fees are asked."""
_TXID_LENGTH = 64
_ADDRESS = re.compile(r"[0-9A-Za-z]{14,90}")

T = TypeVar("T")


class BroadcastRefused(Exception):
    """A node understood a transaction and does not take it; its own words, made printable."""


class ProofUnavailable(ChainUnavailable):
    """A transaction is larger than nodes relay, so the coins that it made cannot be proven."""


@dataclass(frozen=True, slots=True)
class Unspent:
    """A coin that nothing spends; `height` is None while its transaction is in no block."""

    txid: str
    number: int
    value: int
    height: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a known transaction stands; both are None while it is in no block."""

    height: int | None
    block_hash: str | None


@dataclass(frozen=True, slots=True)
class Spent:
    """That a coin is spent in the chain; None for what a node does not tell of the spender."""

    height: int | None
    txid: str | None = None


@dataclass(frozen=True, slots=True)
class Transacted:
    """A transaction of an address: `change` is what it brought in satoshis, below zero if paid."""

    txid: str
    change: int
    height: int | None
    time_s: int | None


class BitcoinSource(Protocol):
    """A node of one Bitcoin network. All calls raise ChainUnavailable.

    Ids and hashes are 64 lower-case hexadecimal digits in the order that people read them.
    """

    async def tip_height(self) -> int:
        """Return the height of the newest block."""
        ...

    async def block_hash(self, height: int) -> str:
        """Return the hash of the active chain's block."""
        ...

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        """Return an address's unspent coins, sorted. Raises: InvalidAddress."""
        ...

    async def transactions(self, address: str) -> tuple[Transacted, ...]:
        """Return the newest transactions, newest first; () from a node that keeps no such index.

        Raises: InvalidAddress.
        """
        ...

    async def was_used(self, address: str) -> bool:
        """Return whether any transaction pays or spends from an address.

        A node that keeps no such index says no. Raises: InvalidAddress.
        """
        ...

    async def raw_transaction(self, txid: str) -> bytes:
        """Return the bytes, whose computed id is `txid`. Raises: UnknownTransaction."""
        ...

    async def status(self, txid: str) -> Standing | None:
        """Return where a transaction stands, None if it is unknown. Raises: UnknownTransaction."""
        ...

    async def spent(self, txid: str, number: int) -> Spent | None:
        """Return how a coin was spent in the chain.

        None if it is unspent, if its spender waits only, or if what made it is not known.
        """
        ...

    async def fee_estimates(self) -> dict[int, int]:
        """Return satoshis for 1000 virtual bytes, for each of FEE_TARGETS."""
        ...

    async def send(self, raw: bytes) -> str:
        """Hand over a transaction; return its id. Raises: BroadcastRefused, UnknownTransaction."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Sources:
    """Several sources as one, by the rule of agreement (case C116, docs/chains.md)."""

    def __init__(self, sources: tuple[BitcoinSource, ...]) -> None:
        if not sources:
            raise ValueError("a chain needs at least one source")
        self._sources = sources

    async def tip_height(self) -> int:
        """Return the lowest: nothing is confirmed before all nodes have the block."""
        return min(await self.tip_heights())

    async def tip_heights(self) -> list[int]:
        """Return what each source tells, at least one height. Raises: ChainUnavailable."""
        return await self._all(lambda source: source.tip_height())

    async def block_hash(self, height: int) -> str:
        """Return what all tell. Raises: SourcesDisagree, ChainUnavailable."""
        told = await self._ask_all(lambda source: source.block_hash(height))
        return agreement.agreed(told, _different("a block"))

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        """Return coins in blocks, of which all must tell the same, and waiting ones all know.

        Waiting coins are no facts that nodes share, so those that one does not know are left out.
        Raises: SourcesDisagree, ChainUnavailable, InvalidAddress.
        """
        told = [set(coins) for coins in await self._all(lambda source: source.utxos(address))]
        in_blocks = [{coin for coin in coins if coin.height is not None} for coins in told]
        agreement.agreed(in_blocks, _different("coins"))
        return tuple(sorted(set.intersection(*told), key=lambda coin: (coin.txid, coin.number)))

    async def transactions(self, address: str) -> tuple[Transacted, ...]:
        """Return the first history that is not empty: for show, never for a decision."""
        told = await self._all(lambda source: source.transactions(address))
        return next((history for history in told if history), ())

    @property
    def keep_history(self) -> bool:
        """Return whether any source can tell which addresses were used and are empty now."""
        return bool(self._keepers())

    async def was_used(self, address: str) -> bool:
        """Return whether all that keep histories have one, so that no single one decides.

        Raises: ChainUnavailable, InvalidAddress.
        """
        questions = (keeper.was_used(address) for keeper in self._keepers())
        told = agreement.answers(await agreement.ask_all(questions))
        return bool(told) and all(told)

    async def raw_transaction(self, txid: str) -> bytes:
        """Return the bytes from the first source that has them; their id is computed.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        return await agreement.first(partial(each.raw_transaction, txid) for each in self._sources)

    async def status(self, txid: str) -> Standing | None:
        """Return the block that all tell; waiting, if one knows it and none in a block.

        Raises: SourcesDisagree, ChainUnavailable, UnknownTransaction.
        """
        told = await self._all(lambda source: source.status(txid))
        waiting = Standing(None, None)
        agreement.agreed([standing or waiting for standing in told], _different("a transaction"))
        return next((standing for standing in told if standing), None)

    async def spent(self, txid: str, number: int) -> Spent | None:
        """Return the latest height that any tells, if all say that one transaction spends the coin.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        told = await self._all(lambda source: source.spent(txid, number))
        spent = [each for each in told if each is not None]
        spenders = {each.txid for each in spent if each.txid is not None}
        if len(spent) < len(told) or len(spenders) > 1:
            return None
        known = [each.height for each in spent if each.height is not None]
        height = max(known) if len(known) == len(told) else None
        return Spent(height, next(iter(spenders), None))

    async def fee_estimates(self) -> dict[int, int]:
        """Return the lowest of each target: one false source must not make a transaction dear."""
        told = await self._all(lambda source: source.fee_estimates())
        return {target: min(fees[target] for fees in told) for target in FEE_TARGETS}

    async def send(self, raw: bytes) -> str:
        """Send to all; it is enough that one takes it.

        Raises: BroadcastRefused if one refused and none took it; ChainUnavailable,
        UnknownTransaction.
        """
        checked_transaction(raw)
        told = await self._ask_all(lambda source: source.send(raw))
        return agreement.taken(told, BroadcastRefused)

    async def close(self) -> None:
        """Release connections."""
        for source in self._sources:
            await source.close()

    def _keepers(self) -> tuple[BitcoinSource, ...]:
        return tuple(each for each in self._sources if getattr(each, "keeps_history", True))

    async def _all(self, ask: Callable[[BitcoinSource], Coroutine[Any, Any, T]]) -> list[T]:
        return agreement.answers(await self._ask_all(ask))

    async def _ask_all(
        self, ask: Callable[[BitcoinSource], Coroutine[Any, Any, T]]
    ) -> list[Told[T]]:
        return await agreement.ask_all(map(ask, self._sources))


def _different(what: str) -> str:
    return f"the Bitcoin nodes tell different facts about {what}"


def checked_address(text: str) -> str:
    """Return the text, if it has the form of an address. Raises: InvalidAddress."""
    if not _ADDRESS.fullmatch(text):
        raise InvalidAddress("this is no Bitcoin address")
    return text


def checked_txid(text: str) -> str:
    """Return the id. Raises: UnknownTransaction if the text is none."""
    if len(text) != _TXID_LENGTH or not set(text) <= set("0123456789abcdef"):
        raise UnknownTransaction("this is no id of a Bitcoin transaction")
    return text


def checked_transaction(raw: bytes) -> str:
    """Return the id of canonical, bounded bytes. Raises: UnknownTransaction."""
    return parse_transaction(raw).txid
