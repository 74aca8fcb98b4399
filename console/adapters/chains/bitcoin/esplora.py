"""A client of Esplora's HTTP API: strict shapes, ids computed and not believed.

Shapes and paths are those of github.com/Blockstream/esplora, API.md.
"""

import contextlib
import math
from typing import Annotated

import msgspec

from console.adapters.chains.bitcoin.answers import Hash, Height, Sats, read_json
from console.adapters.chains.bitcoin.sources import (
    FEE_TARGETS,
    BroadcastRefused,
    ProofUnavailable,
    Spent,
    Standing,
    Transacted,
    Unspent,
    checked_address,
    checked_transaction,
    checked_txid,
)
from console.adapters.chains.bitcoin.transaction import TransactionTooLarge
from console.adapters.rpc.http import OK, TIMEOUT_S, HttpClient
from console.application.errors import ChainUnavailable, UnknownTransaction

_MAX_TEXT = 300
_MAX_RATE = 1_000_000
_UNKNOWN = b"Transaction not found"
_REFUSED, _NOT_FOUND = 400, 404

Rate = Annotated[float, msgspec.Meta(gt=0, le=_MAX_RATE)]
Target = Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,3}\Z")]


class EsploraRefused(BroadcastRefused):
    """The node behind Esplora refused a transaction."""


class _Status(msgspec.Struct, frozen=True):
    confirmed: bool
    block_height: Height | None = None
    block_hash: Hash | None = None
    block_time: Height | None = None


class _Unspent(msgspec.Struct, frozen=True):
    txid: Hash
    vout: Height
    value: Sats
    status: _Status


class _Output(msgspec.Struct, frozen=True):
    value: Sats
    scriptpubkey_address: str | None = None


class _Input(msgspec.Struct, frozen=True):
    prevout: _Output | None


class _Known(msgspec.Struct, frozen=True):
    txid: Hash
    status: _Status


class _Transaction(msgspec.Struct, frozen=True):
    txid: Hash
    status: _Status
    vin: list[_Input]
    vout: list[_Output]


class _Spending(msgspec.Struct, frozen=True):
    spent: bool
    txid: Hash | None = None
    status: _Status | None = None


class _Stats(msgspec.Struct, frozen=True):
    tx_count: Height


class _Used(msgspec.Struct, frozen=True):
    chain_stats: _Stats
    mempool_stats: _Stats


class _Refusal(msgspec.Struct, frozen=True):
    message: str


