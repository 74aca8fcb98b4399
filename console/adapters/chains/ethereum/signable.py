"""What a wallet may be asked to sign, told apart by its first byte.

1 to 4 and 0xc0 upwards are transactions, 5 is an authorisation (EIP-7702), 0x19 a personal message
(EIP-191), and a brace opens an EIP-712 document.
"""

from typing import TypeAlias

from console.adapters.chains.ethereum.authorization import (
    MAGIC,
    Authorization,
    SignedAuthorization,
    parse_authorization,
)
from console.adapters.chains.ethereum.messages import PersonalMessage, parse_message
from console.adapters.chains.ethereum.signature import Signature, recover
from console.adapters.chains.ethereum.signed import SignedBytes, sign_transaction
from console.adapters.chains.ethereum.strict_rlp import encode
from console.adapters.chains.ethereum.transaction import Transaction, parse_transaction
from console.adapters.chains.ethereum.typed_data import TypedData, parse_typed_data
from console.application.errors import UnknownTransaction

Signable: TypeAlias = Transaction | Authorization | PersonalMessage | TypedData


def parse(data: bytes, chain_id: int) -> Signable:
    """Return what is to be signed, if it is for this chain or names none.

    Raises: UnknownTransaction, and nothing else.
    """
    signable = _parse(data)
    named = _chain_of(signable)
    if named is not None and named != chain_id:
        raise UnknownTransaction(f"it is for chain {named}; this wallet's chain is {chain_id}")
    return signable


def named_chain(data: bytes) -> int | None:
    """Return the chain id that the bytes name; None if none. Raises: UnknownTransaction."""
    return _chain_of(_parse(data))


def attach(data: bytes, signature: Signature, chain_id: int) -> SignedBytes:
    """Join bytes and signature: a transaction to broadcast, an authorisation's entry, or 65 bytes.

    Messages get r, s and 27 or 28, and their hash for an id. Raises: UnknownTransaction,
    TransactionError.
    """
    signable = parse(data, chain_id)
    if isinstance(signable, Transaction):
        return sign_transaction(data, signature)
    digest = signable.signing_hash()
    sender = recover(digest, signature)
    if isinstance(signable, Authorization):
        content = encode(SignedAuthorization(signable, signature).item())
    else:
        content = signature.encode()[:64] + bytes([27 + signature.parity])
    return SignedBytes(content, digest, sender)


def _parse(data: bytes) -> Signable:
    match data[:1]:
        case b"{":
            return parse_typed_data(data)
        case b"\x19":
            return parse_message(data)
        case first if first == bytes([MAGIC]):
            return parse_authorization(data)
        case _:
            return parse_transaction(data)


def _chain_of(signable: Signable) -> int | None:
    """Return the chain that it is bound to, None if to none; `describe` warns of that."""
    match signable:
        case Transaction():
            return signable.chain_id
        case Authorization():
            return signable.chain_id or None
        case TypedData():
            named = signable.domain.get("chainId")
            return named if isinstance(named, int) else None
        case PersonalMessage():
            return None
