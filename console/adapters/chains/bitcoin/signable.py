"""The two kinds of bytes that are signed, PSBTs and messages, distinguished by their prefix.

A PSBT begins with "psbt" and 0xff, a message with "BIP322" and a zero byte.
"""

import base64

from console.adapters.chains.bitcoin import message, psbt
from console.adapters.chains.bitcoin.describe import describe_psbt
from console.adapters.chains.bitcoin.horizon import UNKNOWN, Horizon
from console.adapters.chains.bitcoin.message import (
    attach_to_message,
    describe_message,
    message_payloads,
    parse_message,
)
from console.adapters.chains.bitcoin.ownership import Own, own_output
from console.adapters.chains.bitcoin.replacing import coins_of, may_replace_psbt
from console.adapters.chains.bitcoin.signing import attach_to_psbt, psbt_payloads
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import Transaction
from console.application.ports.chain import Payload, PublicKeys, SignedTransaction
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network


def describe(
    data: bytes, keys: PublicKeys, chain: Chain, network: Network, horizon: Horizon = UNKNOWN
) -> TransactionDescription:
    """Return the description of the bytes; `keys` only identify the wallet's own scripts.

    A lock beyond the `horizon` is a red flag.
    Raises: UnknownTransaction, and nothing else; odd parts become red flags.
    """
    if _is_message(data):
        return describe_message(data, keys, chain, network)
    return describe_psbt(data, keys, chain, network, horizon)


def payloads(data: bytes, keys: PublicKeys, network: Network) -> tuple[Payload, ...]:
    """Return the digests to be signed, in order. Raises: UnknownTransaction."""
    if _is_message(data):
        return message_payloads(data, keys, network)
    return psbt_payloads(data, keys)


def attach(
    data: bytes, signatures: tuple[bytes, ...], keys: PublicKeys, network: Network
) -> SignedTransaction:
    """Join bytes and signatures, one for each payload. Raises: TransactionError."""
    if _is_message(data):
        return attach_to_message(data, signatures, keys, network)
    return attach_to_psbt(data, signatures, keys)


def consumes(data: bytes, network: Network) -> frozenset[str]:
    """Return the names of the spent coins, "utxo:<txid>:<n>". Raises: UnknownTransaction."""
    if _is_message(data):
        parse_message(data, network)
        return frozenset()
    return coins_of(parse_spending(data))


def can_be_replaced(data: bytes) -> bool:
    """Return whether it is a transaction: nodes replace any one for a higher fee (Core 28).

    Raises: UnknownTransaction.
    """
    return not _is_message(data) and bool(parse_spending(data).spent)


def may_replace(old: bytes, new: bytes) -> str:
    """Return "" if `new` may replace `old`, else why not. Raises: UnknownTransaction."""
    if _is_message(old) or _is_message(new):
        return "a message takes no transaction's place"
    return may_replace_psbt(old, new)


def transaction_of(data: bytes) -> Transaction | None:
    """Return the transaction without its witnesses; None for a message.

    Raises: UnknownTransaction.
    """
    return None if _is_message(data) else parse_spending(data).psbt.transaction


def own_places(data: bytes, keys: PublicKeys) -> tuple[Own, ...]:
    """Return the wallet's places that a transaction pays to. Raises: UnknownTransaction."""
    if _is_message(data):
        return ()
    psbt = parse_spending(data).psbt
    pairs = zip(psbt.outputs, psbt.transaction.outputs, strict=True)
    found = (own_output(fields, output.script, keys) for fields, output in pairs)
    return tuple(own for own in found if own)


def exported(data: bytes) -> str:
    """Return a PSBT in base 64, a message's signature as text, other bytes in hexadecimal."""
    if data.startswith(psbt.MAGIC):
        return base64.b64encode(data).decode()
    return data.decode() if message.is_signature(data) else data.hex()


def _is_message(data: bytes) -> bool:
    return data.startswith(message.MAGIC)