class Esplora:
    """One Esplora at `url`; implements `BitcoinSource`."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._http = HttpClient("the Bitcoin node", url.rstrip("/"), timeout_s)

    async def tip_height(self) -> int:
        """Return the height of the newest block. Raises: ChainUnavailable."""
        height: int = read_json(await self._get("/blocks/tip/height"), Height)
        return height

    async def block_hash(self, height: int) -> str:
        """Return a block's hash. Raises: ChainUnavailable, if there is no such block too."""
        return _hash(await self._get(f"/block-height/{height}"))

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        """Return an address's unspent coins, sorted. Raises: ChainUnavailable, InvalidAddress."""
        data = await self._get(f"/address/{checked_address(address)}/utxo")
        coins = [
            Unspent(coin.txid, coin.vout, coin.value, _standing(coin.status).height)
            for coin in read_json(data, list[_Unspent])
        ]
        if len({(coin.txid, coin.number) for coin in coins}) < len(coins):
            raise ChainUnavailable("the Bitcoin node tells of a coin twice")
        return tuple(sorted(coins, key=lambda coin: (coin.txid, coin.number)))

    async def transactions(self, address: str) -> tuple[Transacted, ...]:
        """Return the newest transactions, newest first. Raises: ChainUnavailable, InvalidAddress.

        What an address gained is what the node says, for show only.
        """
        data = await self._get(f"/address/{checked_address(address)}/txs")
        return tuple(
            Transacted(
                each.txid,
                _change(each, address),
                _standing(each.status).height,
                each.status.block_time,
            )
            for each in read_json(data, list[_Transaction])
        )

    async def was_used(self, address: str) -> bool:
        """Return whether the address has transactions. Raises: ChainUnavailable, InvalidAddress.

        Not from the transactions themselves: a few large ones are more than a reply may be.
        """
        told = read_json(await self._get(f"/address/{checked_address(address)}"), _Used)
        return bool(told.chain_stats.tx_count or told.mempool_stats.tx_count)

    async def raw_transaction(self, txid: str) -> bytes:
        """Return the bytes, whose id has been computed.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        data = await self._get(f"/tx/{checked_txid(txid)}/hex")
        try:
            raw = bytes.fromhex(data.decode("ascii"))
            found = checked_transaction(raw)
        except TransactionTooLarge as large:
            raise ProofUnavailable(f"the Bitcoin node answers {large}") from None
        except (ValueError, UnknownTransaction):
            raise ChainUnavailable("the Bitcoin node answers no transaction") from None
        if found != txid:
            raise ChainUnavailable("the Bitcoin node answers another transaction")
        return raw

    async def status(self, txid: str) -> Standing | None:
        """Return where a transaction stands, None if unknown.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        # Not /status, which says "not confirmed" of unknown ids too.
        told = await self._http.get(f"/tx/{checked_txid(txid)}", OK | {_NOT_FOUND})
        if told.status == _NOT_FOUND:
            if told.body == _UNKNOWN:
                return None
            raise ChainUnavailable(f"the Bitcoin node answers HTTP {told.status}")
        known = read_json(told.body, _Known)
        if known.txid != txid:
            raise ChainUnavailable("the Bitcoin node answers for another transaction")
        return _standing(known.status)

    async def spent(self, txid: str, number: int) -> Spent | None:
        """Return how a coin was spent in a block; a spender that waits may be dropped.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        path = f"/tx/{checked_txid(txid)}/outspend/{number}"
        told = await self._http.get(path, OK | {_NOT_FOUND})
        if told.status == _NOT_FOUND:
            return None
        spending = read_json(told.body, _Spending)
        height = _standing(spending.status).height if spending.status else None
        return Spent(height, spending.txid) if spending.spent and height is not None else None

    async def fee_estimates(self) -> dict[int, int]:
        """Return satoshis for 1000 virtual bytes, for each of FEE_TARGETS.

        Raises: ChainUnavailable.
        """
        rates = read_json(await self._get("/fee-estimates"), dict[Target, Rate])
        if not rates:
            raise ChainUnavailable("the Bitcoin node estimates no fees")
        known = {int(target): math.ceil(rate * 1000) for target, rate in rates.items()}
        return {wanted: known[_nearest(wanted, known)] for wanted in FEE_TARGETS}

    async def send(self, raw: bytes) -> str:
        """Send a transaction; return its id.

        Raises: EsploraRefused, ChainUnavailable, UnknownTransaction.
        """
        txid = checked_transaction(raw)
        if _hash(await self._post("/tx", raw.hex().encode())) != txid:
            raise ChainUnavailable("the Bitcoin node names another transaction than it was given")
        return txid

    async def fund(self, address: str, satoshis: int) -> None:
        """Ask a devnet's faucet for coins. Raises: EsploraRefused, ChainUnavailable."""
        body = msgspec.json.encode({"address": checked_address(address), "sats": satoshis})
        await self._post("/devnet/fund", body)

    async def close(self) -> None:
        """Release the connection."""
        await self._http.close()

    async def _get(self, path: str) -> bytes:
        return (await self._http.get(path)).body

    async def _post(self, path: str, body: bytes) -> bytes:
        """Return the body. Raises: EsploraRefused, ChainUnavailable."""
        told = await self._http.post(path, body, "text/plain", OK | {_REFUSED})
        if told.status == _REFUSED:
            raise EsploraRefused(_reason(told.body))
        return told.body


def _hash(data: bytes) -> str:
    try:
        return checked_txid(data.decode("ascii"))
    except (UnicodeDecodeError, UnknownTransaction):
        raise ChainUnavailable("the Bitcoin node answers something else than a hash") from None


def _standing(status: _Status) -> Standing:
    """Read a status, which has a block if confirmed. Raises: ChainUnavailable."""
    if not status.confirmed:
        return Standing(None, None)
    if status.block_height is None or status.block_hash is None:
        raise ChainUnavailable("the Bitcoin node confirms without a block")
    return Standing(status.block_height, status.block_hash)


def _change(transaction: _Transaction, address: str) -> int:
    paid = [entry.prevout for entry in transaction.vin if entry.prevout]
    gained = sum(out.value for out in transaction.vout if out.scriptpubkey_address == address)
    return gained - sum(out.value for out in paid if out.scriptpubkey_address == address)


def _nearest(wanted: int, known: dict[int, int]) -> int:
    """Return the longest target up to the wanted one, else the shortest."""
    return max((target for target in known if target <= wanted), default=min(known))


def _reason(data: bytes) -> str:
    """Return the node's own sentence without Esplora's wrapping."""
    text = data.decode(errors="replace")
    _, brace, error = text.partition("{")
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        text = msgspec.json.decode(brace + error, type=_Refusal).message
    # The sentence reaches the screen: no controls, no direction marks.
    return "".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT])
