"""Ethereum nodes that say what a test has them say, behind the real client, without sockets."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.trials import Trial
from console.adapters.rpc import json_rpc
from console.adapters.rpc.http import HttpAnswer
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable
from console.domain.values import Network

ME, TOKEN = b"\x11" * 20, b"\x22" * 20
HASH = f"0x{'ab' * 32}"
TRIAL = Trial(ME, TOKEN, 5, b"\x12\x34")
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def word(number: int) -> str:
    """Return a number as one word of a contract's answer, without 0x."""
    return f"{number:064x}"


HONEST: dict[str, Any] = {
    "eth_chainId": "0x7a69",
    "eth_getTransactionCount": "0x7",
    "eth_getBalance": "0xde0b6b3a7640000",
    "eth_getCode": "0x6001",
    "eth_call": f"0x{word(41)}",
    "eth_getTransactionReceipt": {
        "transactionHash": HASH,
        "blockNumber": "0x10",
        "status": "0x1",
        "logs": [],
        "contractAddress": None,
        "logsBloom": "0x00",
    },
    "eth_getTransactionByHash": {"hash": HASH, "blockNumber": None, "from": "0x11"},
    "eth_feeHistory": {
        "oldestBlock": "0x1",
        "baseFeePerGas": ["0x64", "0x70"],
        "gasUsedRatio": [0.5],
    },
    "eth_maxPriorityFeePerGas": "0x3",
    "eth_blockNumber": "0x20",
    "eth_getBlockByNumber": {"number": "0x18", "hash": HASH, "transactions": []},
    "eth_estimateGas": "0x5208",
    "eth_simulateV1": [
        {
            "number": "0x21",
            "calls": [
                {
                    "status": "0x1",
                    "returnData": "0x",
                    "gasUsed": "0x5208",
                    "logs": [
                        {
                            "address": f"0x{TOKEN.hex()}",
                            "topics": [TRANSFER, f"0x{'00' * 12}{ME.hex()}", f"0x{word(7)}"],
                            "data": f"0x{word(9)}",
                            "logIndex": "0x0",
                            "removed": False,
                        }
                    ],
                }
            ],
        }
    ],
    "eth_sendRawTransaction": HASH,
    "devnet_fund": HASH,
    "devnet_fundToken": HASH,
}
QUESTIONS: dict[str, Callable[[EthereumNode], Any]] = {
    "eth_chainId": lambda node: node.chain_id(),
    "eth_getTransactionCount": lambda node: node.next_nonce(ME),
    "eth_getBalance": lambda node: node.balance(ME),
    "eth_getCode": lambda node: node.has_code(TOKEN),
    "eth_call": lambda node: node.token_balance(TOKEN, ME),
    "eth_getTransactionReceipt": lambda node: node.receipt(HASH),
    "eth_getTransactionByHash": lambda node: node.knows(HASH),
    "eth_feeHistory": lambda node: node.base_fee(),
    "eth_maxPriorityFeePerGas": lambda node: node.tip(),
    "eth_blockNumber": lambda node: node.height(),
    "eth_getBlockByNumber": lambda node: node.final_height(),
    "eth_estimateGas": lambda node: node.gas(TRIAL),
    "eth_simulateV1": lambda node: node.simulated(TRIAL),
    "eth_sendRawTransaction": lambda node: node.send(b"\x02\x01"),
    "devnet_fund": lambda node: node.fund(ME, 5, None),
    "devnet_fundToken": lambda node: node.fund(ME, 5, TOKEN),
}


class SaidNode:
    """Takes the place of the HTTP client; `said` is the honest answers with a test's own."""

    def __init__(self, **said: Any) -> None:
        self.said = HONEST | said
        self.asked: list[tuple[str, list[Any]]] = []

    async def post(self, path: str, body: bytes, content_type: str) -> HttpAnswer:
        call = json.loads(body)
        self.asked.append((call["method"], call["params"]))
        return HttpAnswer(200, self._answer(self.said[call["method"]]))

    async def close(self) -> None:
        """There is nothing to close."""

    def _answer(self, told: Any) -> bytes:
        if isinstance(told, ChainUnavailable):
            raise told
        if isinstance(told, bytes):
            return told
        part = {"error": told.error} if isinstance(told, Refusal) else {"result": told}
        return json.dumps({"jsonrpc": "2.0", "id": 1, **part}).encode()

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]


class Refusal:
    """An error that a node answers."""

    def __init__(self, message: str = "no", code: int = -32000, data: Any = None) -> None:
        self.error = {"code": code, "message": message, "data": data}


def over(*nodes: SaidNode) -> EthereumNode:
    """Return the client of these nodes."""
    with _said_by(nodes):
        return EthereumNode(Network.DEVNET, tuple("http://127.0.0.1:1" for _ in nodes))


def adapter_over(network: Network, *nodes: SaidNode, **options: Any) -> EthereumAdapter:
    """Return the adapter of these nodes."""
    with _said_by(nodes):
        urls = tuple("http://127.0.0.1:1" for _ in nodes)
        return EthereumAdapter(network, urls, **options)


def sources_over(*nodes: SaidNode) -> RpcSources:
    """Return these nodes as the client's sources."""
    with _said_by(nodes):
        return RpcSources("the Ethereum node", tuple("http://127.0.0.1:1" for _ in nodes))


@contextmanager
def _said_by(nodes: Iterable[SaidNode]) -> Iterator[None]:
    """Put a node into the place of each HTTP client that is made."""
    made = iter(nodes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_rpc, "HttpClient", lambda *_: next(made))
        yield
