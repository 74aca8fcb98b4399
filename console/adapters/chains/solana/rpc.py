"""A small JSON-RPC client: bounded answers, strict shapes, one error for all trouble outside.

The library's own JSON parsers are not used: an unknown error variant makes them raise an
exception that is no `Exception`, so one odd answer could end a node.
"""

import itertools
from typing import Any, TypeVar

import aiohttp
import msgspec

from console.application.errors import ChainUnavailable

MAX_ANSWER_BYTES = 1 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=8, connect=3)
_MAX_TEXT = 300

T = TypeVar("T")


class RpcError(msgspec.Struct, frozen=True):
    """An error that the node answered; `data` is looked at only for known shapes."""

    code: int
    message: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: RpcError | None = None


class RpcRefused(Exception):
    """The node understood and refused."""

    def __init__(self, error: RpcError) -> None:
        super().__init__(error.message[:_MAX_TEXT])
        self.error = error


class JsonRpc:
    """One endpoint."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    async def call(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Call and decode the result as `kind`. Raises: RpcRefused, ChainUnavailable."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = _decode(await self._post(msgspec.json.encode(body)), _Answer)
        if answer.error:
            raise RpcRefused(answer.error)
        return _decode(bytes(answer.result), kind)

    async def close(self) -> None:
        """Release the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise ChainUnavailable(f"the Solana node answers HTTP {response.status}")
                data = await response.content.read(MAX_ANSWER_BYTES)
                if not response.content.at_eof():
                    raise ChainUnavailable("the Solana node's answer is too large")
                return data
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise ChainUnavailable("the Solana node does not answer") from None


def _decode(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError:
        raise ChainUnavailable("the Solana node answers something else than it should") from None
