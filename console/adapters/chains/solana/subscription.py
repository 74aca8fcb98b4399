"""Waiting for a confirmation over a node's websocket, or by asking when that says odd things.

What arrives here is a hint that saves waiting: the word that counts is the answer to `poll`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import msgspec

from console.adapters.chains.solana.answers import Unsigned
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Inclusion, InclusionState

MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_MESSAGES: Final = 64
"""More than a node has to say about one signature; one that says more is left."""
_ID = 1
_PATIENCE = 5
"""After so many intervals of silence the nodes are asked, and the socket is opened anew."""
_DONE = frozenset({InclusionState.CONFIRMED, InclusionState.FAILED})

Poll = Callable[[str], Awaitable[Inclusion]]


class _Params(msgspec.Struct, frozen=True):
    subscription: Unsigned


class _Message(msgspec.Struct, frozen=True):
    """An answer to the subscription, or its one notification."""

    id: int | None = None
    result: Unsigned | None = None
    method: str | None = None
    params: _Params | None = None


class SignatureWatch:
    """Tells when signatures are confirmed. One connection for each wait, none in between.

    `poll` asks the nodes what became of a signature; it is asked every `interval_s` when the
    websocket at `url` is of no use. Nothing that a websocket says ends a wait with an error.
    """

    def __init__(self, url: str, poll: Poll, timeout_s: float, interval_s: float = 2) -> None:
        self._url = url
        self._poll = poll
        self._timeout_s = timeout_s
        self._interval_s = interval_s

    async def confirmed(self, signature: str) -> Inclusion | None:
        """Return where a transaction ended; None if it has not within the time set."""
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._ended(signature)
                while found is None:
                    await self._notified(signature)
                    found = await self._ended(signature)
                    if found is None:
                        # Also after a notification: one that lies must not make us ask at once.
                        await asyncio.sleep(self._interval_s)
                return found
        except TimeoutError:
            return None

    async def _ended(self, signature: str) -> Inclusion | None:
        try:
            found = await self._poll(signature)
        except ChainUnavailable:
            return None
        return found if found.state in _DONE else None

    async def _notified(self, signature: str) -> bool:
        """Wait for a notification; False as soon as none is to be expected."""
        try:
            async with (
                asyncio.timeout(_PATIENCE * self._interval_s),
                aiohttp.ClientSession(trust_env=False) as session,
                session.ws_connect(self._url, max_msg_size=MAX_MESSAGE_BYTES, compress=0) as socket,
            ):
                await socket.send_str(_subscription(signature))
                return await _notification(socket)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return False


def _subscription(signature: str) -> str:
    params = [signature, {"commitment": "confirmed", "enableReceivedNotification": False}]
    body = {"jsonrpc": "2.0", "id": _ID, "method": "signatureSubscribe", "params": params}
    return msgspec.json.encode(body).decode()


async def _notification(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Read until the notification of the one subscription, whose number the node chose."""
    number: int | None = None
    for _ in range(MAX_MESSAGES):
        message = await _next(socket)
        if message is None:
            return False
        if message.id == _ID:
            if message.result is None:
                return False
            number = message.result
        elif message.method == "signatureNotification" and message.params:
            # Another number's is not ours, whatever it says.
            if message.params.subscription != number:
                continue
            return True
    return False


async def _next(socket: aiohttp.ClientWebSocketResponse) -> _Message | None:
    """Return the next message; None if the node hangs up or talks nonsense."""
    received = await socket.receive()
    if received.type is not aiohttp.WSMsgType.TEXT:
        return None
    try:
        return msgspec.json.decode(received.data, type=_Message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
