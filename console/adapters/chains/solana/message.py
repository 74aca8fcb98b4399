"""Messages of both versions, parsed strictly, and joined with their signatures.

The layout is that of Solana's documentation, "Transactions", sections on messages and on
address lookup tables. A cluster accepts no transaction of more than one packet of 1,232 bytes.
"""

from dataclasses import dataclass
from typing import TypeAlias

from solders.hash import Hash
from solders.instruction import CompiledInstruction
from solders.message import (
    Message,
    MessageAddressTableLookup,
    MessageV0,
    to_bytes_versioned,
)
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import SignedTransaction

SIGNATURE_BYTES = 65
"""One signature after its count."""
MAX_MESSAGE_BYTES = 1_232 - SIGNATURE_BYTES
"""A packet less one signature."""
_VERSIONED = 0x80
_MAX_ACCOUNTS = 256

AnyMessage: TypeAlias = Message | MessageV0


@dataclass(frozen=True, slots=True)
class Call:
    """One instruction. `accounts` lacks those of lookup tables: then it is not `complete`."""

    number: int
    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table, and the indices of its entries, one byte each."""

    key: Pubkey
    writable: bytes
    readonly: bytes


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A parsed message. `signers` includes the payer; accounts of `tables` are not in the bytes."""

    payer: Pubkey
    signers: tuple[Pubkey, ...]
    writable: frozenset[Pubkey]
    lifetime: Hash
    calls: tuple[Call, ...]
    tables: tuple[Table, ...]
    library: AnyMessage


def parse_message(data: bytes) -> ParsedMessage:
    """Return the message: bounded, canonical, every index within its list.

    Raises: UnknownTransaction.
    """
    if not 0 < len(data) <= MAX_MESSAGE_BYTES or data[0] > _VERSIONED:
        raise UnknownTransaction("the bytes are no Solana message of one packet, legacy or v0")
    message: AnyMessage
    try:
        legacy = data[0] < _VERSIONED
        message = Message.from_bytes(data) if legacy else MessageV0.from_bytes(data[1:])
    except ValueError:
        raise UnknownTransaction("the bytes are no Solana message") from None
    # The library ignores trailing bytes and other non-canonical forms.
    if to_bytes_versioned(message) != data:
        raise UnknownTransaction("the message is not in its canonical form")
    _check(message)
    return _parsed(message)


def join(message: ParsedMessage, signatures: tuple[bytes, ...]) -> bytes:
    """Return the transaction: a message with a signature of 64 bytes for each signer."""
    made = [Signature(signature) for signature in signatures]
    return bytes(VersionedTransaction.populate(message.library, made))


def attach_signature(data: bytes, signatures: tuple[bytes, ...]) -> SignedTransaction:
    """Return the signed transaction of a message and its payer's 64-byte signature.

    Raises: TransactionError.
    """
    message = parse_message(data)
    if len(message.signers) != 1 or len(signatures) != 1 or len(signatures[0]) != 64:
        raise TransactionError("a Solana transfer needs exactly one signature of 64 bytes")
    signature = Signature(signatures[0])
    if not signature.verify(message.payer, data):
        raise TransactionError("the signature is not of the account that pays")
    return SignedTransaction(join(message, signatures), str(signature))


def _parsed(message: AnyMessage) -> ParsedMessage:
    keys, header = message.account_keys, message.header
    signers, unsigned = header.num_required_signatures, header.num_readonly_unsigned_accounts
    writable_signers = signers - header.num_readonly_signed_accounts
    writable = (*keys[:writable_signers], *keys[signers : len(keys) - unsigned])
    return ParsedMessage(
        payer=keys[0],
        signers=tuple(keys[:signers]),
        writable=frozenset(writable),
        lifetime=message.recent_blockhash,
        calls=tuple(
            _call(number, instruction, keys)
            for number, instruction in enumerate(message.instructions, start=1)
        ),
        tables=tuple(
            Table(entry.account_key, bytes(entry.writable_indexes), bytes(entry.readonly_indexes))
            for entry in _lookups(message)
        ),
        library=message,
    )


def _call(number: int, instruction: CompiledInstruction, keys: list[Pubkey]) -> Call:
    indices = bytes(instruction.accounts)
    known = tuple(keys[index] for index in indices if index < len(keys))
    program = keys[instruction.program_id_index]
    return Call(number, program, known, bytes(instruction.data), len(known) == len(indices))


def _check(message: AnyMessage) -> None:
    """Check what a cluster checks before the signatures. Raises: UnknownTransaction."""
    header, keys = message.header, len(message.account_keys)
    loaded = [
        len(lookup.writable_indexes) + len(lookup.readonly_indexes) for lookup in _lookups(message)
    ]
    if not all(loaded) or keys + sum(loaded) > _MAX_ACCOUNTS:
        raise UnknownTransaction("the message's lookups of accounts are empty or too many")
    signers, readonly = header.num_required_signatures, header.num_readonly_unsigned_accounts
    if not 1 <= signers <= keys:
        raise UnknownTransaction("the message points to signers it does not list")
    for instruction in message.instructions:
        # A program is always listed, and is never the payer.
        program = 0 < instruction.program_id_index < keys
        if not program or any(i >= keys + sum(loaded) for i in bytes(instruction.accounts)):
            raise UnknownTransaction("the message points to accounts it does not list")
    if len(set(message.account_keys)) != keys:
        raise UnknownTransaction("the message lists an account twice")
    if header.num_readonly_signed_accounts >= signers or signers + readonly > keys:
        raise UnknownTransaction("the message's header contradicts its list of accounts")


def _lookups(message: AnyMessage) -> list[MessageAddressTableLookup]:
    return [] if isinstance(message, Message) else message.address_table_lookups
