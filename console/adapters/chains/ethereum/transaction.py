"""Unsigned transactions of all five types: read strictly from the bytes that will be signed.

Types 0 (EIP-155), 1 (EIP-2930), 2 (EIP-1559), 3 (EIP-4844) and 4 (EIP-7702). Encoding what was
read gives the same bytes again, so a second reading of them does not exist.
"""

from dataclasses import dataclass
from enum import IntEnum

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.authorization import (
    SignedAuthorization,
    parse_signed_authorization,
)
from console.adapters.chains.ethereum.fields import (
    HASH_BYTES,
    AccessEntry,
    access_list_of,
    bytes_of,
    destination_of,
    list_of,
    uint_item,
    uint_of,
)
from console.adapters.chains.ethereum.strict_rlp import Item
from console.application.errors import UnknownTransaction

MAX_TRANSACTION_BYTES = 128 * 1024
"""What nodes take from the network, blobs apart."""
MAX_CHAIN_ID = (1 << 63) - 37
"""EIP-2294: twice the chain id and 36 must fit into 64 bits."""
GAS_PER_BLOB = 1 << 17
MAX_BLOBS = 16
_VERSIONED = 0x01


class TransactionKind(IntEnum):
    """The envelope's type byte; legacy transactions have none."""

    LEGACY = 0
    ACCESS_LIST = 1
    DYNAMIC_FEE = 2
    BLOB = 3
    SET_CODE = 4


@dataclass(frozen=True, slots=True)
class Transaction:
    """An unsigned transaction; all amounts in wei.

    `max_fee` and `max_tip` are per gas and equal before EIP-1559, where there is one price. `to` is
    None when a contract is created. `blob_fee` is per blob gas.
    """

    kind: TransactionKind
    chain_id: int
    nonce: int
    gas_limit: int
    max_fee: int
    max_tip: int
    to: bytes | None
    value: int
    data: bytes = b""
    access_list: tuple[AccessEntry, ...] = ()
    blob_fee: int = 0
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[SignedAuthorization, ...] = ()

    @property
    def fee_ceiling(self) -> int:
        """Return the most that the chain can charge, blobs included."""
        return self.gas_limit * self.max_fee + GAS_PER_BLOB * len(self.blob_hashes) * self.blob_fee

    def encode(self) -> bytes:
        """Return the bytes that are hashed and signed."""
        if self.kind is TransactionKind.LEGACY:
            return strict_rlp.encode([*self.items(), uint_item(self.chain_id), b"", b""])
        return bytes([self.kind]) + strict_rlp.encode(self.items())

    def signing_hash(self) -> bytes:
        """Return what is signed, 32 bytes."""
        return keccak(self.encode())

    def items(self) -> list[Item]:
        """Return the RLP items that come before a signature."""
        price = [uint_item(self.max_fee)]
        if self.kind >= TransactionKind.DYNAMIC_FEE:
            price.insert(0, uint_item(self.max_tip))
        body = [
            uint_item(self.nonce),
            *price,
            uint_item(self.gas_limit),
            self.to or b"",
            uint_item(self.value),
            self.data,
        ]
        if self.kind is TransactionKind.LEGACY:
            return body
        items = [uint_item(self.chain_id), *body, [entry.item() for entry in self.access_list]]
        if self.kind is TransactionKind.BLOB:
            items += [uint_item(self.blob_fee), list(self.blob_hashes)]
        elif self.kind is TransactionKind.SET_CODE:
            items.append([signed.item() for signed in self.authorizations])
        return items


ITEMS = {
    TransactionKind.LEGACY: 6,
    TransactionKind.ACCESS_LIST: 8,
    TransactionKind.DYNAMIC_FEE: 9,
    TransactionKind.BLOB: 11,
    TransactionKind.SET_CODE: 10,
}
"""How many items come before the signature."""


def parse_transaction(data: bytes) -> Transaction:
    """Read unsigned bytes. Raises: UnknownTransaction."""
    kind, items = split_envelope(data)
    if kind is TransactionKind.LEGACY:
        if len(items) == ITEMS[kind]:
            raise UnknownTransaction(
                "the transaction names no chain (EIP-155): it could be replayed on another one"
            )
        list_of(items, "transaction", ITEMS[kind] + 3)
        if items[7:] != [b"", b""]:
            raise UnknownTransaction("the transaction carries a signature already")
        chain_id = uint_of(items[6], "chain id", 64)
    else:
        list_of(items, "transaction", ITEMS[kind])
        chain_id = uint_of(items[0], "chain id", 64)
    transaction = from_items(kind, chain_id, items[: ITEMS[kind]])
    if transaction.encode() != data:
        raise UnknownTransaction("the transaction is not in its canonical form")
    return transaction


