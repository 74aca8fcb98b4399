"""py-evm, Ethereum's virtual machine in Python, behind the JSON-RPC methods that wallets use."""

import sys
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import BlockNotFound, TransactionFailed, TransactionNotFound
from eth_tester.exceptions import ValidationError as TesterRefused
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException
from web3 import Web3
from web3.providers.eth_tester import EthereumTesterProvider

from console.devnet.failure import RpcFailure

# py-evm raises the interpreter's limit as it is imported; with that, deeply nested input overflows
# C stacks instead of raising RecursionError. Calls of contracts nest far less than this.
sys.setrecursionlimit(1_000)

MAX_FUNDING = 10**24
_INVALID_PARAMS, _METHOD_NOT_FOUND, _REFUSED = -32602, -32601, -32000
_METHODS = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_getBalance",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_sendRawTransaction",
    }
)


class EthereumDevnet:
    """One chain; every accepted transaction is mined at once, in a block of its own."""

    def __init__(self) -> None:
        self._tester = EthereumTester(PyEVMBackend())
        provider = EthereumTesterProvider(self._tester)
        web3 = Web3(provider)
        self._request = provider.request_func(web3, web3.middleware_onion)

    def answer(self, method: str, params: list[Any]) -> object:
        """Answer one call. Raises: RpcFailure."""
        try:
            if method == "devnet_fund":
                return self._fund(*params)
            if method not in _METHODS:
                raise RpcFailure(_METHOD_NOT_FOUND, f"Method not found: {method[:64]}")
            response: Any = self._request(method, params)
        except (TransactionNotFound, BlockNotFound):
            return None
        except (TransactionFailed, TesterRefused, ValidationError, RLPException) as refusal:
            raise RpcFailure(_REFUSED, f"{refusal}"[:500]) from None
        except (TypeError, ValueError, KeyError):
            raise RpcFailure(_INVALID_PARAMS, "Invalid params") from None
        if "error" in response:
            raise RpcFailure(_REFUSED, str(response["error"])[:500])
        return _told(response["result"])

    def _fund(self, address: str, wei: str) -> str:
        amount = int(wei, 16)
        if not 0 < amount <= MAX_FUNDING:
            raise RpcFailure(_INVALID_PARAMS, "the faucet does not give that much")
        rich = self._tester.get_accounts()[0]
        return str(
            self._tester.send_transaction(
                {
                    "from": rich,
                    "to": address,
                    "value": amount,
                    "gas": 21_000,
                    "max_fee_per_gas": 10**12,
                    "max_priority_fee_per_gas": 1,
                }
            )
        )


def _told(value: Any) -> object:
    """Write numbers and bytes as JSON-RPC does."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if hasattr(value, "items"):
        return {str(name): _told(part) for name, part in value.items()}
    return [_told(part) for part in value]
