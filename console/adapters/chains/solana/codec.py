"""Solana messages: built for a transfer, and described from their bytes alone.

What is not understood becomes a red flag; nothing is skipped.
"""

import hashlib
import struct

from solders.hash import Hash, ParseHashError
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from console.application.errors import (
    ChainUnavailable,
    InvalidAddress,
    TransactionError,
    UnknownTransaction,
)
from console.application.ports.chain import SignedTransaction
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network

UNIT, DECIMALS = "SOL", 9
LAMPORTS_PER_SIGNATURE = 5_000
MAX_MESSAGE_BYTES = 1_232 - 65
"""A packet less one signature and its count."""
MAX_MEMO_BYTES = 180
_MAX_ADDRESS = 44
_TRANSFER = struct.Struct("<IQ")
_TRANSFER_TAG = 2

SYSTEM_PROGRAM = Pubkey.from_string("11111111111111111111111111111111")
MEMO_PROGRAM = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def address_of(public_key: bytes) -> str:
    """Return the base58 address of a 32-byte Ed25519 key. Raises: InvalidAddress."""
    return str(_account(public_key))


def parse_address(text: str) -> Pubkey:
    """Raises: InvalidAddress."""
    if not 32 <= len(text) <= _MAX_ADDRESS:
        raise InvalidAddress("a Solana address has 32 to 44 base58 characters")
    try:
        key = Pubkey.from_string(text)
    except ValueError:
        raise InvalidAddress("this is not a Solana address") from None
    if not key.is_on_curve():
        # Nobody holds a key for it: a program's account, to which plain coins would be lost.
        raise InvalidAddress("this address belongs to a program, not to a person's key")
    return key


def build_transfer(
    public_key: bytes, to_address: str, lamports: int, memo: str, blockhash: str
) -> bytes:
    """Build a legacy message with one transfer and, if given, a memo signed by the payer.

    Raises: InvalidAddress, TransactionError; ChainUnavailable if the blockhash is none.
    """
    payer, destination = _account(public_key), parse_address(to_address)
    if not 0 < lamports < 1 << 64:
        raise TransactionError("the amount must be above 0 and below 2^64 lamports")
    instructions = [
        transfer(TransferParams(from_pubkey=payer, to_pubkey=destination, lamports=lamports))
    ]
    if memo:
        data = memo.encode()
        if len(data) > MAX_MEMO_BYTES:
            raise TransactionError(f"a memo has at most {MAX_MEMO_BYTES} bytes")
        if not memo.isprintable():
            raise TransactionError("a memo is one line of characters that can be seen")
        signer = AccountMeta(payer, is_signer=True, is_writable=False)
        instructions.append(Instruction(MEMO_PROGRAM, data, [signer]))
    try:
        recent = Hash.from_string(blockhash)
    except ParseHashError:  # this one is no ValueError
        raise ChainUnavailable("the Solana node gives no valid blockhash") from None
    return bytes(Message.new_with_blockhash(instructions, payer, recent))


def describe_message(data: bytes, network: Network) -> TransactionDescription:
    """Decode a message. Raises: UnknownTransaction."""
    message = parse_message(data)
    keys, signers = message.account_keys, message.header.num_required_signatures
    flags: list[str] = []
    fields: list[tuple[str, str]] = []
    moved = 0
    sources: list[Pubkey] = []
    destinations: list[Pubkey] = []
    for number, instruction in enumerate(message.instructions, start=1):
        program = keys[instruction.program_id_index]
        accounts = [keys[index] for index in instruction.accounts]
        sent = _transfer(instruction, program, accounts)
        if sent is not None:
            moved += sent
            sources.append(accounts[0])
            destinations.append(accounts[1])
        elif program == MEMO_PROGRAM:
            fields.append(("Memo", _memo(instruction, flags)))
            if any(account != keys[0] for account in accounts):
                flags.append("The memo speaks for another account than the one that pays")
        else:
            flags.append(f"Instruction {number} calls {program}, which is not understood")
    if signers != 1:
        flags.append(f"{signers} signatures are asked for; this wallet gives one")
    if any(source != keys[0] for source in sources):
        flags.append("Coins leave another account than the one that pays the fee")
    if any(not destination.is_on_curve() for destination in destinations):
        flags.append("Coins go to a program's account, from which no key can move them")
    if destinations and not moved:
        flags.append("The transfer moves nothing")
    if len(destinations) != 1:
        flags.append(f"{len(destinations)} transfers instead of one")
    fields.append(("Recent blockhash", str(message.recent_blockhash)))
    fields.extend(
        (f"Transfer {n} to", str(destination))
        for n, destination in enumerate(destinations[1:], start=2)
    )
    return TransactionDescription(
        chain=Chain.SOLANA,
        network=network,
        action="Transfer" if destinations else "Other",
        from_address=str(keys[0]),
        to_address=str(destinations[0]) if destinations else "",
        amount=Amount(moved, UNIT, DECIMALS),
        fee=Amount(signers * LAMPORTS_PER_SIGNATURE, UNIT, DECIMALS),
        fields=tuple(fields),
        red_flags=tuple(flags),
        digest=hashlib.sha256(data).digest(),
    )


