"""Several nodes of one chain: facts count when all tell the same (SECURITY-BRIEF C116)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from console.adapters.rpc.http import TIMEOUT_S
from console.adapters.rpc.json_rpc import JsonRpc, RpcRefused
from console.application.errors import ChainUnavailable, SourcesDisagree

T = TypeVar("T")


class RpcSources:
    """The JSON-RPC endpoints of one chain's nodes, asked at the same time.

    `node` names them in sentences, for example "the Solana node". With one endpoint, its word is
    taken; with more, all of them must answer: one that is away holds decisions up, and is said.
    """

    def __init__(self, node: str, urls: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> None:
        if not urls:
            raise ValueError("a chain needs at least one node")
        self._node = node
        self._rpcs = tuple(JsonRpc(node, url, timeout_s) for url in urls)

    async def agreed(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Return what every node answers alike.

        Raises: RpcRefused if all refuse; SourcesDisagree, ChainUnavailable.
        """
        answers = await self._ask_all(lambda rpc: rpc.call(method, params, kind))
        refusals = [answer for answer in answers if isinstance(answer, RpcRefused)]
        if len(refusals) == len(answers):
            raise refusals[0]
        if refusals or any(answer != answers[0] for answer in answers):
            raise SourcesDisagree(f"the nodes behind {self._node} tell different facts ({method})")
        first: Any = answers[0]
        result: T = first
        return result

    async def every(self, method: str, params: list[Any], kind: type[T]) -> tuple[T, ...]:
        """Return each node's answer, for figures that may differ: fees, heights.

        Raises: RpcRefused if any refuses; ChainUnavailable.
        """
        answers = await self._ask_all(lambda rpc: rpc.call(method, params, kind))
        results: list[T] = []
        for answer in answers:
            if isinstance(answer, RpcRefused):
                raise answer
            results.append(answer)
        return tuple(results)

    async def any_of(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Return the answer of the first node, in order, that takes the call.

        Raises: RpcRefused if one understood and refused, and none took it; ChainUnavailable.
        """
        refused: RpcRefused | None = None
        away: ChainUnavailable | None = None
        for rpc in self._rpcs:
            try:
                return await rpc.call(method, params, kind)
            except RpcRefused as refusal:
                refused = refusal
            except ChainUnavailable as trouble:
                away = trouble
        if refused is not None:
            raise refused
        raise away or ChainUnavailable(f"{self._node} does not answer")

    async def handed_over(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Give all nodes the same call at once, a broadcast; return what one that took it says.

        One node alone could keep a transaction from the others. Raises: RpcRefused if one
        understood and refused, and none took it; ChainUnavailable.
        """
        calls = (rpc.call(method, params, kind) for rpc in self._rpcs)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        failures: list[BaseException] = []
        for answer in answers:
            if not isinstance(answer, BaseException):
                return answer
            failures.append(answer)
        raise next((each for each in failures if isinstance(each, RpcRefused)), failures[0])

    def decode(self, data: bytes, kind: type[T]) -> T:
        """Read a part of an answer, strictly. Raises: ChainUnavailable."""
        return self._rpcs[0].decode(data, kind)

    async def close(self) -> None:
        """Release the connections."""
        for rpc in self._rpcs:
            await rpc.close()

    async def _ask_all(
        self, call: Callable[[JsonRpc], Coroutine[Any, Any, T]]
    ) -> list[T | RpcRefused]:
        """Ask all at once; a refusal is an answer, silence is not. Raises: ChainUnavailable."""

        async def ask(rpc: JsonRpc) -> T | RpcRefused:
            try:
                return await call(rpc)
            except RpcRefused as refused:
                return refused

        answers = await asyncio.gather(*map(ask, self._rpcs), return_exceptions=True)
        known: list[T | RpcRefused] = []
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, RpcRefused):
                raise answer
            known.append(answer)
        return known
