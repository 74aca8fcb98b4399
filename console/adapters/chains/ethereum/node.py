"""What Ethereum's nodes are asked over JSON-RPC: each question bounded, each answer strict."""

from typing import Any, TypeVar

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.answers import (
    Block,
    Data,
    KnownTransaction,
    Quantity,
    Receipt,
    SimulatedBlock,
)
from console.adapters.chains.ethereum.networks import is_of_network
from console.adapters.chains.ethereum.refusals import failure
from console.adapters.rpc.json_rpc import TIMEOUT_S, RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable, TransactionError, TransactionRejected
from console.domain.values import Network

_BALANCE_OF = bytes.fromhex("70a08231")
"""The selector of ERC-20's `balanceOf(address)`."""
T = TypeVar("T")


class EthereumNode:
    """The nodes of one network. Their chain id is checked before the first answer is used."""

    def __init__(
        self, network: Network, urls: tuple[str, ...], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._network = network
        self._rpc = RpcSources("the Ethereum node", urls, timeout_s)
        self._chain_id: int | None = None

    async def chain_id(self) -> int:
        """Return the chain id, of this network; asked once. Raises: ChainUnavailable."""
        if self._chain_id is None:
            chain_id = int(await self._agreed("eth_chainId", [], Quantity), 16)
            if not is_of_network(chain_id, self._network):
                raise ChainUnavailable(f"chain id {chain_id} is not on {self._network.value}")
            self._chain_id = chain_id
        return self._chain_id

    async def next_nonce(self, address: bytes) -> int:
        """Return the nonce after all that nodes know of, in blocks or waiting."""
        return await self._number("eth_getTransactionCount", [checksummed(address), "pending"])

    async def balance(self, address: bytes) -> int:
        """Return wei in the newest block."""
        return await self._number("eth_getBalance", [checksummed(address), "latest"])

    async def has_code(self, address: bytes) -> bool:
        """Say whether a contract is there."""
        code = await self._agreed("eth_getCode", [checksummed(address), "latest"], str)
        return code not in {"", "0x"}

    async def base_fee(self) -> int:
        """Return the newest base fee in wei per gas, of several nodes the lowest."""
        blocks = await self._every("eth_getBlockByNumber", ["latest", False], Block)
        return min(int(block.base_fee_per_gas, 16) for block in blocks)

    async def tip(self) -> int:
        """Return the tip in wei per gas that nodes suggest, the lowest."""
        tips = await self._every("eth_maxPriorityFeePerGas", [], Quantity)
        return min(int(tip, 16) for tip in tips)

    async def gas(self, call: dict[str, str]) -> int:
        """Return an estimate of a call's gas, the highest. Raises: TransactionRejected."""
        try:
            estimates = await self._rpc.every("eth_estimateGas", [call], Quantity)
        except RpcRefused as refused:
            raise failure(refused) from None
        return max(int(estimate, 16) for estimate in estimates)

    async def call(self, call: dict[str, str]) -> bytes:
        """Return what a call would answer. Raises: TransactionRejected with its reason."""
        try:
            answer = await self._rpc.agreed("eth_call", [call, "latest"], Data)
        except RpcRefused as refused:
            raise failure(refused) from None
        return bytes.fromhex(answer[2:])

    async def token_balance(self, token: bytes, owner: bytes) -> int:
        """Return ERC-20's `balanceOf` in base units. Raises: ChainUnavailable."""
        data = _BALANCE_OF + owner.rjust(32, bytes(1))
        call = {"to": checksummed(token), "data": f"0x{data.hex()}"}
        try:
            answer = await self.call(call)
        except TransactionError as refused:
            raise ChainUnavailable(f"the token tells no balance: {refused}") from None
        if len(answer) != 32:
            raise ChainUnavailable("the token's contract answers something else than a balance")
        return int.from_bytes(answer, "big")

    async def simulated(self, call: dict[str, str]) -> SimulatedBlock | None:
        """Simulate a call on the newest block; None where the node offers no such method."""
        asked = {"blockStateCalls": [{"calls": [call]}], "traceTransfers": True}
        try:
            answers = await self._rpc.every(
                "eth_simulateV1", [asked, "latest"], tuple[SimulatedBlock, ...]
            )
        except RpcRefused:
            return None
        return answers[0][0] if answers[0] else None

    async def receipt(self, transaction_id: str) -> Receipt | None:
        """Return a transaction's receipt, None while it is in no block."""
        receipt = await self._found("eth_getTransactionReceipt", transaction_id, Receipt)
        if receipt is not None and receipt.transaction_hash != transaction_id:
            raise ChainUnavailable("the Ethereum node answers for another transaction")
        return receipt

    async def knows(self, transaction_id: str) -> bool:
        """Say whether nodes have the transaction, in a block or waiting."""
        known = await self._found("eth_getTransactionByHash", transaction_id, KnownTransaction)
        return known is not None and known.hash == transaction_id

    async def height(self) -> int:
        """Return the number of the newest block that all nodes have."""
        heights = await self._every("eth_blockNumber", [], Quantity)
        return min(int(height, 16) for height in heights)

    async def send(self, content: bytes) -> str:
        """Hand a signed transaction over; return its id as the node tells it.

        Raises: RpcRefused, ChainUnavailable.
        """
        return await self._rpc.handed_over("eth_sendRawTransaction", [f"0x{content.hex()}"], str)

    async def fund(self, address: bytes, base_units: int, token: bytes | None) -> None:
        """Ask a devnet's faucet. Raises: TransactionRejected, ChainUnavailable."""
        to, amount = checksummed(address), hex(base_units)
        try:
            if token is None:
                await self._rpc.any_of("devnet_fund", [to, amount], str)
            else:
                await self._rpc.any_of("devnet_fundToken", [checksummed(token), to, amount], str)
        except RpcRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connections."""
        await self._rpc.close()

    async def _found(self, method: str, transaction_id: str, kind: type[T]) -> T | None:
        optional: Any = kind | None
        found: T | None = await self._agreed(method, [transaction_id], optional)
        return found

    async def _number(self, method: str, params: list[object]) -> int:
        return int(await self._agreed(method, params, Quantity), 16)

    async def _agreed(self, method: str, params: list[object], kind: type[T]) -> T:
        try:
            return await self._rpc.agreed(method, params, kind)
        except RpcRefused as refused:
            raise ChainUnavailable(f"the Ethereum node refuses {method}: {refused}") from None

    async def _every(self, method: str, params: list[object], kind: type[T]) -> tuple[T, ...]:
        try:
            return await self._rpc.every(method, params, kind)
        except RpcRefused as refused:
            raise ChainUnavailable(f"the Ethereum node refuses {method}: {refused}") from None
