"""py-evm, Ethereum's virtual machine in Python, behind the JSON-RPC methods that wallets use."""

import sys
from collections.abc import Callable
from typing import Any

from eth.exceptions import PyEVMError
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import BlockNotFound, TransactionFailed, TransactionNotFound
from eth_tester.exceptions import ValidationError as TesterRefused
from eth_utils.address import to_canonical_address
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException
from web3 import Web3
from web3.providers.eth_tester import EthereumTesterProvider

from console.devnet.ethereum.erc20 import TokenContract, creation_code
from console.devnet.ethereum.fees import fee_history
from console.devnet.ethereum.mempool import WaitingTransactions
from console.devnet.failure import RpcFailure

# Importing py-evm raises the interpreter's limit, so that deeply nested input overflows C stacks
# instead of raising RecursionError. Calls of contracts nest far less than this.
sys.setrecursionlimit(1_000)

MAX_FUNDING = 10**24
MAX_BLOCKS_AT_ONCE = 100
MAX_REORG = 20
FIRST_TOKEN = TokenContract("Devnet Dollar", "DUSD", 6)
_INVALID_PARAMS, _METHOD_NOT_FOUND, _REFUSED = -32602, -32601, -32000
_REFUSALS = (TransactionFailed, TesterRefused, ValidationError, RLPException, PyEVMError)
_TRANSFER = bytes.fromhex("a9059cbb")
_LOG_FILTER = frozenset({"fromBlock", "toBlock", "address", "topics"})
_PASSED_ON = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_getBalance",
        "eth_getCode",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
    }
)