def split_envelope(data: bytes) -> tuple[TransactionKind, list[Item]]:
    """Return type and items, signed or not. Raises: UnknownTransaction."""
    if not 0 < len(data) <= MAX_TRANSACTION_BYTES:
        raise UnknownTransaction("a transaction has from 1 byte to 128 KiB")
    if data[0] >= 0xC0:
        return TransactionKind.LEGACY, list_of(strict_rlp.decode(data), "transaction")
    if not TransactionKind.LEGACY < data[0] <= TransactionKind.SET_CODE:
        raise UnknownTransaction(f"type {data[0]} is no type of transaction that is understood")
    return TransactionKind(data[0]), list_of(strict_rlp.decode(data[1:]), "transaction")


def from_items(kind: TransactionKind, chain_id: int, items: list[Item]) -> Transaction:
    """Read the items before a signature; all bounds are checked. Raises: UnknownTransaction."""
    body = items if kind is TransactionKind.LEGACY else items[1:]
    tips = 1 if kind >= TransactionKind.DYNAMIC_FEE else 0
    extra = body[6 + tips :]
    max_fee = uint_of(body[1 + tips], "maximum fee" if tips else "gas price", 256)
    transaction = Transaction(
        kind=kind,
        chain_id=chain_id,
        nonce=uint_of(body[0], "nonce", 64),
        gas_limit=uint_of(body[2 + tips], "gas limit", 64),
        max_fee=max_fee,
        max_tip=uint_of(body[1], "tip", 256) if tips else max_fee,
        to=destination_of(body[3 + tips]),
        value=uint_of(body[4 + tips], "amount", 256),
        data=bytes_of(body[5 + tips], "data"),
        access_list=access_list_of(extra[0]) if extra else (),
        blob_fee=uint_of(extra[1], "blob fee", 256) if kind is TransactionKind.BLOB else 0,
        blob_hashes=_hashes(extra[2]) if kind is TransactionKind.BLOB else (),
        authorizations=_signed(extra[1]) if kind is TransactionKind.SET_CODE else (),
    )
    check(transaction)
    return transaction


def check(transaction: Transaction) -> None:
    """Raise for what every node refuses, whatever the signature. Raises: UnknownTransaction."""
    if not 0 < transaction.chain_id <= MAX_CHAIN_ID:
        raise UnknownTransaction("the chain id is 0 or too large")
    if transaction.nonce == (1 << 64) - 1:
        raise UnknownTransaction("the nonce is the last one, which no account can use")
    if transaction.max_tip > transaction.max_fee:
        raise UnknownTransaction("the tip is higher than the maximum fee")
    if transaction.fee_ceiling + transaction.value >= 1 << 256:
        raise UnknownTransaction("fee and amount are more than any account can hold")
    if transaction.kind is TransactionKind.BLOB:
        if not 0 < len(transaction.blob_hashes) <= MAX_BLOBS:
            raise UnknownTransaction(f"a blob transaction has from 1 to {MAX_BLOBS} blobs")
        if any(versioned[0] != _VERSIONED for versioned in transaction.blob_hashes):
            raise UnknownTransaction("a blob's hash is not of the version that is known")
    if transaction.kind is TransactionKind.SET_CODE and not transaction.authorizations:
        raise UnknownTransaction("a type 4 transaction without authorisations is not valid")
    if transaction.kind >= TransactionKind.BLOB and transaction.to is None:
        raise UnknownTransaction("this type of transaction cannot create a contract")


def _hashes(item: Item) -> tuple[bytes, ...]:
    hashes = list_of(item, "list of blobs")
    return tuple(bytes_of(part, "blob's hash", HASH_BYTES) for part in hashes)


def _signed(item: Item) -> tuple[SignedAuthorization, ...]:
    entries = list_of(item, "list of authorisations")
    return tuple(parse_signed_authorization(entry) for entry in entries)
