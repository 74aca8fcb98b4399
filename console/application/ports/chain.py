"""ChainAdapter: everything the product knows of one chain, pure codec and I/O behind one port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self, TypeAlias

from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind

MESSAGE_ID = "message:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One way in which a chain addresses a wallet: the kind of key, and the path to it.

    `label` distinguishes the accounts of a chain. `key_use` says what its kind of keys is for,
    where kinds are listed; "" stands for the label.
    """

    kind: SignatureKind
    path: str
    label: str
    key_use: str = field(default="", kw_only=True)


class PublicKeys(Protocol):
    """A wallet's public keys; an adapter derives addresses from them and knows nothing else."""

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        """Return the key at a path. Raises: NotYetPossible if the wallet has no such key."""
        ...

    def master_key(self, kind: SignatureKind) -> tuple[bytes, bytes]:
        """Return the group's key (33 bytes, compressed) and its chain code (32 bytes, BIP 32).

        Raises: NotYetPossible if the wallet has no such key, or its kind none of this form.
        """
        ...


@dataclass(frozen=True, slots=True)
class Asset:
    """A token beside a chain's own coin, told by its contract or mint address."""

    address: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """Where a chain's nodes are, and what this member's settings say of the chain.

    Several `urls` must agree. `options` are settings that only some chains have, by name: an
    adapter reads its own and refuses the others.
    """

    network: Network
    urls: tuple[str, ...]
    assets: tuple[Asset, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timeout_s: float = 8.0

    def option(self, name: str) -> tuple[str, ...]:
        """Return the values of an option, () if it is not set."""
        return self.options.get(name, ())


class FeeLevel(StrEnum):
    """How soon a transaction should be in a block, and so what it may cost."""

    ECONOMY = "economy"
    NORMAL = "normal"
    FAST = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferIntent:
    """What an operator filled in: `amount` in base units, `memo` at most 180 bytes of text.

    `asset` is the address of a listed token, "" for the chain's own coin. `durable` asks for bytes
    that do not expire while people decide, where a chain's transactions expire by themselves.
    With `everything`, the whole balance less the fee is sent, whatever `amount` is.
    """

    account: Account
    to_address: str
    amount: int
    memo: str = ""
    asset: str = ""
    fee_level: FeeLevel = FeeLevel.NORMAL
    durable: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIntent:
    """A call of a contract's function, such as `approve(address,uint256)`, with values as text.

    `amount` of coins goes along. Lists are written as JSON, bytes as hexadecimal.
    """

    account: Account
    to_address: str
    function: str
    arguments: tuple[str, ...]
    amount: int = 0
    fee_level: FeeLevel = FeeLevel.NORMAL


@dataclass(frozen=True, slots=True)
class MessageIntent:
    """A text to be signed that is no transaction: by EIP-191, EIP-712 (JSON) or BIP 322."""

    account: Account
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceIntent:
    """Take the place of unsigned bytes that were signed and sent but are in no block yet.

    The same again with a higher fee, or nothing at all when `cancel`.
    """

    account: Account
    transaction: bytes
    cancel: bool = False
    fee_level: FeeLevel = FeeLevel.FAST


@dataclass(frozen=True, slots=True)
class AccelerateIntent:
    """Have a waiting transaction mined for what spends its outputs: the child pays for it."""

    account: Account
    transaction_id: str
    fee_level: FeeLevel = FeeLevel.FAST


@dataclass(frozen=True, slots=True)
class ImportIntent:
    """What another program has drafted, as it exports it: hexadecimal or base 64.

    Unsigned bytes of the chain; on Bitcoin a PSBT of version 0 or 2.
    """

    account: Account
    text: str


@dataclass(frozen=True, slots=True)
class DurableIntent:
    """Make what durable transfers need on this chain: on Solana, the account of a durable nonce."""

    account: Account


Intent: TypeAlias = (
    TransferIntent
    | CallIntent
    | MessageIntent
    | ReplaceIntent
    | AccelerateIntent
    | ImportIntent
    | DurableIntent
)


class Ability(StrEnum):
    """What an adapter offers beyond transfers of its own coin."""

    MEMO = "memo"
    CALL = "call"
    MESSAGE = "message"
    DURABLE = "lasting"
    ACCELERATE = "accelerate"


@dataclass(frozen=True, slots=True)
class BuiltTransaction:
    """Unsigned bytes with what was quoted for them.

    `valid_for_s` estimates how long the chain will accept the bytes; None when for ever. `notes`
    say what was asked for and is not done.
    """

    transaction: bytes
    fee_ceiling: int
    valid_for_s: int | None
    notes: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChange:
    """What a simulation says happens to one address; `amount` may be below zero."""

    address: str
    amount: int
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the chain's node says would happen now: a claim, for show, never for a decision.

    `failure` is "" if the transaction would succeed.
    """

    failure: str
    changes: tuple[BalanceChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of an account's history as the chain tells it; `amount` is below zero when paid."""

    transaction_id: str
    amount: int
    unit: str
    decimals: int
    block: int
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One message to be signed, with the kind of signature and the key's derivation path."""

    message: bytes
    kind: SignatureKind
    path: str


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and the id that the chain will know them by.

    What is signed without being a transaction is complete with `attach`: its id begins with
    `MESSAGE_ID`, and no chain is asked about it.
    """

    transaction: bytes
    transaction_id: str


class InclusionState(StrEnum):
    """What a chain says of a transaction id."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a transaction stands; `block` is the slot or height, 0 until known.

    `settled`: if confirmed, whether the chain can no longer take it back.
    """

    state: InclusionState
    block: int = 0
    reason: str = ""
    settled: bool = field(default=True, kw_only=True)


class ChainAdapter(Protocol):
    """One chain on one network. The pure calls never touch the network."""

    chain: Chain
    network: Network
    unit: str
    decimals: int
    accounts: tuple[Account, ...]
    """All accounts that a wallet has here, if it has keys of their kinds."""
    abilities: frozenset[Ability]
    lets_expire: bool  # what nothing can take the place of expires by itself
    assets: tuple[Asset, ...]  # by the node's settings; a description names others by address
    import_form: str  # What it imports from other programs, as a noun: "An unsigned message".
    networks: Mapping[Network, str]  # with their names
    node_hint: str  # What nodes its URLs may be of, in sentences for the operator.

    @classmethod
    def from_settings(cls, settings: ChainSettings) -> Self:
        """Return the adapter. Raises: OptionNotKnown, InvalidAddress."""
        ...

    # Pure: from bytes and public keys alone.
    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the address to receive at. Raises: NotYetPossible if there is no such key."""
        ...

    def export_account(self, account: Account, keys: PublicKeys) -> str:
        """Return what a watching wallet needs: an output descriptor, or the address.

        Raises: NotYetPossible.
        """
        ...

    def validate_address(self, text: str) -> str:
        """Return the canonical form. Raises: InvalidAddress."""
        ...

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Decode unsigned bytes, from the bytes alone; `keys` only tell what is the wallet's own.

        Raises: UnknownTransaction; NotYetPossible while a fact about a listed token is not known
        here, which only its chain tells; odd parts become red flags.
        """
        ...

    def payloads(self, transaction: bytes, keys: PublicKeys) -> tuple[Payload, ...]:
        """Return what must be signed, in order. Raises: UnknownTransaction."""
        ...

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        """Join bytes and signatures (one for each payload). Raises: TransactionError."""
        ...

    def consumes(self, transaction: bytes) -> frozenset[str]:
        """Name what only one transaction can use: coins, a nonce. Raises: UnknownTransaction."""
        ...

    def can_be_replaced(self, transaction: bytes) -> bool:
        """Tell whether another may take its place while it waits. Raises: UnknownTransaction."""
        ...

    def may_replace(self, old: bytes, new: bytes) -> str:
        """Return "" if `new` may take the place of `old`, which consumes the same, else why not.

        The same intent or nothing at all, for a fee that is higher by what networks ask for.
        Raises: UnknownTransaction.
        """
        ...

    def exported(self, data: bytes) -> str:
        """Return unsigned or signed bytes as other programs read them."""
        ...

    # Over the network. All raise ChainUnavailable.
    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        """Build unsigned bytes that consume nothing of `reserved`.

        Raises: InvalidAddress, TransactionError; NotYetPossible for what the chain does not offer.
        """
        ...

    async def height(self) -> int:
        """Return the newest block that all nodes have; they are of this network."""
        ...

    async def simulate(self, transaction: bytes, keys: PublicKeys) -> Simulation | None:
        """Ask what would happen; None where the chain's node offers no such thing."""
        ...

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        """Return what the account holds of the coin or a listed token. Raises: NotYetPossible."""
        ...

    async def history(self, account: Account, keys: PublicKeys) -> tuple[Movement, ...]:
        """Return the account's newest movements, newest first; () where a chain's node has none."""
        ...

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand over; repeating is harmless.

        Raises: BlockhashExpired, InsufficientFunds, NonceConflict, CoinSpent, FeeTooLow,
        TransactionRejected.
        """
        ...

    async def status(self, transaction_id: str) -> Inclusion:
        """Ask what became of it."""
        ...

    async def is_used_up(self, transaction: bytes, keys: PublicKeys) -> bool:
        """Return whether unsigned bytes can no longer be executed, for good, whoever signed them.

        Their nonce or a coin is used, or their time is over. They may have been executed.
        Raises: UnknownTransaction.
        """
        ...

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        """Ask a devnet for coins or tokens. Raises: TransactionRejected on any other network."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
