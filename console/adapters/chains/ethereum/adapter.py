"""Ethereum and chains like it: coins, listed tokens, calls and messages, with EIP-1559 fees."""

from collections.abc import Mapping
from typing import Self

from console.adapters.chain_options import require_known
from console.adapters.chains.ethereum import signable
from console.adapters.chains.ethereum.address import (
    address_of,
    checksummed,
    parse_address,
    split_short_name,
)
from console.adapters.chains.ethereum.describe import ChainContext, describe
from console.adapters.chains.ethereum.importing import imported, message
from console.adapters.chains.ethereum.meaning import COIN_DECIMALS, Known, TokenUnit
from console.adapters.chains.ethereum.networks import bound_to, is_of_network
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.planning import Planner, listed, nonce_name
from console.adapters.chains.ethereum.presets import NETWORKS, NODE_HINT
from console.adapters.chains.ethereum.refusals import failure
from console.adapters.chains.ethereum.replacing import is_replaceable, why_not_replaced
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.signed import parse_signed
from console.adapters.chains.ethereum.simulation import simulate
from console.adapters.chains.ethereum.transaction import Transaction
from console.adapters.rpc.imported import bytes_from_text
from console.adapters.rpc.json_rpc import TIMEOUT_S, RpcRefused
from console.application.errors import (
    ChainUnavailable,
    InvalidAddress,
    NonceConflict,
    TransactionError,
    TransactionRejected,
)
from console.application.ports.chain import (
    MESSAGE_ID,
    Ability,
    Account,
    Asset,
    BuiltTransaction,
    CallIntent,
    ChainSettings,
    ImportIntent,
    Inclusion,
    InclusionState,
    Intent,
    MessageIntent,
    Movement,
    Payload,
    PublicKeys,
    ReplaceIntent,
    SignedTransaction,
    Simulation,
    TransferIntent,
)
from console.domain.errors import NotYetPossible
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind

ACCOUNT = Account(kind=SignatureKind.ECDSA_SECP256K1, path="m/44/60/0/0/0", label="Ethereum")
"""BIP 44's place for the first account, without its hardened steps, which shares cannot take."""
CONFIRMATIONS = {Network.DEVNET: 1, Network.TESTNET: 3, Network.MAINNET: 12}
"""Blocks after which a payment is shown as confirmed; it is settled once the block is final."""


