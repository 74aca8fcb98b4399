"""BitcoinAdapter: `ChainAdapter` for coins, PSBTs and BIP 322 messages, over Esplora or Core."""

from collections.abc import Mapping
from typing import Self

from console.adapters.chain_options import require_known
from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    RECEIVE,
    KeyPosition,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of, canonical
from console.adapters.chains.bitcoin.build import Wallet
from console.adapters.chains.bitcoin.descriptor import export_account
from console.adapters.chains.bitcoin.esplora import Esplora
from console.adapters.chains.bitcoin.message import build_message
from console.adapters.chains.bitcoin.node import BitcoinNode, sources_at
from console.adapters.chains.bitcoin.planning import Planner
from console.adapters.chains.bitcoin.presets import NETWORKS, NODE_HINT
from console.adapters.chains.bitcoin.refusals import failure, is_missing
from console.adapters.chains.bitcoin.sources import BroadcastRefused, checked_transaction
from console.adapters.chains.bitcoin.watching import Watcher
from console.adapters.rpc.imported import bytes_from_text
from console.adapters.rpc.json_rpc import TIMEOUT_S
from console.application.errors import (
    CoinSpent,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import (
    Ability,
    AccelerateIntent,
    Account,
    Asset,
    BuiltTransaction,
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
from console.domain.values import Amount, Chain, Network


class BitcoinAdapter:
    """One Bitcoin network. Its block 0 is checked before the first answer is used."""

    chain = Chain.BITCOIN
    unit = "BTC"
    decimals = 8
    accounts: tuple[Account, ...] = ACCOUNTS
    lets_expire = False
    abilities = frozenset({Ability.MESSAGE, Ability.ACCELERATE})
    assets: tuple[Asset, ...] = ()
    import_form = "A PSBT"
    networks: Mapping[Network, str] = NETWORKS
    node_hint = NODE_HINT

    def __init__(
        self, network: Network, urls: tuple[str, ...], timeout_s: float = TIMEOUT_S
    ) -> None:
        self.network = network
        self._faucet = Esplora(urls[0], timeout_s)
        self._sources = sources_at(urls, timeout_s)
        self._node = BitcoinNode(network, self._sources)
        self._watcher = Watcher(self._sources)
        self._planner = Planner(self._sources, self._watcher, self._node)

    @classmethod
    def from_settings(cls, settings: ChainSettings) -> Self:
        """Return the adapter. Raises: OptionNotKnown."""
        require_known(settings.options)
        return cls(settings.network, settings.urls, settings.timeout_s)

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the account's first receiving address. Raises: NotYetPossible."""
        script = script_at(account, keys, KeyPosition(RECEIVE, 0))
        return address_of(script, self.network) or ""

    def export_account(self, account: Account, keys: PublicKeys) -> str:
        """Return the descriptor of all its addresses. Raises: NotYetPossible."""
        return export_account(account, keys, self.network)

    def validate_address(self, text: str) -> str:
        """Return the canonical form. Raises: InvalidAddress."""
        return canonical(text, self.network)

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Decode a PSBT or a message. Raises: UnknownTransaction."""
        return signable.describe(transaction, keys, self.chain, self.network, self._node.horizon)

    def payloads(self, transaction: bytes, keys: PublicKeys) -> tuple[Payload, ...]:
        """Return one digest for each input. Raises: UnknownTransaction."""
        return signable.payloads(transaction, keys, self.network)

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        """Join bytes and signatures. Raises: TransactionError, UnknownTransaction."""
        return signable.attach(transaction, signatures, keys, self.network)

    def consumes(self, transaction: bytes) -> frozenset[str]:
        """Return the names of the coins that it spends. Raises: UnknownTransaction."""
        return signable.consumes(transaction, self.network)

    def can_be_replaced(self, transaction: bytes) -> bool:
        """Return whether it is a transaction, not a message. Raises: UnknownTransaction."""
        return signable.can_be_replaced(transaction)

    def may_replace(self, old: bytes, new: bytes) -> str:
        """Return "" if BIP 125 allows it, for the same payments or none.

        Raises: UnknownTransaction.
        """
        return signable.may_replace(old, new)

    def watch(self, transaction: bytes, keys: PublicKeys) -> None:
        """Look from now on at the own places that a signed transaction pays to.

        Raises: UnknownTransaction.
        """
        for own in signable.own_places(transaction, keys):
            self._watcher.watch(self._wallet(own.account, keys), own.place)

    def exported(self, data: bytes) -> str:
        """Return a PSBT in base 64, a message's signature as text, other bytes in hexadecimal."""
        return signable.exported(data)

    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        """Return a PSBT that spends confirmed coins before unconfirmed ones.

        Raises: InvalidAddress, TransactionError, InsufficientFunds, ChainUnavailable,
        NotYetPossible.
        """
        wallet = Wallet(intent.account, keys, self.network)
        match intent:
            case TransferIntent():
                return await self._planner.transfer(intent, wallet, reserved)
            case MessageIntent():
                text = build_message(self.address(intent.account, keys), intent.text, self.network)
                return BuiltTransaction(text, 0, None)
            case ReplaceIntent():
                return await self._planner.replacement(intent, wallet, reserved)
            case AccelerateIntent():
                return await self._planner.acceleration(intent, wallet, reserved)
            case ImportIntent():
                return await self._planner.imported(bytes_from_text(intent.text), keys)
            case _:
                raise NotYetPossible("Bitcoin has no such transactions")

    async def height(self) -> int:
        """Return the height that all nodes have. Raises: ChainUnavailable."""
        await self._node.check_network()
        return await self._node.tip_height()

    async def simulate(
        self,
        transaction: bytes,  # noqa: ARG002
        keys: PublicKeys,  # noqa: ARG002
    ) -> Simulation | None:
        """Return None: the bytes of a PSBT show all of its effects."""
        return None

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        """Return the sum of all unspent coins, unconfirmed ones included.

        Raises: ChainUnavailable, NotYetPossible.
        """
        if asset:
            raise NotYetPossible("Bitcoin has no tokens here")
        await self._node.check_network()
        await self._node.follow_tip()
        coins = await self._watcher.coins(self._wallet(account, keys))
        return Amount(sum(coin.unspent.value for coin in coins), self.unit, self.decimals)

    async def history(self, account: Account, keys: PublicKeys) -> tuple[Movement, ...]:
        """Return the account's movements. Raises: ChainUnavailable, NotYetPossible."""
        await self._node.check_network()
        return tuple(
            Movement(
                transaction_id=line.txid,
                amount=line.change,
                unit=self.unit,
                decimals=self.decimals,
                block=line.height or 0,
                at_ms=None if line.time_s is None else line.time_s * 1000,
            )
            for line in await self._watcher.history(self._wallet(account, keys))
        )

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Broadcast a transaction. One that the chain has already is no error.

        Raises: ChainUnavailable, CoinSpent, FeeTooLow, TransactionRejected.
        """
        try:
            same = checked_transaction(signed.transaction) == signed.transaction_id
        except UnknownTransaction as odd:
            raise TransactionRejected(str(odd)) from None
        if not same:
            raise TransactionRejected("the bytes are another transaction than was signed")
        await self._node.check_network()
        try:
            await self._sources.send(signed.transaction)
        except BroadcastRefused as refused:
            if await self._sources.status(signed.transaction_id) is not None:
                return
            if is_missing(str(refused)) and await self._node.spent_for_good(signed.transaction):
                raise CoinSpent("a coin that it spends is gone; propose it again") from None
            raise failure(str(refused)) from None

    async def status(self, transaction_id: str) -> Inclusion:
        """Return its status. Raises: ChainUnavailable."""
        return await self._node.status(transaction_id)

    async def is_used_up(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - a PSBT names its coins
    ) -> bool:
        """Return whether it is settled itself, or another spent one of its coins for good.

        Raises: UnknownTransaction, ChainUnavailable.
        """
        unsigned = signable.transaction_of(transaction)
        if unsigned is None:
            return False
        # Witnesses are not part of a transaction's id: it is known before it is signed.
        own = await self._node.status(unsigned.txid)
        if own.state is not InclusionState.UNKNOWN:
            return own.state is InclusionState.CONFIRMED and own.settled
        return await self._node.spent_for_good(unsigned.encode())

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        """Ask a devnet for coins. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        if asset:
            raise TransactionRejected("Bitcoin has no tokens here")
        await self._node.check_network()
        try:
            await self._faucet.fund(canonical(address, self.network), base_units)
        except BroadcastRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connections."""
        await self._faucet.close()
        await self._sources.close()

    def _wallet(self, account: Account, keys: PublicKeys) -> Wallet:
        return Wallet(account, keys, self.network)
