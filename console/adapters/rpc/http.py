"""A bounded HTTP client for one node: every failure on the way is `ChainUnavailable`."""

from dataclasses import dataclass

import aiohttp

from console.application.errors import ChainUnavailable

MAX_ANSWER_BYTES = 1 << 20
TIMEOUT_S = 8
OK = frozenset({200})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A status that the caller accepts, and the whole body."""

    status: int
    body: bytes


class HttpClient:
    """One endpoint; a question that takes longer than `timeout_s` is given up.

    `node` names it in sentences, for example "the Solana node". A user and a password, where the
    node wants them, stand in `url`. Redirects are not followed, cookies are not kept, and neither
    proxies nor passwords are taken from the environment.
    """

    def __init__(self, node: str, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._node = node
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s / 2)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, accepted: frozenset[int] = OK) -> HttpAnswer:
        """Return the answer, if its status is among the `accepted`. Raises: ChainUnavailable."""
        return await self._ask("GET", path, None, "text/plain", accepted)

    async def post(
        self, path: str, body: bytes, content_type: str, accepted: frozenset[int] = OK
    ) -> HttpAnswer:
        """Return the answer, if its status is among the `accepted`. Raises: ChainUnavailable."""
        return await self._ask("POST", path, body, content_type, accepted)

    async def close(self) -> None:
        """Release the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        content_type: str,
        accepted: frozenset[int],
    ) -> HttpAnswer:
        headers = {"Content-Type": content_type, "Accept-Encoding": "identity"}
        try:
            async with self._opened().request(
                method, self._url + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status not in accepted:
                    raise ChainUnavailable(f"{self._node} answers HTTP {response.status}")
                return HttpAnswer(response.status, await self._bounded(response.content))
        # An address or a header that cannot be read may raise ValueError.
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            raise ChainUnavailable(f"{self._node} does not answer") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Without decompression: a small answer must not become a large one.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _bounded(self, content: aiohttp.StreamReader) -> bytes:
        """Read to the end; stop at an answer that is too large."""
        data = bytearray()
        async for piece in content.iter_any():
            data += piece
            if len(data) > MAX_ANSWER_BYTES:
                raise ChainUnavailable(f"{self._node}'s answer is too large")
        return bytes(data)