class EthereumAdapter:
    """One Ethereum network. `trusted` are contracts that may be given allowances."""

    chain = Chain.ETHEREUM
    unit = "ETH"
    decimals = COIN_DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)
    lets_expire = False
    abilities = frozenset({Ability.CALL, Ability.MESSAGE})
    import_form = "An unsigned transaction"
    networks: Mapping[Network, str] = NETWORKS
    node_hint = NODE_HINT

    def __init__(
        self,
        network: Network,
        urls: tuple[str, ...],
        assets: tuple[Asset, ...] = (),
        trusted: tuple[str, ...] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.network = network
        self.assets = tuple(
            Asset(self.validate_address(a.address), a.unit, a.decimals) for a in assets
        )
        contracts = frozenset(parse_address(self.validate_address(each)) for each in trusted)
        self._known = Known(
            self.unit,
            {parse_address(a.address): TokenUnit(a.unit, a.decimals) for a in self.assets},
            spenders=contracts,
            accounts=contracts,
        )
        self._node = EthereumNode(network, urls, timeout_s)
        self._planner = Planner(self._node, self._known)

    @classmethod
    def from_settings(cls, settings: ChainSettings) -> Self:
        """Return the adapter. Raises: OptionNotKnown, InvalidAddress."""
        require_known(settings.options, "trusted")
        return cls(
            settings.network,
            settings.urls,
            settings.assets,
            settings.option("trusted"),
            settings.timeout_s,
        )

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the EIP-55 address. Raises: NotYetPossible."""
        return checksummed(address_of(keys.public_key(account.kind, account.path)))

    def export_account(self, account: Account, keys: PublicKeys) -> str:
        """Return the address: it is all that a watching wallet needs. Raises: NotYetPossible."""
        return self.address(account, keys)

    def validate_address(self, text: str) -> str:
        """Return the checksummed form, without a chain's short name. Raises: InvalidAddress."""
        chain_id, _ = split_short_name(text)
        if chain_id is not None and not is_of_network(chain_id, self.network):
            raise InvalidAddress(f"this is the address of another chain than {self.network.value}")
        return checksummed(parse_address(text, chain_id))

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Return what the bytes do for the wallet's account. Raises: UnknownTransaction."""
        place = ChainContext(
            self.chain, self.network, bound_to(transaction, self.network), self._known
        )
        return describe(transaction, self.address(ACCOUNT, keys), place)

    def payloads(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - whose account it is does not change what is signed
    ) -> tuple[Payload, ...]:
        """Return the signing hash. Raises: UnknownTransaction."""
        content = signable.parse(transaction, bound_to(transaction, self.network))
        return (Payload(content.signing_hash(), ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        """Return the signed transaction; the signature must be of the wallet's account.

        Raises: TransactionError, UnknownTransaction.
        """
        if len(signatures) != 1:
            raise TransactionError("what is signed on Ethereum has exactly one signature")
        signature = parse_signature(signatures[0])
        chain_id = bound_to(transaction, self.network)
        signed = signable.attach(transaction, signature, chain_id)
        if signed.sender != _own(keys):
            raise TransactionError("the signature is of another account")
        known_by = f"0x{signed.transaction_hash.hex()}"
        if not isinstance(signable.parse(transaction, chain_id), Transaction):
            known_by = MESSAGE_ID + known_by
        return SignedTransaction(signed.content, known_by)

    def consumes(self, transaction: bytes) -> frozenset[str]:
        """Return the nonce's name. Raises: UnknownTransaction."""
        content = signable.parse(transaction, bound_to(transaction, self.network))
        if not isinstance(content, Transaction):
            return frozenset()
        return frozenset({nonce_name(content.chain_id, content.nonce)})

    def can_be_replaced(self, transaction: bytes) -> bool:
        """Return whether it is a transaction of type 2. Raises: UnknownTransaction."""
        content = signable.parse(transaction, bound_to(transaction, self.network))
        return isinstance(content, Transaction) and is_replaceable(content)

    def may_replace(self, old: bytes, new: bytes) -> str:
        """Return "" for the same again, or nothing, at fees a tenth higher, else why not.

        Raises: UnknownTransaction.
        """
        return why_not_replaced(old, new)

    def exported(self, data: bytes) -> str:
        """Return hexadecimal."""
        return data.hex()

    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        """Return bytes with the account's lowest free nonce and a fee that lasts some full blocks.

        Raises: InvalidAddress, TransactionError, ChainUnavailable, NotYetPossible.
        """
        match intent:
            case TransferIntent():
                return await self._planner.transfer(intent, _own(keys), reserved)
            case CallIntent():
                return await self._planner.call(intent, _own(keys), reserved)
            case MessageIntent():
                return self._quoted(message(intent.text, self.network), keys)
            case ReplaceIntent():
                return await self._planner.replacement(intent, _own(keys))
            case ImportIntent():
                return self._quoted(imported(bytes_from_text(intent.text), self.network), keys)
            case _:
                raise NotYetPossible("Ethereum needs nothing set up for that")

    async def height(self) -> int:
        """Return the newest block's number. Raises: ChainUnavailable."""
        await self._node.chain_id()
        return await self._node.height()

    async def simulate(self, transaction: bytes, keys: PublicKeys) -> Simulation | None:
        """Return what a node foresees; None for messages. Raises: ChainUnavailable."""
        content = signable.parse(transaction, bound_to(transaction, self.network))
        if not isinstance(content, Transaction):
            return None
        await self._node.chain_id()
        return await simulate(self._node, content, _own(keys), self._known)

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        """Return the balance in the newest block. Raises: ChainUnavailable, NotYetPossible."""
        await self._node.chain_id()
        owner = address_of(keys.public_key(account.kind, account.path))
        if not asset:
            return self._known.coins(await self._node.balance(owner))
        token = listed(asset, self._known)
        return self._known.amount(token, await self._node.token_balance(token, owner))

    async def history(
        self,
        account: Account,  # noqa: ARG002
        keys: PublicKeys,  # noqa: ARG002
    ) -> tuple[Movement, ...]:
        """Return (): Ethereum's nodes keep no list of an account's transactions."""
        return ()

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Send the transaction to the nodes; do nothing if they have it already.

        Raises: ChainUnavailable, InsufficientFunds, NonceConflict, FeeTooLow, TransactionRejected.
        """
        await self._node.chain_id()
        try:
            told = await self._node.send(signed.transaction)
        except RpcRefused as refused:
            if await self._node.knows(signed.transaction_id):
                return
            trouble = failure(refused)
            if isinstance(trouble, NonceConflict) and await self._is_early(signed.transaction):
                raise ChainUnavailable(
                    "an earlier transaction of this account has to be sent first"
                ) from None
            raise trouble from None
        if told != signed.transaction_id:
            raise ChainUnavailable("the Ethereum node names another transaction than it was given")

    async def status(self, transaction_id: str) -> Inclusion:
        """Return where the transaction stands. Raises: ChainUnavailable."""
        await self._node.chain_id()
        receipt = await self._node.receipt(transaction_id)
        if receipt is None:
            pending = await self._node.knows(transaction_id)
            return Inclusion(InclusionState.PENDING if pending else InclusionState.UNKNOWN)
        number = int(receipt.block_number, 16)
        depth = await self._node.height() - number + 1
        if depth < CONFIRMATIONS[self.network]:
            return Inclusion(InclusionState.PENDING, number)
        settled = number <= await self._node.final_height()
        if receipt.status == "0x1":
            return Inclusion(InclusionState.CONFIRMED, number, settled=settled)
        if not settled:
            # After a reorganisation the same bytes may move the funds.
            return Inclusion(InclusionState.PENDING, number)
        reason = "the chain executed the transaction and it failed; only the fee was paid"
        return Inclusion(InclusionState.FAILED, number, reason)

    async def is_used_up(self, transaction: bytes, keys: PublicKeys) -> bool:
        """Return whether its nonce was used in a final block. Raises: as the port."""
        content = signable.parse(transaction, bound_to(transaction, self.network))
        if not isinstance(content, Transaction):
            return False
        await self._node.chain_id()
        return await self._node.final_nonce(_own(keys)) > content.nonce

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        """Ask a devnet for coins or tokens. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        await self._node.chain_id()
        token = listed(asset, self._known) if asset else None
        await self._node.fund(parse_address(address), base_units, token)

    async def close(self) -> None:
        """Release the connections."""
        await self._node.close()

    def _quoted(self, data: bytes, keys: PublicKeys) -> BuiltTransaction:
        """Return what others drafted; the fee is what it lets anybody charge.

        A document may name a fee too (ERC-4337). Raises: UnknownTransaction.
        """
        return BuiltTransaction(data, self.describe(data, keys).fee.base_units, None)

    async def _is_early(self, content: bytes) -> bool:
        """Return whether a signed transaction's nonce is above the account's next."""
        transaction, _, signed = parse_signed(content)
        return transaction.nonce > await self._node.next_nonce(signed.sender)


def _own(keys: PublicKeys) -> bytes:
    return address_of(keys.public_key(ACCOUNT.kind, ACCOUNT.path))
