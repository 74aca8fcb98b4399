"""EIP-7702: an account lets the code of a contract act for it, signed apart from transactions."""

from dataclasses import dataclass

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.address import ADDRESS_BYTES
from console.adapters.chains.ethereum.fields import bytes_of, list_of, uint_item, uint_of
from console.adapters.chains.ethereum.signature import Signature, recover
from console.adapters.chains.ethereum.strict_rlp import Item
from console.application.errors import TransactionError, UnknownTransaction

MAGIC = 0x05
MAX_BYTES = 128


@dataclass(frozen=True, slots=True)
class Authorization:
    """What is signed. `chain_id` 0 means every chain; `address` 20 zero bytes takes it back."""

    chain_id: int
    address: bytes
    nonce: int

    def encode(self) -> bytes:
        """Return the bytes that are hashed and signed."""
        return bytes([MAGIC]) + strict_rlp.encode(self.items())

    def signing_hash(self) -> bytes:
        """Return what is signed, 32 bytes."""
        return keccak(self.encode())

    def items(self) -> list[Item]:
        """Return the RLP items."""
        return [uint_item(self.chain_id), self.address, uint_item(self.nonce)]


@dataclass(frozen=True, slots=True)
class SignedAuthorization:
    """An authorisation with its account's signature, as type 4 transactions carry it."""

    content: Authorization
    signature: Signature

    def item(self) -> Item:
        """Return the RLP item."""
        signature = self.signature
        numbers = (signature.parity, signature.r, signature.s)
        return [*self.content.items(), *(uint_item(number) for number in numbers)]

    def authority(self) -> bytes:
        """Return the account that signed. Raises: TransactionError."""
        return recover(self.content.signing_hash(), self.signature)


def parse_authorization(data: bytes) -> Authorization:
    """Read unsigned bytes. Raises: UnknownTransaction."""
    if not 1 < len(data) <= MAX_BYTES or data[0] != MAGIC:
        raise UnknownTransaction("the bytes are no authorisation of EIP-7702")
    items = list_of(strict_rlp.decode(data[1:]), "authorisation", 3)
    return _content(items)


def parse_signed_authorization(item: Item) -> SignedAuthorization:
    """Read a transaction's entry. Raises: UnknownTransaction."""
    items = list_of(item, "authorisation", 6)
    parity, r, s = (
        uint_of(part, f"authorisation's {name}", bits)
        for part, name, bits in zip(items[3:], ("parity", "r", "s"), (8, 256, 256), strict=True)
    )
    try:
        signature = Signature(r, s, parity)
    except TransactionError as error:
        # The chain would skip it without an error, so the transaction is not signed.
        raise UnknownTransaction(f"an authorisation is not valid: {error}") from None
    return SignedAuthorization(_content(items[:3]), signature)


def _content(items: list[Item]) -> Authorization:
    return Authorization(
        uint_of(items[0], "authorisation's chain id", 256),
        bytes_of(items[1], "authorisation's address", ADDRESS_BYTES),
        uint_of(items[2], "authorisation's nonce", 64),
    )