class EthereumDevnet:
    """One chain; an accepted transaction is mined immediately, in its own block.

    With `devnet_automine` off they wait, can be replaced, and are mined by `devnet_mine`. The
    newest block is final, unless `devnet_finality` says how many blocks it is behind. A token
    exists from the start, at an address that is always the same: `token`.
    """

    def __init__(self) -> None:
        self._tester = EthereumTester(PyEVMBackend())
        provider = EthereumTesterProvider(self._tester)
        web3 = Web3(provider)
        self._request = provider.request_func(web3, web3.middleware_onion)
        self._rich, self._deployer = self._tester.get_accounts()[:2]
        self._waiting = WaitingTransactions(self._tester)
        self._automine = True
        self._behind = 0
        self.token = self._deploy(FIRST_TOKEN)
        self._first_block = self._height()
        self._own: dict[str, Callable[..., object]] = {
            "devnet_automine": self._switch_automine,
            "devnet_deployToken": self._deploy_token,
            "devnet_finality": self._set_finality,
            "devnet_fund": self._fund,
            "devnet_fundToken": self._fund_token,
            "devnet_mine": self._mine_some,
            "devnet_reorg": self._reorganise,
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getLogs": self._logs,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionCount": self._transaction_count,
            "eth_sendRawTransaction": self._send,
        }

    def answer(self, method: str, params: list[Any]) -> object:
        """Return the result of one call. Raises: RpcFailure."""
        try:
            if method in self._own:
                return self._own[method](*params)
            if method not in _PASSED_ON:
                raise RpcFailure(_METHOD_NOT_FOUND, f"Method not found: {method[:64]}")
            return self._passed_on(method, params)
        except (TransactionNotFound, BlockNotFound):
            return None
        except _REFUSALS as refusal:
            raise RpcFailure(_REFUSED, f"{refusal}"[:500]) from None
        except (TypeError, ValueError, LookupError, AttributeError):
            raise RpcFailure(_INVALID_PARAMS, "Invalid params") from None

    def _passed_on(self, method: str, params: list[Any]) -> object:
        response: Any = self._request(method, params)
        if "error" in response:
            raise RpcFailure(_REFUSED, str(response["error"])[:500])
        return _told(response["result"])

    def _send(self, raw: str) -> object:
        if self._automine and not self._waiting:
            return self._passed_on("eth_sendRawTransaction", [raw])
        transaction_hash = self._waiting.add(bytes.fromhex(raw.removeprefix("0x")))
        if self._automine:
            self._mine(1)
        return transaction_hash

    def _transaction(self, transaction_hash: str) -> object:
        waiting = self._waiting.find(transaction_hash)
        return waiting or self._passed_on("eth_getTransactionByHash", [transaction_hash])

    def _transaction_count(self, address: str, block: str = "latest") -> object:
        if block == "pending":
            return hex(self._waiting.next_nonce(to_canonical_address(address)))
        return self._passed_on("eth_getTransactionCount", [address, block])

    def _block_by_number(self, block: object, whole: object = False) -> object:
        """Return a block; the final one is `devnet_finality` blocks behind the newest."""
        if block == "finalized":
            block = hex(max(self._height() - self._behind, 0))
        return self._passed_on("eth_getBlockByNumber", [block, whole])

    def _set_finality(self, behind: object) -> str:
        self._behind = _number(behind)
        if not 0 <= self._behind <= MAX_REORG:
            raise RpcFailure(_INVALID_PARAMS, f"between 0 and {MAX_REORG} blocks")
        return hex(self._behind)

    def _fee_history(self, count: object, newest: object, percentiles: Any = None) -> object:
        number = self._height() if newest in {"latest", "pending"} else _number(newest)

        def get_block(height: int) -> dict[str, Any]:
            found: dict[str, Any] = self._tester.get_block_by_number(height, True)
            return found

        return fee_history(get_block, number, _number(count), list(percentiles or []))

    def _logs(self, wanted: dict[str, Any]) -> object:
        """Return logs. Not passed on: web3 would ask its name service about a filter's parts."""
        if not isinstance(wanted, dict) or wanted.keys() - _LOG_FILTER:
            raise RpcFailure(_INVALID_PARAMS, "unknown parts of a filter")
        logs: Any = self._tester.get_logs(
            from_block=_block(wanted.get("fromBlock", "latest")),
            to_block=_block(wanted.get("toBlock", "latest")),
            address=wanted.get("address"),
            topics=wanted.get("topics"),
        )
        return [_told({_camel(name): part for name, part in log.items()}) for log in logs]

    def _switch_automine(self, on: bool) -> bool:
        if type(on) is not bool:
            raise RpcFailure(_INVALID_PARAMS, "expected true or false")
        self._automine = on
        if on and self._waiting:
            self._mine(1)
        return on

    def _mine_some(self, blocks: object = 1) -> str:
        count = _number(blocks)
        if not 0 < count <= MAX_BLOCKS_AT_ONCE:
            raise RpcFailure(_INVALID_PARAMS, f"between 1 and {MAX_BLOCKS_AT_ONCE} blocks")
        self._mine(count)
        return hex(self._height())

    def _mine(self, blocks: int) -> None:
        self._waiting.into_block()
        self._tester.mine_blocks(blocks)
        self._waiting.forget_used()

    def _reorganise(self, depth: object) -> str:
        """Replace the newest blocks by one more; their transactions wait again.

        Only those of the devnet's own accounts are in the first new block immediately, so that a
        wallet stays funded.
        """
        count, height = _number(depth), self._height()
        if not 0 < count <= min(MAX_REORG, height - self._first_block):
            raise RpcFailure(_INVALID_PARAMS, "that is not so many blocks back")
        chain = self._tester.backend.chain
        undone = [
            transaction
            for number in range(height - count + 1, height + 1)
            for transaction in chain.get_canonical_block_by_number(number).transactions
        ]
        # A snapshot is a block's hash, so every block has one.
        self._tester.backend.revert_to_snapshot(
            chain.get_canonical_block_by_number(height - count).hash
        )
        self._waiting.put_back(undone)
        ours = (self._rich, self._deployer)
        self._waiting.into_block(frozenset(to_canonical_address(each) for each in ours))
        self._tester.mine_blocks(count + 1)
        return hex(self._height())

    def _fund(self, address: str, wei: str) -> str:
        amount = int(wei, 16)
        if not 0 < amount <= MAX_FUNDING:
            raise RpcFailure(_INVALID_PARAMS, "the faucet does not give that much")
        return self._sent({"from": self._rich, "to": address, "value": amount})

    def _deploy_token(self, name: str, symbol: str, decimals: object) -> str:
        return self._deploy(TokenContract(name, symbol, _number(decimals)))

    def _deploy(self, token: TokenContract) -> str:
        code = creation_code(token, to_canonical_address(self._rich))
        sent = self._sent({"from": self._deployer, "data": f"0x{code.hex()}", "gas": 2_000_000})
        return str(self._tester.get_transaction_receipt(sent)["contract_address"])

    def _fund_token(self, token: str, address: str, amount: str) -> str:
        units = int(amount, 16)
        if not 0 < units < 1 << 256:
            raise RpcFailure(_INVALID_PARAMS, "the faucet does not give that much")
        to = to_canonical_address(address).rjust(32, b"\x00")
        data = f"0x{(_TRANSFER + to + units.to_bytes(32, 'big')).hex()}"
        if self._tester.get_code(token) in {"", "0x"}:
            raise RpcFailure(_INVALID_PARAMS, "there is no token")
        return self._sent({"from": self._rich, "to": token, "data": data, "gas": 200_000})

    def _sent(self, transaction: dict[str, object]) -> str:
        """Send from one of the devnet's accounts, in its own block. Raises: RpcFailure."""
        fees = {"gas": 21_000, "max_fee_per_gas": 10**12, "max_priority_fee_per_gas": 1}
        sent = str(self._tester.send_transaction(fees | transaction))
        if self._tester.get_transaction_receipt(sent)["status"] != 1:
            raise RpcFailure(_REFUSED, "execution reverted")
        return sent

    def _height(self) -> int:
        return int(self._tester.get_block_by_number("latest")["number"])


def _number(value: object) -> int:
    """Return a count, given as JSON-RPC's quantity or as a number. Raises: ValueError."""
    if isinstance(value, str) and value.startswith("0x"):
        return int(value, 16)
    if type(value) is int:
        return value
    raise ValueError("no number")


def _block(value: object) -> object:
    return _number(value) if str(value).startswith("0x") else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _told(value: Any) -> object:
    """Return numbers and bytes in JSON-RPC's encoding."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if hasattr(value, "items"):
        return {str(name): _told(part) for name, part in value.items()}
    return [_told(part) for part in value]
