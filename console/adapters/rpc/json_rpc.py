"""A small JSON-RPC client: bounded answers, strict shapes, one error for all trouble outside."""

import itertools
from typing import Any, TypeVar

import aiohttp
import msgspec

from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import ChainUnavailable

MAX_ANSWER_BYTES = 1 << 20
TIMEOUT_S = 8
_MAX_TEXT = 300

T = TypeVar("T")


class RpcError(msgspec.Struct, frozen=True):
    """An error that the node answered; `data` is looked at only for known shapes."""

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
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s / 2)
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    async def call(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Call and decode the result as `kind`. Raises: RpcRefused, ChainUnavailable."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = self.decode(await self._post(msgspec.json.encode(body)), _Answer)
        if answer.error:
            raise RpcRefused(answer.error)
        # Without a result it is no answer; "nothing found" is said as null.
        return self.decode(bytes(answer.result), kind)

    async def close(self) -> None:
        """Release the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            # Without decompression: a small answer must not become a large one.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise ChainUnavailable(f"{self._node} answers HTTP {response.status}")
                return await self._bounded(response.content)
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise ChainUnavailable(f"{self._node} does not answer") from None

    async def _bounded(self, content: aiohttp.StreamReader) -> bytes:
        """Read to the end, in as many pieces as it takes, or give up on a flood."""
        data = bytearray()
        async for piece in content.iter_any():
            data += piece
            if len(data) > MAX_ANSWER_BYTES:
                raise ChainUnavailable(f"{self._node}'s answer is too large")
        return bytes(data)

    def decode(self, data: bytes, kind: type[T]) -> T:
        """Read what the node answered, strictly. Raises: ChainUnavailable."""
        try:
            result: T = strict_json(data, kind)
        except MalformedJson:
            raise ChainUnavailable(f"{self._node} answers something else than it should") from None
        return result
