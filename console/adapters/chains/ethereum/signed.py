"""Signed transactions: a signature joined to unsigned bytes, and read back from signed ones."""

from dataclasses import dataclass

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.fields import list_of, uint_item, uint_of
from console.adapters.chains.ethereum.signature import Signature, recover
from console.adapters.chains.ethereum.transaction import (
    ITEMS,
    Transaction,
    TransactionKind,
    from_items,
    parse_transaction,
    split_envelope,
)
from console.application.errors import TransactionError, UnknownTransaction


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """What is broadcast, its hash (32 bytes) and the account whose key signed it (20 bytes)."""

    content: bytes
    transaction_hash: bytes
    sender: bytes


def sign_transaction(data: bytes, signature: Signature) -> SignedBytes:
    """Return unsigned bytes joined to a signature over their hash.

    Raises: UnknownTransaction; TransactionError if no key made the signature.
    """
    transaction = parse_transaction(data)
    sender = recover(transaction.signing_hash(), signature)
    content = encode_signed(transaction, signature)
    return SignedBytes(content, keccak(content), sender)


def encode_signed(transaction: Transaction, signature: Signature) -> bytes:
    """Return what nodes take; a blob transaction without its blobs, as blocks hold it."""
    legacy = transaction.kind is TransactionKind.LEGACY
    last = signature.parity + 35 + 2 * transaction.chain_id if legacy else signature.parity
    tail = [uint_item(number) for number in (last, signature.r, signature.s)]
    body = strict_rlp.encode([*transaction.items(), *tail])
    return body if legacy else bytes([transaction.kind]) + body


def parse_signed(data: bytes) -> tuple[Transaction, Signature, SignedBytes]:
    """Return the transaction and the signature in signed bytes. Raises: UnknownTransaction."""
    kind, items = split_envelope(data)
    count = ITEMS[kind]
    list_of(items, "signed transaction", count + 3)
    last, r, s = (
        uint_of(item, f"signature's {name}", bits)
        for item, name, bits in zip(items[count:], ("v", "r", "s"), (64, 256, 256), strict=True)
    )
    if kind is TransactionKind.LEGACY:
        if last < 37:
            raise UnknownTransaction("the signature names no chain (EIP-155)")
        chain_id, parity = divmod(last - 35, 2)
    else:
        chain_id, parity = uint_of(items[0], "chain id", 64), last
    transaction = from_items(kind, chain_id, items[:count])
    try:
        signature = Signature(r, s, parity)
        sender = recover(transaction.signing_hash(), signature)
    except TransactionError as error:
        raise UnknownTransaction(str(error)) from None
    if encode_signed(transaction, signature) != data:
        raise UnknownTransaction("the transaction is not in its canonical form")
    return transaction, signature, SignedBytes(data, keccak(data), sender)
