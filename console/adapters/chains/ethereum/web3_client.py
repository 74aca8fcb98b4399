"""AsyncWeb3 as the node uses it: no middleware, no names, no lookups, one family of errors.

Importing this module imports web3; `node.py` does so when the chain is first used.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, TypeVar

from eth_abi.codec import ABICodec
from eth_abi.exceptions import DecodingError
from eth_abi.registry import registry
from eth_typing import ABI, ChecksumAddress, HexStr, TypeStr
from eth_utils.address import to_canonical_address
from web3 import AsyncWeb3
from web3.contract import AsyncContract
from web3.eth import AsyncEth
from web3.exceptions import (
    BadFunctionCallOutput,
    BlockNotFound,
    TransactionNotFound,
    Web3Exception,
)
from web3.method import Method
from web3.module import Module
from web3.types import RPCEndpoint, SimulateV1Payload, TxParams, Wei

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.answers import Receipt
from console.adapters.chains.ethereum.sources import RULES
from console.adapters.chains.ethereum.trials import Moved, Trial, Tried
from console.adapters.rpc.json_rpc import RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.adapters.rpc.web3_provider import SourcesProvider
from console.application.errors import AdapterError, ChainUnavailable

ERC20: Final[ABI] = (
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": ({"name": "owner", "type": "address"},),
        "outputs": ({"name": "", "type": "uint256"},),
    },
    {
        "type": "event",
        "name": "Transfer",
        "anonymous": False,
        "inputs": (
            {"name": "from", "type": "address", "indexed": True},
            {"name": "to", "type": "address", "indexed": True},
            {"name": "amount", "type": "uint256", "indexed": False},
        ),
    },
)
"""What is read of token contracts (EIP-20). Calls that are signed are encoded in `abi.py`."""
_NOWHERE: Final = dict.fromkeys(
    ("blockHash", "blockNumber", "transactionHash", "transactionIndex", "logIndex")
)
"""Where a simulated event stands in the chain."""

T = TypeVar("T")


class CanonicalCodec(ABICodec):
    """Decodes canonical encodings only: of one value there is one, with nothing behind it."""

    def decode(self, types: Iterable[TypeStr], data: Any, strict: bool = True) -> tuple[Any, ...]:
        """Return the values. Raise DecodingError, as the library does."""
        kinds = tuple(types)
        values = super().decode(kinds, data, strict)
        if self.encode(kinds, values) != data:
            raise DecodingError("this is not the canonical encoding")
        return values


class Devnet(Module):
    """The devnet's own methods."""

    is_async = True

    fund: Method[Callable[[str, str], Awaitable[str]]] = Method(RPCEndpoint("devnet_fund"))
    fund_token: Method[Callable[[str, str, str], Awaitable[str]]] = Method(
        RPCEndpoint("devnet_fundToken")
    )


class Web3Client:
    """One AsyncWeb3 over the nodes of a network."""

    def __init__(self, sources: RpcSources) -> None:
        self.web3: AsyncWeb3[SourcesProvider] = AsyncWeb3(
            SourcesProvider(sources, RULES),
            # Middleware fills in fields, formats, and asks questions of its own.
            middleware=(),
            modules={"eth": AsyncEth},
            # The default is a name service over this client.
            ens=None,
        )
        self.web3.codec = CanonicalCodec(registry)
        self._erc20: type[AsyncContract] = self.web3.eth.contract(abi=ERC20)
        self._transfer = self._erc20.events.Transfer()
        self.eth = self.web3.eth
        self.devnet = Devnet(self.web3)

    async def ask(self, question: Callable[["Web3Client"], Awaitable[T]]) -> T:
        """Return the answer.

        Raises: RpcRefused; ChainUnavailable, whatever else web3 raises.
        """
        try:
            return await question(self)
        except (AdapterError, RpcRefused):
            raise
        # On unforeseen answers web3 and its parts raise exceptions of many kinds.
        except Exception:  # noqa: BLE001
            raise ChainUnavailable(
                "the Ethereum node answers something else than it should"
            ) from None

    async def gas(self, trial: Trial) -> int:
        """Return an estimate of a call's gas."""
        return await self.eth.estimate_gas(_params(trial))

    async def call(self, trial: Trial) -> bytes:
        """Return what a call would answer."""
        return await self.eth.call(_params(trial), "latest")

    async def simulated(self, trial: Trial) -> tuple[Tried, ...] | None:
        """Return what the calls of the simulated block would do; None without a block."""
        asked: SimulateV1Payload = {
            "blockStateCalls": [{"calls": [_params(trial)]}],
            "traceTransfers": True,
        }
        blocks: Any = await self.eth.simulate_v1(asked, "latest")
        return tuple(map(self._tried, blocks[0]["calls"])) if blocks else None

    async def token_balance(self, token: ChecksumAddress, owner: ChecksumAddress) -> int:
        """Return ERC-20's `balanceOf`. Raises: ChainUnavailable."""
        try:
            balance: int = await self._erc20(token).functions.balanceOf(owner).call()
        except BadFunctionCallOutput:
            raise ChainUnavailable(
                "the token's contract answers something else than a balance"
            ) from None
        return balance

    async def final_height(self) -> int | None:
        """Return the number of the newest final block; None where nodes tell none."""
        try:
            return (await self.eth.get_block("finalized"))["number"]
        except BlockNotFound:
            return None

    async def receipt(self, transaction_id: HexStr) -> Receipt | None:
        """Return a transaction's receipt, None if there is none."""
        try:
            told = await self.eth.get_transaction_receipt(transaction_id)
        except TransactionNotFound:
            return None
        status: Literal["0x0", "0x1"] = "0x1" if told["status"] else "0x0"
        return Receipt(told["transactionHash"].to_0x_hex(), hex(told["blockNumber"]), status)

    async def known(self, transaction_id: HexStr) -> str | None:
        """Return the id of a transaction that nodes have, None if they have not."""
        try:
            return (await self.eth.get_transaction(transaction_id))["hash"].to_0x_hex()
        except TransactionNotFound:
            return None

    def _tried(self, call: Any) -> Tried:
        if call["status"] != 1:
            error = call["error"]
            return Tried(fails=True, reason=error["message"] if error else "")
        moved = (self._moved(log) for log in call["logs"])
        return Tried(fails=False, moved=tuple(each for each in moved if each))

    def _moved(self, log: Any) -> Moved | None:
        """Return an ERC-20 transfer; None for another event, or one of that name only."""
        try:
            parts = self._transfer.process_log({**log, **_NOWHERE})["args"]
        except (Web3Exception, DecodingError):
            return None
        contract, source, target = map(
            to_canonical_address, (log["address"], parts["from"], parts["to"])
        )
        return Moved(contract, source, target, parts["amount"])


def _params(trial: Trial) -> TxParams:
    params: TxParams = {"from": checksummed(trial.sender), "value": Wei(trial.value)}
    if trial.to is not None:
        params["to"] = checksummed(trial.to)
    if trial.data:
        params["data"] = trial.data
    if trial.gas is not None:
        params["gas"] = trial.gas
    return params
