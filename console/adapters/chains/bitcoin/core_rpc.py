"""A client of Bitcoin Core's JSON-RPC, from version 28 on.

Earlier ones answer refusals with HTTP 500, which here is a node that does not work. The node must
keep `txindex=1`. A user and a password, where it wants them, stand in the address.
"""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec

from console.adapters.chains.bitcoin.answers import Hash, Height
from console.adapters.chains.bitcoin.limits import MAX_MONEY
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
from console.adapters.rpc.http import TIMEOUT_S
from console.adapters.rpc.json_rpc import JsonRpc, RpcRefused
from console.application.errors import ChainUnavailable, InvalidAddress, UnknownTransaction

_COIN = 10**8
_NO_SUCH = -5
"""Of an address that is none, too: both are RPC_INVALID_ADDRESS_OR_KEY."""


class _Coin(msgspec.Struct, frozen=True):
    txid: Hash
    vout: Height
    amount: Decimal
    height: Height


class _Scan(msgspec.Struct, frozen=True):
    success: bool
    unspents: list[_Coin]


class _Known(msgspec.Struct, frozen=True):
    txid: Hash
    blockhash: Hash | None = None
    confirmations: int = 0


class _Header(msgspec.Struct, frozen=True):
    hash: Hash
    height: Height
    confirmations: int


class _Estimate(msgspec.Struct, frozen=True):
    feerate: Decimal | None = None


class _Mempool(msgspec.Struct, frozen=True):
    mempoolminfee: Decimal


class CoreRpc:
    """One Bitcoin Core; implements `BitcoinSource`.

    Core looks through all coins for an address (`scantxoutset`), which takes minutes on the main
    network: give it a `timeout_s` for that, or take an Esplora.
    """

    keeps_history = False
    """It has no index of addresses: a place that was emptied looks as if it was never used."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._scanning = asyncio.Lock()
        self._rpc = JsonRpc("the Bitcoin node", url, timeout_s)

    async def tip_height(self) -> int:
        """Return the height of the newest block. Raises: ChainUnavailable."""
        return int(await self._ask("getblockcount", [], Height))

    async def block_hash(self, height: int) -> str:
        """Return a block's hash. Raises: ChainUnavailable, if there is no such block too."""
        return str(await self._ask("getblockhash", [height], Hash))

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        """Return confirmed coins that no transaction spends, in a block or waiting; sorted.

        Raises: ChainUnavailable, InvalidAddress.
        """
        descriptor = f"addr({checked_address(address)})"
        try:
            # Core refuses a scan while another runs.
            async with self._scanning:
                scan = await self._rpc.call("scantxoutset", ["start", [descriptor]], _Scan)
        except RpcRefused as refused:
            if refused.error.code == _NO_SUCH:
                raise InvalidAddress("this is no Bitcoin address of the node's network") from None
            raise _unavailable("scantxoutset", refused) from None
        if not scan.success:
            raise ChainUnavailable("the Bitcoin node did not look through all coins")
        coins = [
            Unspent(coin.txid, coin.vout, _sats(coin.amount), coin.height)
            for coin in scan.unspents
            if await self._is_free(coin)
        ]
        return tuple(sorted(coins, key=lambda coin: (coin.txid, coin.number)))

    async def transactions(self, address: str) -> tuple[Transacted, ...]:  # noqa: ARG002
        """Return nothing: Core keeps no index of addresses."""
        return ()

    async def was_used(self, address: str) -> bool:  # noqa: ARG002
        """Return False: Core keeps no index of addresses."""
        return False

    async def raw_transaction(self, txid: str) -> bytes:
        """Return the bytes, whose id has been computed.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        text = await self._ask("getrawtransaction", [checked_txid(txid), False], str)
        try:
            raw = bytes.fromhex(text)
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
        try:
            known = await self._rpc.call("getrawtransaction", [checked_txid(txid), True], _Known)
        except RpcRefused as refused:
            if refused.error.code == _NO_SUCH:
                return None
            raise _unavailable("getrawtransaction", refused) from None
        if known.txid != txid:
            raise ChainUnavailable("the Bitcoin node answers for another transaction")
        if known.blockhash is None or known.confirmations < 1:
            return Standing(None, None)
        header = await self._ask("getblockheader", [known.blockhash], _Header)
        if header.hash != known.blockhash:
            raise ChainUnavailable("the Bitcoin node answers for another block")
        # Between the two questions the block may have left the chain.
        if header.confirmations < 1:
            return Standing(None, None)
        return Standing(header.height, header.hash)

    async def spent(self, txid: str, number: int) -> Spent | None:
        """Return that a coin is spent in the chain; Core does not tell in which block.

        Raises: ChainUnavailable, UnknownTransaction.
        """
        made = await self.status(txid)
        if made is None or made.height is None:
            return None
        found = await self._ask("gettxout", [txid, number, False], msgspec.Raw)
        return Spent(None) if bytes(found) == b"null" else None

    async def fee_estimates(self) -> dict[int, int]:
        """Return satoshis for 1000 virtual bytes, for each of FEE_TARGETS.

        Where the node has seen too little to estimate, it is the least that it relays.
        Raises: ChainUnavailable.
        """
        least = _sats((await self._ask("getmempoolinfo", [], _Mempool)).mempoolminfee)
        rates: dict[int, int] = {}
        for target in FEE_TARGETS:
            told = (await self._ask("estimatesmartfee", [target], _Estimate)).feerate
            rates[target] = max(least, _sats(told)) if told is not None else least
        return rates

    async def send(self, raw: bytes) -> str:
        """Send a transaction; return its id.

        Raises: BroadcastRefused, ChainUnavailable, UnknownTransaction.
        """
        txid = checked_transaction(raw)
        try:
            told = await self._rpc.call("sendrawtransaction", [raw.hex()], str)
        except RpcRefused as refused:
            raise BroadcastRefused(str(refused)) from None
        if told != txid:
            raise ChainUnavailable("the Bitcoin node names another transaction than it was given")
        return txid

    async def close(self) -> None:
        """Release the connection."""
        await self._rpc.close()

    async def _is_free(self, coin: _Coin) -> bool:
        """Return whether no waiting transaction spends the coin."""
        found = await self._ask("gettxout", [coin.txid, coin.vout, True], msgspec.Raw)
        return bytes(found) != b"null"

    async def _ask(self, method: str, params: list[Any], kind: Any) -> Any:
        try:
            return await self._rpc.call(method, params, kind)
        except RpcRefused as refused:
            raise _unavailable(method, refused) from None


def _unavailable(method: str, refused: RpcRefused) -> ChainUnavailable:
    return ChainUnavailable(f"the Bitcoin node refuses {method}: {refused}")


def _sats(amount: Decimal) -> int:
    """Return satoshis. Raises: ChainUnavailable if it is no amount of bitcoin."""
    if not amount.is_finite() or not 0 <= amount <= MAX_MONEY // _COIN:
        raise ChainUnavailable("the Bitcoin node tells an amount that cannot be")
    sats = amount * _COIN
    if sats != int(sats):
        raise ChainUnavailable("the Bitcoin node tells a fraction of a satoshi")
    return int(sats)
