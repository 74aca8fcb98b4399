"""Switches that make the devnet's answers wrong, like those of a false or broken node.

POST /devnet/faults {"chain": ..., "kind": ..., "seconds": ...} turns one on, GET returns them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from console.devnet import lies

CHAINS = ("ethereum", "solana", "bitcoin")
FLOOD_BYTES = 100 * 1024 * 1024
MAX_SECONDS = 600.0
_PIECE = 64 * 1024
_LOOK_EVERY_S = 0.05
_OWN_ORDERS = ("devnet/", "devnet_", "expire-blockhash")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultKind(StrEnum):
    """Kinds of wrong answers."""

    NONE = "none"
    SLOW = "slow"
    WRONG_CHAIN = "wrong-chain"
    LYING_BALANCE = "lying-balance"
    GARBAGE = "garbage"
    HTML = "html"
    HUGE = "huge"
    NAN = "nan"
    DUPLICATE_KEYS = "duplicate-keys"
    REDIRECT = "redirect"
    WRONG_TXID = "wrong-txid"
    ERROR_500 = "error-500"
    HANG = "hang"


_LIES: dict[FaultKind, lies.Lie] = {
    FaultKind.WRONG_CHAIN: lies.another_chain,
    FaultKind.LYING_BALANCE: lies.more_money,
    FaultKind.NAN: lies.not_a_number,
    FaultKind.DUPLICATE_KEYS: lies.duplicate_keys,
    FaultKind.WRONG_TXID: lies.another_transaction,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of a chain's answers; `seconds` is the delay of `slow`."""

    kind: FaultKind = FaultKind.NONE
    seconds: float = 1.0


class Faults:
    """One fault for each chain, and the number of followed redirects."""

    def __init__(self) -> None:
        self._on: dict[str, Fault] = {}
        self._trapped = 0

    def add_to(self, app: web.Application) -> None:
        """Return the middleware between an application's chains and its callers."""
        app.router.add_get("/devnet/faults", self._tell)
        app.router.add_post("/devnet/faults", self._switch)
        app.router.add_route("*", "/devnet/trap", self._trap)
        app.middlewares.append(self._between)

    @web.middleware
    async def _between(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        chain, _, path = request.path.lstrip("/").partition("/")
        fault = self._on.get(chain, Fault())
        question = lies.Question(chain, path, request)
        # The devnet's own orders stay right, so that a test can go on.
        if fault.kind is FaultKind.NONE or (await question.name()).startswith(_OWN_ORDERS):
            return await handler(request)
        return await self._answer(fault, question, handler)

    async def _answer(
        self, fault: Fault, question: lies.Question, handler: Handler
    ) -> web.StreamResponse:
        request = question.request
        match fault.kind:
            case FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
                return await handler(request)
            case FaultKind.HANG:
                return await _hang(request)
            case FaultKind.HUGE:
                return await _flood(request)
            case FaultKind.GARBAGE:
                return web.Response(body=b"\xff\xfe\x00{[" * 20, content_type="application/json")
            case FaultKind.HTML:
                page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
                return web.Response(text=page, content_type="text/html")
            case FaultKind.REDIRECT:
                return web.Response(status=307, headers={"Location": "/devnet/trap"})
            case FaultKind.ERROR_500:
                return web.Response(status=500, text="Internal Server Error")
            case kind:
                return await _LIES[kind](question, handler)

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            order = json.loads(await request.read())
            chain, fault = _read(order)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise web.HTTPBadRequest(text="expected a known chain and kind") from None
        self._on[chain] = fault
        return await self._tell(request)

    async def _tell(self, _request: web.Request) -> web.Response:
        on = {chain: self._on.get(chain, Fault()).kind.value for chain in CHAINS}
        return web.json_response({"faults": on, "trapped": self._trapped})

    async def _trap(self, _request: web.Request) -> web.Response:
        self._trapped += 1
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": "0x0"})


def _read(order: object) -> tuple[str, Fault]:
    if not isinstance(order, dict) or not {"chain", "kind"} <= order.keys() <= {
        "chain",
        "kind",
        "seconds",
    }:
        raise ValueError("other fields")
    seconds = order.get("seconds", 1.0)
    if order["chain"] not in CHAINS or type(seconds) not in {int, float}:
        raise ValueError("another chain")
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError("too long")
    return order["chain"], Fault(FaultKind(order["kind"]), float(seconds))


async def _hang(request: web.Request) -> web.StreamResponse:
    """Send nothing until the caller leaves, or for longer than any test takes."""
    for _ in range(round(MAX_SECONDS / _LOOK_EVERY_S)):
        if request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    return web.Response(status=504)


async def _flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        await response.write(b'{"jsonrpc":"2.0","id":1,"result":"')
        for _ in range(FLOOD_BYTES // _PIECE):
            await response.write(b"0" * _PIECE)
        await response.write(b'"}')
        await response.write_eof()
    except ConnectionError:
        # The caller gave up, as it must.
        pass
    return response