def attach_signature(data: bytes, signatures: tuple[bytes, ...]) -> SignedTransaction:
    """Join a message and its one 64-byte signature. Raises: TransactionError."""
    message = parse_message(data)
    asked = message.header.num_required_signatures
    if asked != 1 or len(signatures) != 1 or len(signatures[0]) != 64:
        raise TransactionError("a Solana transfer needs exactly one signature of 64 bytes")
    signature = Signature(signatures[0])
    return SignedTransaction(bytes(Transaction.populate(message, [signature])), str(signature))


def parse_message(data: bytes) -> Message:
    """Parse strictly: bounded, canonical, every index within its list.

    Raises: UnknownTransaction.
    """
    if not 0 < len(data) <= MAX_MESSAGE_BYTES or data[0] & 0x80:
        raise UnknownTransaction("the bytes are no legacy Solana message of one packet")
    try:
        message = Message.from_bytes(data)
    except ValueError:
        raise UnknownTransaction("the bytes are no Solana message") from None
    # The parser ignores what follows; a second reading of the same bytes must not exist.
    if bytes(message) != data:
        raise UnknownTransaction("the message is not in its canonical form")
    _check_indices(message)
    return message


def _check_indices(message: Message) -> None:
    """Refuse what a cluster refuses before it looks at the signatures."""
    header, keys = message.header, len(message.account_keys)
    indices = [
        index
        for instruction in message.instructions
        for index in (instruction.program_id_index, *instruction.accounts)
    ]
    if not 1 <= header.num_required_signatures <= keys or any(i >= keys for i in indices):
        raise UnknownTransaction("the message points to accounts it does not list")
    if len(set(message.account_keys)) != keys:
        raise UnknownTransaction("the message lists an account twice")
    signers, readonly = header.num_required_signatures, header.num_readonly_unsigned_accounts
    if header.num_readonly_signed_accounts >= signers or signers + readonly > keys:
        raise UnknownTransaction("the message's header contradicts its list of accounts")


def _account(public_key: bytes) -> Pubkey:
    try:
        return Pubkey(public_key)
    except ValueError:
        raise InvalidAddress("a Solana account's key has 32 bytes") from None


def _transfer(
    instruction: CompiledInstruction, program: Pubkey, accounts: list[Pubkey]
) -> int | None:
    data = bytes(instruction.data)
    if program != SYSTEM_PROGRAM or len(data) != _TRANSFER.size or len(accounts) != 2:
        return None
    tag, lamports = _TRANSFER.unpack(data)
    return int(lamports) if tag == _TRANSFER_TAG else None


def _memo(instruction: CompiledInstruction, flags: list[str]) -> str:
    try:
        text = bytes(instruction.data).decode()
    except UnicodeDecodeError:
        flags.append("The memo is not text")
        return bytes(instruction.data).hex()
    if text.isprintable():
        return text
    # Controls and direction marks could make the screen say something else than the bytes.
    flags.append("The memo holds characters that cannot be seen")
    return ascii(text)[1:-1]
