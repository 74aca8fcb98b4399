"""ChainAdapter: everything the product knows of one chain, pure codec and I/O behind one port."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind


@dataclass(frozen=True, slots=True)
class Account:
    """One way in which a chain addresses a wallet: the kind of key, and the path to it.

    `label` tells people which, where a chain has several.
    """

    kind: SignatureKind
    path: str
    label: str


class PublicKeys(Protocol):
    """A wallet's public keys; an adapter derives addresses from them and knows nothing else."""

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        """Return the key at a path. Raises: NotYetPossible if the wallet has no such key."""
        ...


@dataclass(frozen=True, slots=True)
class TransferIntent:
    """What an operator filled in: `amount` in base units, `memo` at most 180 bytes of text."""

    account: Account
    to_address: str
    amount: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class BuiltTransaction:
    """Unsigned bytes with what was quoted for them.

    `valid_for_s` estimates how long the chain will accept the bytes; None when for ever.
    """

    transaction: bytes
    fee_ceiling: int
    valid_for_s: int | None


@dataclass(frozen=True, slots=True)
class Payload:
    """One message to be signed, with the kind of signature and the key's derivation path."""

    message: bytes
    kind: SignatureKind
    path: str


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and the id that the chain will know them by."""

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
    """Where a transaction stands; `block` is the slot or height, 0 until known."""

    state: InclusionState
    block: int = 0
    reason: str = ""


class ChainAdapter(Protocol):
    """One chain on one network. The pure calls never touch the network."""

    chain: Chain
    network: Network
    unit: str
    decimals: int
    accounts: tuple[Account, ...]
    """All accounts that a wallet has here, if it has keys of their kinds."""

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return a wallet's address. Raises: NotYetPossible if it has no such key."""
        ...

    def validate_address(self, text: str) -> str:
        """Return the canonical form. Raises: InvalidAddress."""
        ...

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Decode unsigned bytes, from the bytes alone; `keys` only tell what is the wallet's own.

        Raises: UnknownTransaction; odd parts become red flags.
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

    async def build_transaction(self, intent: TransferIntent, keys: PublicKeys) -> BuiltTransaction:
        """Build an unsigned transfer.

        Raises: InvalidAddress, ChainUnavailable, TransactionError, NotYetPossible.
        """
        ...

    async def balance(self, address: str) -> Amount:
        """Raises: ChainUnavailable."""
        ...

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand over; repeating is harmless.

        Raises: ChainUnavailable, BlockhashExpired, InsufficientFunds, TransactionRejected.
        """
        ...

    async def status(self, transaction_id: str) -> Inclusion:
        """Ask what became of it. Raises: ChainUnavailable."""
        ...

    async def request_faucet(self, address: str, base_units: int) -> None:
        """Ask a devnet for coins. Raises: TransactionRejected on any other network."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
