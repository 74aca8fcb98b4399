"""The provider through which web3 asks: bounded answers, one shape and rule for each method.

Importing this module imports web3, which can take a second: do it when a chain is first used,
in a thread (`rpc/late_web3.py`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from console.adapters.rpc.rules import Rule
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable


class SourcesProvider(AsyncBaseProvider):
    """Asks `RpcSources` what web3 asks, if `rules` has the method; nothing is asked twice.

    A node's refusal is raised as RpcRefused and never handed to web3, which would decode what a
    contract put into it and could look it up at an address that the contract names (EIP-3668).
    """

    global_ccip_read_enabled = False

    def __init__(self, sources: RpcSources, rules: Mapping[str, Rule]) -> None:
        super().__init__(cache_allowed_requests=False)
        self._sources = sources
        self._rules = rules

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the one answer, of the rule's shape and nothing besides.

        Raises: RpcRefused, ChainUnavailable, SourcesDisagree.
        """
        rule = self._rules.get(method)
        if rule is None:
            raise ChainUnavailable(f"{method} is not among the questions for nodes")
        told = await self._sources.told(method, list(params), rule)
        # Only members of the shape are left, so web3 formats only what was checked.
        return {"jsonrpc": "2.0", "id": 1, "result": msgspec.to_builtins(told)}
