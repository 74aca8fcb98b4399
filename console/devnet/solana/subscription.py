"""The devnet's websocket: notifications of signatures and slots, as a cluster's node sends them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import WSMsgType, web

from console.devnet.solana.node import SolanaDevnet
from console.devnet.solana.runtime import Record

MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_SUBSCRIPTIONS: Final = 100
MAX_WAITING: Final = 1_000
"""A reader that is further behind than this is disconnected."""

Handler = Callable[[web.Request], Awaitable[web.WebSocketResponse]]


def solana_websocket(chain: SolanaDevnet) -> Handler:
    """Return the handler of a GET request that becomes a websocket."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        await _Conversation(chain, socket).run()
        return socket

    return handle


class _Conversation:
    """One client: its subscriptions, and the messages to be sent to it."""

    def __init__(self, chain: SolanaDevnet, socket: web.WebSocketResponse) -> None:
        self._runtime = chain.runtime
        self._socket = socket
        self._signatures: dict[int, str] = {}
        self._slots: set[int] = set()
        self._last = 0
        self._waiting: asyncio.Queue[object | None] = asyncio.Queue(MAX_WAITING)

    async def run(self) -> None:
        """Exchange messages until either side ends it."""
        self._runtime.listeners.add(self._included)
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send())
                await self._receive()
                sender.cancel()
        finally:
            self._runtime.listeners.discard(self._included)

    async def _receive(self) -> None:
        async for received in self._socket:
            if received.type is not WSMsgType.TEXT:
                return
            self._put(self._answer(received.data))
            for number, signature in list(self._signatures.items()):
                record = self._runtime.record(signature)
                if record:
                    self._notify(number, record)

    async def _send(self) -> None:
        while (message := await self._waiting.get()) is not None:
            try:
                await self._socket.send_json(message)
            except ConnectionError:
                return
        await self._socket.close()

    def _put(self, message: object) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)

    def _answer(self, text: str) -> object:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return _refusal(None, -32700, "Parse error")
        if not isinstance(body, dict):
            return _refusal(None, -32600, "Invalid Request")
        params = body.get("params")
        found = self._result(body.get("method"), params if isinstance(params, list) else [])
        if found is None:
            return _refusal(body.get("id"), -32602, "Invalid params, or no such method")
        return {"jsonrpc": "2.0", "id": body.get("id"), "result": found}

    def _result(self, method: object, params: list[Any]) -> object | None:
        first = params[0] if params else None
        match method:
            case "signatureUnsubscribe" | "slotUnsubscribe" if isinstance(first, int):
                known = first in self._signatures or first in self._slots
                self._signatures.pop(first, None)
                self._slots.discard(first)
                return known
            case "signatureSubscribe" | "slotSubscribe" if not self._has_room():
                return None
            case "signatureSubscribe" if isinstance(first, str):
                self._last += 1
                self._signatures[self._last] = first
                return self._last
            case "slotSubscribe":
                self._last += 1
                self._slots.add(self._last)
                return self._last
            case _:
                return None

    def _has_room(self) -> bool:
        return len(self._signatures) + len(self._slots) < MAX_SUBSCRIPTIONS

    def _included(self, record: Record) -> None:
        for number, signature in list(self._signatures.items()):
            if signature == record.signature:
                self._notify(number, record)
        for number in self._slots:
            told = {"slot": record.slot, "parent": record.slot - 1, "root": record.slot - 1}
            self._put(_notification("slotNotification", number, told))

    def _notify(self, number: int, record: Record) -> None:
        """Notify of a signature once; the subscription ends with it."""
        told = {"context": {"slot": record.slot}, "value": {"err": record.error}}
        self._signatures.pop(number, None)
        self._put(_notification("signatureNotification", number, told))


def _notification(method: str, number: int, result: object) -> object:
    return {
        "jsonrpc": "2.0",
        "method": method,
        "params": {"result": result, "subscription": number},
    }


def _refusal(call_id: object, code: int, message: str) -> object:
    return {"jsonrpc": "2.0", "id": call_id, "error": {"code": code, "message": message}}
