"""The Bitcoin devnet over HTTP: Esplora's paths, and the devnet's own below /devnet."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from bitcoin.core import b2lx

from console.devnet.bitcoin import answers
from console.devnet.bitcoin.addresses import script_of
from console.devnet.bitcoin.index import Placed
from console.devnet.bitcoin.mempool import Entry
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.policy import PolicyRefused

Handler = Callable[[web.Request], Awaitable[web.Response]]
_DECODE_FAILED = -22


def add_bitcoin_routes(router: web.UrlDispatcher, devnet: BitcoinDevnet, prefix: str) -> None:
    """Serve the chain below `prefix`."""
    routes = BitcoinRoutes(devnet)
    questions: dict[str, Handler] = {
        "/blocks/tip/height": routes.tip_height,
        "/blocks/tip/hash": routes.tip_hash,
        r"/block-height/{height:\d{1,9}}": routes.block_hash,
        "/address/{address}": routes.address,
        "/address/{address}/utxo": routes.unspent,
        "/address/{address}/txs": routes.history,
        "/tx/{txid}": routes.transaction,
        "/tx/{txid}/hex": routes.raw,
        "/tx/{txid}/status": routes.status,
        r"/tx/{txid}/outspend/{number:\d{1,9}}": routes.spending,
        "/fee-estimates": routes.fees,
    }
    for path, handler in questions.items():
        router.add_get(prefix + path, handler)
    orders: dict[str, Handler] = {
        "/tx": routes.send,
        "/devnet/fund": routes.fund,
        "/devnet/mine": routes.mine,
        "/devnet/reorg": routes.reorg,
        "/devnet/automine": routes.automine,
    }
    for path, handler in orders.items():
        router.add_post(prefix + path, handler)


class BitcoinRoutes:
    """One handler for each path. A wrong request has status 400 or 404 and a sentence."""

    def __init__(self, devnet: BitcoinDevnet) -> None:
        self._devnet = devnet

    async def tip_height(self, _request: web.Request) -> web.Response:
        return web.Response(text=str(self._devnet.chain.height))

    async def tip_hash(self, _request: web.Request) -> web.Response:
        return web.Response(text=b2lx(self._devnet.chain.blocks[-1].GetHash()))

    async def block_hash(self, request: web.Request) -> web.Response:
        height = int(request.match_info["height"])
        if height > self._devnet.chain.height:
            raise web.HTTPNotFound(text="Block not found")
        return web.Response(text=b2lx(self._devnet.chain.blocks[height].GetHash()))

    async def address(self, request: web.Request) -> web.Response:
        address, script = _script(request)
        return web.json_response(answers.address_view(self._devnet, address, script))

    async def unspent(self, request: web.Request) -> web.Response:
        coins = self._devnet.unspent(_script(request)[1])
        return web.json_response(
            [answers.unspent_view(self._devnet, outpoint, coin) for outpoint, coin in coins]
        )

    async def history(self, request: web.Request) -> web.Response:
        return web.json_response(answers.history_view(self._devnet, _script(request)[1]))

    async def transaction(self, request: web.Request) -> web.Response:
        return web.json_response(answers.transaction_view(self._devnet, self._found(request)))

    async def raw(self, request: web.Request) -> web.Response:
        return web.Response(text=self._found(request).transaction.serialize().hex())

    async def status(self, request: web.Request) -> web.Response:
        found = self._devnet.find(_txid(request))
        height = answers.height_of(found) if found else None
        return web.json_response(answers.status_view(self._devnet, height))

    async def spending(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number >= len(self._found(request).transaction.vout):
            raise web.HTTPNotFound(text="Output not found")
        return web.json_response(answers.spending_view(self._devnet, (_txid(request), number)))

    async def fees(self, _request: web.Request) -> web.Response:
        return web.json_response(answers.FEE_ESTIMATES)

    async def send(self, request: web.Request) -> web.Response:
        try:
            raw = bytes.fromhex((await request.read()).decode())
        except ValueError:
            raise _refused(_DECODE_FAILED, "TX decode failed") from None
        try:
            return web.Response(text=b2lx(self._devnet.send(raw)))
        except PolicyRefused as refusal:
            raise _refused(refusal.code, str(refusal)) from None

    async def fund(self, request: web.Request) -> web.Response:
        order = await _order(request, {"address": str, "sats": int})
        try:
            txid = self._devnet.fund(order["address"], order["sats"])
        except ValueError as refusal:
            raise web.HTTPBadRequest(text=str(refusal)) from None
        return web.json_response({"txid": b2lx(txid)})

    async def mine(self, request: web.Request) -> web.Response:
        order = await _order(request, {"blocks": int})
        return self._moved(lambda: self._devnet.mine(order["blocks"]))

    async def reorg(self, request: web.Request) -> web.Response:
        order = await _order(request, {"depth": int})
        return self._moved(lambda: self._devnet.reorg(order["depth"]))

    async def automine(self, request: web.Request) -> web.Response:
        order = await _order(request, {"on": bool})
        self._devnet.automine = order["on"]
        return web.json_response({"on": self._devnet.automine})

    def _moved(self, move: Callable[[], None]) -> web.Response:
        try:
            move()
        except ValueError as refusal:
            raise web.HTTPBadRequest(text=str(refusal)) from None
        return web.json_response({"height": self._devnet.chain.height})

    def _found(self, request: web.Request) -> Placed | Entry:
        found = self._devnet.find(_txid(request))
        if found is None:
            raise web.HTTPNotFound(text="Transaction not found")
        return found


def _txid(request: web.Request) -> bytes:
    """Return an id in the order of its bytes; people and APIs write it reversed."""
    text = request.match_info["txid"]
    try:
        txid = bytes.fromhex(text)[::-1]
    except ValueError:
        txid = b""
    if len(txid) != 32 or len(text) != 64:
        raise web.HTTPBadRequest(text="Invalid hex string")
    return txid


def _script(request: web.Request) -> tuple[str, bytes]:
    address = request.match_info["address"]
    script = script_of(address)
    if script is None:
        raise web.HTTPBadRequest(text="Invalid Bitcoin address")
    return address, script


async def _order(request: web.Request, fields: dict[str, type]) -> dict[str, Any]:
    """Return an order's fields, exactly these."""
    try:
        order = json.loads(await request.read())
    except (ValueError, RecursionError):
        order = None
    if not isinstance(order, dict) or {name: type(order[name]) for name in order} != fields:
        raise web.HTTPBadRequest(text=f"expected a JSON object of {', '.join(fields)}")
    return order


def _refused(code: int, reason: str) -> web.HTTPBadRequest:
    """Return a refusal in the words in which Esplora passes on Core's."""
    error = json.dumps({"code": code, "message": reason}, separators=(",", ":"))
    return web.HTTPBadRequest(text=f"sendrawtransaction RPC error: {error}")
