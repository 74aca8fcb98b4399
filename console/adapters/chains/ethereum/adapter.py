"""Ethereum and chains like it, over one node's JSON-RPC: transfers with EIP-1559 fees."""

from typing import Annotated, TypeVar

import msgspec

from console.adapters.chains.ethereum import signable
from console.adapters.chains.ethereum.address import address_of, checksummed, parse_address
from console.adapters.chains.ethereum.build import Draft
from console.adapters.chains.ethereum.describe import Place, describe
from console.adapters.chains.ethereum.meaning import COIN_DECIMALS, Known
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.adapters.json_rpc import TIMEOUT_S, JsonRpc, RpcRefused
from console.application.errors import (
    ChainUnavailable,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import (
    Account,
    BuiltTransaction,
    Inclusion,
    InclusionState,
    Payload,
    PublicKeys,
    SignedTransaction,
    TransferIntent,
)
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind

ACCOUNT = Account(SignatureKind.ECDSA_SECP256K1, "m/44/60/0/0/0", "Ethereum")
"""BIP 44's place for the first account, without its hardened steps, which shares cannot take."""
GWEI = 10**9
FEE_CAP = 500 * GWEI
"""The highest fee per gas that is ever offered, whatever a node says."""
CHAIN_IDS = {
    Network.MAINNET: frozenset({1}),
    Network.TESTNET: frozenset({11_155_111, 17_000, 560_048}),
}
"""EIP-155 ids of Ethereum, and of Sepolia, Holesky and Hoodi; any other id is a devnet."""
CONFIRMATIONS = {Network.DEVNET: 1, Network.TESTNET: 3, Network.MAINNET: 12}
_PLAIN_GAS = 21_000
_MOST_GAS = 1_000_000

Quantity = Annotated[str, msgspec.Meta(pattern=r"\A0x(0|[1-9a-f][0-9a-f]{0,63})\Z")]
Hash = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{64}\Z")]
T = TypeVar("T")


class _Block(msgspec.Struct, frozen=True, rename="camel"):
    number: Quantity
    base_fee_per_gas: Quantity


class _Receipt(msgspec.Struct, frozen=True, rename="camel"):
    transaction_hash: Hash
    block_number: Quantity
    status: Quantity


class _Known(msgspec.Struct, frozen=True):
    hash: Hash


class EthereumAdapter:
    """One Ethereum network; its chain id is checked before the first answer is used."""

    chain = Chain.ETHEREUM
    unit = "ETH"
    decimals = COIN_DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)

    def __init__(self, network: Network, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self.network = network
        self._rpc = JsonRpc("the Ethereum node", url, timeout_s)
        self._chain_id: int | None = None

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the EIP-55 address. Raises: NotYetPossible."""
        return checksummed(address_of(keys.public_key(account.kind, account.path)))

    def validate_address(self, text: str) -> str:
        """Return the checksummed form. Raises: InvalidAddress."""
        return checksummed(parse_address(text))

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Decode the bytes; the sender is the wallet's account. Raises: UnknownTransaction."""
        place = Place(self.chain, self.network, self._bound_to(transaction), Known(self.unit))
        return describe(transaction, self.address(ACCOUNT, keys), place)

    def payloads(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - whose account it is does not change what is signed
    ) -> tuple[Payload, ...]:
        """Return the signing hash. Raises: UnknownTransaction."""
        self._bound_to(transaction)
        digest = parse_transaction(transaction).signing_hash()
        return (Payload(digest, ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        """Join bytes and signature, which must be of the wallet's account.

        Raises: TransactionError, UnknownTransaction.
        """
        if len(signatures) != 1:
            raise TransactionError("an Ethereum transaction has exactly one signature")
        signature = parse_signature(signatures[0])
        signed = signable.attach(transaction, signature, self._bound_to(transaction))
        if signed.sender != address_of(keys.public_key(ACCOUNT.kind, ACCOUNT.path)):
            raise TransactionError("the signature is of another account")
        return SignedTransaction(signed.content, f"0x{signed.transaction_hash.hex()}")

    async def build_transaction(self, intent: TransferIntent, keys: PublicKeys) -> BuiltTransaction:
        """Build a transfer with the account's next nonce and a fee that lasts a few doublings.

        Raises: InvalidAddress, TransactionError, ChainUnavailable.
        """
        to = parse_address(intent.to_address)
        if not 0 < intent.amount < 1 << 256:
            raise TransactionError("the amount must be above zero")
        if intent.memo:
            raise TransactionError("a transfer of ether carries no memo; leave it empty")
        chain_id = await self._check_chain()
        sender = self.address(ACCOUNT, keys)
        nonce = await self._number("eth_getTransactionCount", [sender, "pending"])
        block = await self._ask("eth_getBlockByNumber", ["latest", False], _Block)
        tip = await self._number("eth_maxPriorityFeePerGas", [])
        max_fee = 2 * int(block.base_fee_per_gas, 16) + tip
        if max_fee > FEE_CAP:
            raise TransactionError("the network's fees are above the limit of 500 gwei; wait")
        call = {"from": sender, "to": checksummed(to), "value": hex(intent.amount)}
        gas = await self._gas(call)
        draft = Draft(chain_id, nonce).pay(to, intent.amount).gas(gas).fees(max_fee, tip)
        return BuiltTransaction(draft.build(), gas * max_fee, None)

    async def balance(self, address: str) -> Amount:
        """Return the balance of the newest block. Raises: ChainUnavailable."""
        await self._check_chain()
        wei = await self._number("eth_getBalance", [address, "latest"])
        return Amount(wei, self.unit, self.decimals)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand the transaction over; one that the chain has already is no error.

        Raises: ChainUnavailable, InsufficientFunds, NonceConflict, TransactionRejected.
        """
        await self._check_chain()
        try:
            encoded = f"0x{signed.transaction.hex()}"
            told = await self._rpc.call("eth_sendRawTransaction", [encoded], str)
        except RpcRefused as refused:
            if await self._knows(signed.transaction_id):
                return
            raise _failure(refused) from None
        if told != signed.transaction_id:
            raise ChainUnavailable("the Ethereum node names another transaction than it was given")

    async def status(self, transaction_id: str) -> Inclusion:
        """Ask what became of it. Raises: ChainUnavailable."""
        await self._check_chain()
        receipt = await self._found("eth_getTransactionReceipt", transaction_id, _Receipt)
        if receipt is None:
            pending = await self._knows(transaction_id)
            return Inclusion(InclusionState.PENDING if pending else InclusionState.UNKNOWN)
        if receipt.transaction_hash != transaction_id:
            raise ChainUnavailable("the Ethereum node answers for another transaction")
        number = int(receipt.block_number, 16)
        if receipt.status == "0x0":
            reason = "the chain executed the transfer and it failed; only the fee was paid"
            return Inclusion(InclusionState.FAILED, number, reason)
        depth = await self._number("eth_blockNumber", []) - number + 1
        final = depth >= CONFIRMATIONS[self.network]
        return Inclusion(InclusionState.CONFIRMED if final else InclusionState.PENDING, number)

    async def request_faucet(self, address: str, base_units: int) -> None:
        """Ask a devnet for coins. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        await self._check_chain()
        try:
            await self._rpc.call("devnet_fund", [address, hex(base_units)], str)
        except RpcRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connection."""
        await self._rpc.close()

    def _bound_to(self, transaction: bytes) -> int:
        """Return the chain id in the bytes, which must be of this network."""
        chain_id = parse_transaction(transaction).chain_id
        self._require_network(chain_id, UnknownTransaction)
        return chain_id

    def _require_network(self, chain_id: int, error: type[Exception]) -> None:
        expected = CHAIN_IDS.get(self.network)
        public = frozenset().union(*CHAIN_IDS.values())
        if (chain_id not in expected) if expected else (chain_id in public):
            raise error(f"chain id {chain_id} is not on {self.network.value}")

    async def _gas(self, call: dict[str, str]) -> int:
        """Return the plain transfer's gas, or what a destination with code needs, with a margin."""
        code = await self._ask("eth_getCode", [call["to"], "latest"], str)
        if code in {"", "0x"}:
            return _PLAIN_GAS
        gas = await self._number("eth_estimateGas", [call]) * 6 // 5
        if gas > _MOST_GAS:
            raise TransactionError("the destination's code needs more gas than a transfer may use")
        return gas

    async def _knows(self, transaction_id: str) -> bool:
        known = await self._found("eth_getTransactionByHash", transaction_id, _Known)
        return known is not None and known.hash == transaction_id

    async def _found(self, method: str, transaction_id: str, kind: type[T]) -> T | None:
        answer = await self._ask(method, [transaction_id], msgspec.Raw)
        return None if bytes(answer) == b"null" else self._rpc.decode(bytes(answer), kind)

    async def _number(self, method: str, params: list[object]) -> int:
        return int(await self._ask(method, params, Quantity), 16)

    async def _ask(self, method: str, params: list[object], kind: type[T]) -> T:
        try:
            return await self._rpc.call(method, params, kind)
        except RpcRefused as refused:
            raise ChainUnavailable(f"the Ethereum node refuses {method}: {refused}") from None

    async def _check_chain(self) -> int:
        """Refuse a node of another network, and one that changes its mind."""
        if self._chain_id is None:
            chain_id = await self._number("eth_chainId", [])
            self._require_network(chain_id, ChainUnavailable)
            self._chain_id = chain_id
        return self._chain_id


def _failure(refused: RpcRefused) -> TransactionError:
    text = str(refused).lower()
    if "insufficient funds" in text or "enough balance" in text:
        return InsufficientFunds("the account cannot pay the amount and the fee")
    if "nonce" in text:
        return NonceConflict("another transaction of this account took its nonce; make it again")
    return TransactionRejected(f"the chain refused it: {refused}")
