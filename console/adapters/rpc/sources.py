"""The JSON-RPC endpoints of one chain's nodes, asked by the rule of agreement."""

from functools import partial
from typing import Any, TypeVar, assert_never

from console.adapters.rpc import agreement
from console.adapters.rpc.agreement import Told
from console.adapters.rpc.http import TIMEOUT_S
from console.adapters.rpc.json_rpc import JsonRpc, RpcRefused
from console.adapters.rpc.rules import Rule, Way

T = TypeVar("T")


class RpcSources:
    """The JSON-RPC endpoints of one chain's nodes.

    `node` names them in sentences, for example "the Solana node". With one endpoint, its word is
    taken; with more, all of them must answer: one that is away holds decisions up, and is said.
    """

    def __init__(self, node: str, urls: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> None:
        if not urls:
            raise ValueError("a chain needs at least one node")
        self._node = node
        self._rpcs = tuple(JsonRpc(node, url, timeout_s) for url in urls)

    async def told(self, method: str, params: list[Any], rule: Rule) -> Any:
        """Return one answer by the method's rule.

        Raises: RpcRefused as the rule has it; SourcesDisagree, ChainUnavailable.
        """
        match rule.way:
            case Way.AGREED:
                return await self.agreed(method, params, rule.kind)
            case Way.LOWEST:
                return min(await self.every(method, params, rule.kind), key=rule.figure)
            case Way.HIGHEST:
                return max(await self.every(method, params, rule.kind), key=rule.figure)
            case Way.FIRST:
                return (await self.every(method, params, rule.kind))[0]
            case Way.ANY:
                return await self.any_of(method, params, rule.kind)
            case Way.HANDED_OVER:
                return await self.handed_over(method, params, rule.kind)
            case way:
                assert_never(way)

    async def agreed(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Return what every node answers alike.

        Raises: RpcRefused if all refuse; SourcesDisagree, ChainUnavailable.
        """
        told = await self._ask_all(method, params, kind)
        otherwise = f"the nodes behind {self._node} tell different facts ({method})"
        return agreement.agreed(told, otherwise, RpcRefused)

    async def every(self, method: str, params: list[Any], kind: type[T]) -> tuple[T, ...]:
        """Return each node's answer, for figures that may differ: fees, heights.

        Raises: RpcRefused if any refuses; ChainUnavailable.
        """
        told = await self._ask_all(method, params, kind)
        return tuple(agreement.answers(told, RpcRefused))

    async def any_of(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Return the answer of the first node, in order, that takes the call.

        Raises: RpcRefused if one understood and refused, and none took it; ChainUnavailable.
        """
        questions = (partial(rpc.call, method, params, kind) for rpc in self._rpcs)
        return await agreement.first(questions, RpcRefused)

    async def handed_over(self, method: str, params: list[Any], kind: type[T]) -> T:
        """Send all nodes the same call at once; return what one that took it says.

        One node alone could keep a transaction from the others. Raises: RpcRefused if one
        understood and refused, and none took it; ChainUnavailable.
        """
        return agreement.taken(await self._ask_all(method, params, kind), RpcRefused)

    def decode(self, data: bytes, kind: type[T]) -> T:
        """Read a part of an answer, strictly. Raises: ChainUnavailable."""
        return self._rpcs[0].decode(data, kind)

    async def close(self) -> None:
        """Release the connections."""
        for rpc in self._rpcs:
            await rpc.close()

    async def _ask_all(self, method: str, params: list[Any], kind: type[T]) -> list[Told[T]]:
        return await agreement.ask_all(rpc.call(method, params, kind) for rpc in self._rpcs)
