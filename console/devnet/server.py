"""Serves the devnet's chains over HTTP on loopback."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.routes import add_bitcoin_routes
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.failure import RpcFailure
from console.devnet.faults import Faults
from console.devnet.kept import KeptOrders, fresh_chains
from console.devnet.solana.node import SolanaDevnet
from console.devnet.solana.subscription import solana_websocket
from console.hardening import die_with_parent
from console.local_chains import READY

MAX_BODY = 256 * 1024


class Answers(Protocol):
    """A chain behind JSON-RPC."""

    def answer(self, method: str, params: list[Any]) -> object:
        """Return the result of one call. Raises: RpcFailure."""
        ...


def build_app(
    solana: SolanaDevnet, ethereum: EthereumDevnet, bitcoin: BitcoinDevnet | None = None
) -> web.Application:
    """Return the application, with its own fault switches (see `faults`).

    POST /solana and /ethereum take JSON-RPC 2.0 calls, GET /solana/ws becomes a websocket, and
    below /bitcoin is an Esplora. The Bitcoin devnet is closed with the application.
    """

    async def expire(_request: web.Request) -> web.Response:
        solana.expire_blockhash()
        return web.json_response({"expired": True})

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/solana", _rpc(solana))
    app.router.add_post("/solana/expire-blockhash", expire)
    app.router.add_get("/solana/ws", solana_websocket(solana))
    app.router.add_post("/ethereum", _rpc(ethereum))
    if bitcoin is not None:
        add_bitcoin_routes(app.router, bitcoin, "/bitcoin")
        app.on_cleanup.append(_closing(bitcoin))
    Faults().add_to(app)
    return app


def _closing(bitcoin: BitcoinDevnet) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_app: web.Application) -> None:
        bitcoin.close()

    return close


def _rpc(chain: Answers) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _reply(None, error={"code": -32700, "message": "Parse error"})
        if not isinstance(body, dict) or not isinstance(body.get("method"), str):
            # Batches included: our clients send none.
            return _reply(None, error={"code": -32600, "message": "Invalid Request"})
        params = body.get("params") or []
        if not isinstance(params, list):
            error = {"code": -32602, "message": "Invalid params: a list is expected"}
            return _reply(body.get("id"), error=error)
        try:
            return _reply(body.get("id"), result=chain.answer(body["method"], params))
        except RpcFailure as failure:
            error = {"code": failure.code, "message": str(failure), "data": failure.data}
            return _reply(body.get("id"), error=error)

    return answer


async def serve(host: str, port: int, keep: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; prints one line once it serves.

    With `keep`, the chains are what they were when that file was last used.
    """
    orders = KeptOrders(keep) if keep else None
    chains, anew = orders.restore() if orders else (fresh_chains(kept=False), False)
    app = build_app(chains.solana, chains.ethereum, chains.bitcoin)
    if orders:
        app.middlewares.append(orders.middleware)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await web.TCPSite(runner, host, port).start()
        how = ": the chains were begun anew" if anew else ""
        print(f"{READY} http://{host}:{port}{how}", flush=True)  # noqa: T201  for the parent
        await stop.wait()
    finally:
        await runner.cleanup()


def run_devnet(host: str, port: int, parent: int | None, keep: Path | None = None) -> None:
    """Run the devnet in this process."""
    if parent is not None:
        die_with_parent(parent)
    asyncio.run(serve(host, port, keep))


def _reply(
    call_id: object, *, result: object = None, error: dict[str, Any] | None = None
) -> web.Response:
    body: dict[str, object] = {"jsonrpc": "2.0", "id": call_id}
    body |= {"error": error} if error else {"result": result}
    return web.json_response(body)
