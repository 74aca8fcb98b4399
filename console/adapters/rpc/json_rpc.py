"""A JSON-RPC client over bounded HTTP: answers are decoded as one type, strictly."""

import itertools
from typing import Any, TypeVar

import msgspec

from console.adapters.rpc.http import TIMEOUT_S, HttpClient
from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import ChainUnavailable

__all__ = ["TIMEOUT_S", "JsonRpc", "RpcError", "RpcRefused"]

_MAX_TEXT = 300

T = TypeVar("T")


class RpcError(msgspec.Struct, frozen=True):
    """An error that the node answered. `data` is read only where its shape is known."""

    code: int
    message: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: RpcError | None = None


class RpcRefused(Exception):
    """The node understood and refused."""

    def __init__(self, error: RpcError) -> None:
        # The sentence reaches the screen: no controls, no direction marks.
        text = error.message[:_MAX_TEXT]
        super().__init__("".join(c if c.isprintable() else " " for c in text))
        self.error = error


class JsonRpc:
    """One endpoint; a call that takes longer than `timeout_s` is given up.

    `node` names it in sentences, for example "the Solana node".
    """

    def __init__(self, node: str, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._node = node
        self._http = HttpClient(node, url, timeout_s)
        self._ids = itertools.count(1)

    async def call(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Call and decode the result as `kind`. Raises: RpcRefused, ChainUnavailable."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        told = await self._http.post("", msgspec.json.encode(body), "application/json")
        answer = self.decode(told.body, _Answer)
        if answer.error:
            raise RpcRefused(answer.error)
        # An answer without a result is malformed; "nothing found" is null.
        return self.decode(bytes(answer.result), kind)

    async def close(self) -> None:
        """Release the connection."""
        await self._http.close()

    def decode(self, data: bytes, kind: type[T]) -> T:
        """Read what the node answered, strictly. Raises: ChainUnavailable."""
        try:
            result: T = strict_json(data, kind)
        except MalformedJson:
            raise ChainUnavailable(f"{self._node} answers something else than it should") from None
        return result
