"""Waiting for a confirmation over a node's websocket, or by polling if that fails.

A notification is only a hint that saves time: the answer of `poll` decides.
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
"""Most messages for one signature; after more the websocket is closed."""
_ID = 1
_PATIENCE = 5
"""Intervals of silence after which the nodes are polled and the socket is opened again."""
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
    """Waits for the confirmation of signatures, with one connection for each wait.

    `poll` returns the status of a signature from the nodes; it is called every `interval_s` when
    the websocket at `url` fails. No websocket message ends a wait with an error.
    """

    def __init__(self, url: str, poll: Poll, timeout_s: float, interval_s: float = 2) -> None:
        self._url = url
        self._poll = poll
        self._timeout_s = timeout_s
        self._interval_s = interval_s

    async def confirmed(self, signature: str) -> Inclusion | None:
        """Return the final status of a transaction; None if it has none before the timeout."""
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._ended(signature)
                while found is None:
                    await self._notified(signature)
                    found = await self._ended(signature)
                    if found is None:
                        # Also after a notification: a false one must not make us poll at once.
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
        """Wait for a notification; return False once none can be expected."""
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
    """Read until the notification of this subscription, whose number the node chose."""
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
            # A notification of another subscription is ignored.
            if message.params.subscription != number:
                continue
            return True
    return False


async def _next(socket: aiohttp.ClientWebSocketResponse) -> _Message | None:
    """Return the next message; None if the node closes or sends malformed data."""
    received = await socket.receive()
    if received.type is not aiohttp.WSMsgType.TEXT:
        return None
    try:
        return msgspec.json.decode(received.data, type=_Message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
