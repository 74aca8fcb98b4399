"""What Ethereum's nodes are asked, through web3; every failure is of the common family."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from eth_typing import HexStr

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.answers import Receipt
from console.adapters.chains.ethereum.networks import is_of_network
from console.adapters.chains.ethereum.refusals import failure
from console.adapters.chains.ethereum.trials import Trial, Tried
from console.adapters.rpc.json_rpc import TIMEOUT_S, RpcRefused
from console.adapters.rpc.late_web3 import imported
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable, TransactionError, TransactionRejected
from console.domain.values import Network

if TYPE_CHECKING:
    # Bundlers find the module by this line; at run time it is imported late, by name.
    from console.adapters.chains.ethereum.web3_client import Web3Client

WEB3_CLIENT = "console.adapters.chains.ethereum.web3_client"
"""Imported when the chain is first used: that can take a second."""
FINAL_DEPTH = 96
"""Blocks after which one counts as final where nodes do not tell. A justified epoch of 32 slots is
final when the next one is justified, so a block waits for two to three epochs at most while two
thirds of the validators attest; where they do not, only the chain's own word is right."""

T = TypeVar("T")


class EthereumNode:
    """The nodes of one network. Their chain id is checked before the first answer is used."""

    def __init__(
        self, network: Network, urls: tuple[str, ...], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._network = network
        self._sources = RpcSources("the Ethereum node", urls, timeout_s)
        self._client: Web3Client | None = None
        self._chain_id: int | None = None

    async def chain_id(self) -> int:
        """Return the chain id, of this network; asked once. Raises: ChainUnavailable."""
        if self._chain_id is None:
            chain_id = await self._fact("eth_chainId", lambda node: node.eth.chain_id)
            if not is_of_network(chain_id, self._network):
                raise ChainUnavailable(f"chain id {chain_id} is not on {self._network.value}")
            self._chain_id = chain_id
        return self._chain_id

    async def next_nonce(self, address: bytes) -> int:
        """Return the nonce after all that nodes know of, in blocks or waiting."""
        account = checksummed(address)
        return await self._fact(
            "eth_getTransactionCount",
            lambda node: node.eth.get_transaction_count(account, "pending"),
        )

    async def balance(self, address: bytes) -> int:
        """Return wei in the newest block."""
        account = checksummed(address)
        return await self._fact(
            "eth_getBalance", lambda node: node.eth.get_balance(account, "latest")
        )

    async def has_code(self, address: bytes) -> bool:
        """Return whether a contract is there."""
        account = checksummed(address)
        return bool(
            await self._fact("eth_getCode", lambda node: node.eth.get_code(account, "latest"))
        )

    async def base_fee(self) -> int:
        """Return the next block's base fee in wei per gas, of several nodes the lowest."""
        history = await self._fact(
            "eth_feeHistory", lambda node: node.eth.fee_history(1, "latest", [])
        )
        return history["baseFeePerGas"][-1]

    async def tip(self) -> int:
        """Return the tip in wei per gas that nodes suggest, the lowest."""
        return await self._fact("eth_maxPriorityFeePerGas", lambda node: node.eth.max_priority_fee)

    async def gas(self, trial: Trial) -> int:
        """Return an estimate of a call's gas, the highest. Raises: TransactionRejected."""
        return await self._tried(lambda node: node.gas(trial))

    async def call(self, trial: Trial) -> bytes:
        """Return what a call would answer. Raises: TransactionRejected with its reason."""
        return await self._tried(lambda node: node.call(trial))

    async def token_balance(self, token: bytes, owner: bytes) -> int:
        """Return ERC-20's `balanceOf` in base units. Raises: ChainUnavailable."""
        contract, account = checksummed(token), checksummed(owner)
        try:
            return await self._tried(lambda node: node.token_balance(contract, account))
        except TransactionError as refused:
            raise ChainUnavailable(f"the token tells no balance: {refused}") from None

    async def simulated(self, trial: Trial) -> tuple[Tried, ...] | None:
        """Simulate a call on the newest block; None where the node offers no such method."""
        client = await self._web3()
        try:
            return await client.ask(lambda node: node.simulated(trial))
        except RpcRefused:
            return None

    async def receipt(self, transaction_id: str) -> Receipt | None:
        """Return a transaction's receipt, None while it is in no block."""
        receipt = await self._fact(
            "eth_getTransactionReceipt", lambda node: node.receipt(HexStr(transaction_id))
        )
        if receipt is not None and receipt.transaction_hash != transaction_id:
            raise ChainUnavailable("the Ethereum node answers for another transaction")
        return receipt

    async def knows(self, transaction_id: str) -> bool:
        """Return whether nodes have the transaction, in a block or waiting."""
        known = await self._fact(
            "eth_getTransactionByHash", lambda node: node.known(HexStr(transaction_id))
        )
        return known == transaction_id

    async def height(self) -> int:
        """Return the number of the newest block that all nodes have."""
        return await self._fact("eth_blockNumber", lambda node: node.eth.block_number)

    async def final_height(self) -> int:
        """Return the number of the newest block that the chain can no longer take back.

        It is the chain's own `finalized` block, of several nodes the lowest. A node that knows no
        such block stands for a chain without that rule, or is older than it: there a block counts
        as final `FINAL_DEPTH` blocks later. It may be below 0: then no block is.
        """
        client = await self._web3()
        try:
            told = await client.ask(lambda node: node.final_height())
        except RpcRefused:
            told = None
        return await self.height() - FINAL_DEPTH if told is None else told

    async def final_nonce(self, address: bytes) -> int:
        """Return the nonce after all that is in final blocks."""
        account, height = checksummed(address), max(await self.final_height(), 0)
        return await self._fact(
            "eth_getTransactionCount",
            lambda node: node.eth.get_transaction_count(account, height),
        )

    async def send(self, content: bytes) -> str:
        """Hand a signed transaction over; return its id as the node tells it.

        Raises: RpcRefused, ChainUnavailable.
        """
        client = await self._web3()
        told = await client.ask(lambda node: node.eth.send_raw_transaction(content))
        return told.to_0x_hex()

    async def fund(self, address: bytes, base_units: int, token: bytes | None) -> None:
        """Ask a devnet's faucet. Raises: TransactionRejected, ChainUnavailable."""
        to, amount = checksummed(address), hex(base_units)
        client = await self._web3()
        try:
            if token is None:
                await client.ask(lambda node: node.devnet.fund(to, amount))
            else:
                contract = checksummed(token)
                await client.ask(lambda node: node.devnet.fund_token(contract, to, amount))
        except RpcRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connections."""
        await self._sources.close()

    async def _web3(self) -> "Web3Client":
        """Return the client, which imports web3 the first time."""
        if self._client is None:
            module = await imported(WEB3_CLIENT)
            # No await between these two: of two first uses, the second finds the client.
            self._client = self._client or module.Web3Client(self._sources)
        return self._client

    async def _fact(self, method: str, question: "Callable[[Web3Client], Awaitable[T]]") -> T:
        """Return an answer; a refusal is a node that does not work. Raises: ChainUnavailable."""
        client = await self._web3()
        try:
            return await client.ask(question)
        except RpcRefused as refused:
            raise ChainUnavailable(f"the Ethereum node refuses {method}: {refused}") from None

    async def _tried(self, question: "Callable[[Web3Client], Awaitable[T]]") -> T:
        """Return what a call would do; a refusal is the call's own. Raises: TransactionError."""
        client = await self._web3()
        try:
            return await client.ask(question)
        except RpcRefused as refused:
            raise failure(refused) from None
