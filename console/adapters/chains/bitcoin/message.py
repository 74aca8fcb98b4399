"""Signed messages: proof that an address is the wallet's, by a transaction that is never valid.

BIP 322, simple signatures. The bytes to be signed are, in this order: "BIP322", a zero byte, the
address, a zero byte, the text. No address holds a zero byte, so the first one after it ends it.
"""

import base64
import hashlib
from dataclasses import dataclass

from console.adapters.chains.bitcoin.accounts import KeyPosition, signing_key, signing_path
from console.adapters.chains.bitcoin.address import canonical, script_of
from console.adapters.chains.bitcoin.ownership import place_of_script
from console.adapters.chains.bitcoin.script import OP_RETURN
from console.adapters.chains.bitcoin.second_reading import confirm_digests, confirm_reading
from console.adapters.chains.bitcoin.sighash import HashType, segwit_digest, taproot_digest
from console.adapters.chains.bitcoin.signing import witness_of
from console.adapters.chains.bitcoin.text import amount_of, visible
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.adapters.chains.bitcoin.wire import stacked
from console.application.errors import InvalidAddress, TransactionError, UnknownTransaction
from console.application.ports.chain import (
    MESSAGE_ID,
    Account,
    Payload,
    PublicKeys,
    SignedTransaction,
)
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network, SignatureKind
from console.protocols.math.tagged_hash import tagged_hash

MAGIC = b"BIP322\0"
SIMPLE = b"smp"
"""Prefix of a simple signature (BIP 322 since April 2026)."""
MAX_MESSAGE_BYTES = 16 * 1024
MAX_SHOWN = 4096
OWN_PLACES = 20
"""Number of receiving addresses of each account that can sign."""
_MAX_ADDRESS = 90
_NO_OUTPUT = OutPoint(bytes(32), 0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Message:
    """A text and the canonical address that endorses it."""

    address: str
    text: str

    def encode(self) -> bytes:
        """Write the bytes that are approved and signed."""
        return MAGIC + self.address.encode() + b"\0" + self.text.encode()


def build_message(address: str, text: str, network: Network) -> bytes:
    """Return the bytes to be signed. Raises: InvalidAddress, TransactionError."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise TransactionError("the message is no proper text") from None
    if not 0 < len(encoded) <= MAX_MESSAGE_BYTES:
        raise TransactionError(f"a message has from 1 to {MAX_MESSAGE_BYTES} bytes")
    return Message(canonical(address, network), text).encode()


def parse_message(data: bytes, network: Network) -> Message:
    """Read what `build_message` wrote. Raises: UnknownTransaction."""
    if not data.startswith(MAGIC) or len(data) > len(MAGIC) + _MAX_ADDRESS + 1 + MAX_MESSAGE_BYTES:
        raise UnknownTransaction("the bytes are no message, or a too long one")
    address, separator, text = data[len(MAGIC) :].partition(b"\0")
    try:
        message = Message(address.decode("ascii"), text.decode())
        same = canonical(message.address, network) == message.address
    except (UnicodeDecodeError, InvalidAddress):
        raise UnknownTransaction("the message names no address, or is no text") from None
    if not separator or not 0 < len(text) <= MAX_MESSAGE_BYTES or not same:
        raise UnknownTransaction("the message is empty or not in its canonical form")
    return message


def message_hash(text: str) -> bytes:
    """Return the tagged hash of a text, 32 bytes."""
    return tagged_hash("BIP0322-signed-message", text.encode())


def to_spend(text: str, script: bytes) -> Transaction:
    """Return the virtual transaction that pays nothing to the address's script."""
    challenge = TxIn(_NO_OUTPUT, b"\x00\x20" + message_hash(text), 0)
    return Transaction(0, (challenge,), (TxOut(0, script),))


def to_sign(text: str, script: bytes) -> Transaction:
    """Return the virtual transaction that spends it, unsigned."""
    spender = TxIn(OutPoint(to_spend(text, script).hash, 0), sequence=0)
    return Transaction(0, (spender,), (TxOut(0, bytes([OP_RETURN])),))


def message_payloads(data: bytes, keys: PublicKeys, network: Network) -> tuple[Payload, ...]:
    """Return the digest to be signed.

    Raises: UnknownTransaction, also if the address is not the wallet's.
    """
    message = parse_message(data, network)
    account, place = _signer(message, keys, network)
    digest = _digest(message, account, network)
    return (Payload(digest, account.kind, signing_path(account, place)),)


def attach_to_message(
    data: bytes, signatures: tuple[bytes, ...], keys: PublicKeys, network: Network
) -> SignedTransaction:
    """Return the simple signature as text: its prefix and base 64.

    Raises: TransactionError, UnknownTransaction.
    """
    message = parse_message(data, network)
    account, place = _signer(message, keys, network)
    if len(signatures) != 1:
        raise TransactionError("a message has exactly one signature")
    digest = _digest(message, account, network)
    key = signing_key(account, keys, place)
    taproot = account.kind is SignatureKind.SCHNORR_BIP340
    hash_type = HashType.DEFAULT if taproot else HashType.ALL
    witness = witness_of(account, signatures[0], digest, key, hash_type)
    virtual = to_sign(message.text, script_of(message.address, network))
    signature = SIMPLE + base64.b64encode(stacked(witness))
    return SignedTransaction(signature, MESSAGE_ID + virtual.txid)


def is_signature(data: bytes) -> bool:
    """Return whether the bytes are the text of a simple signature."""
    try:
        base64.b64decode(data.removeprefix(SIMPLE), validate=True)
    except ValueError:
        return False
    return data.startswith(SIMPLE)


def describe_message(
    data: bytes, keys: PublicKeys, chain: Chain, network: Network
) -> TransactionDescription:
    """Return the description of a message.

    Raises: UnknownTransaction; odd parts become red flags.
    """
    message = parse_message(data, network)
    script = script_of(message.address, network)
    shown = "".join("\n" if part == "\n" else visible(part) for part in message.text)
    flags: tuple[str, ...] = ()
    fields = [("Length", f"{len(message.text.encode())} bytes")]
    if place_of_script(script, keys, OWN_PLACES) is None:
        flags += ("The address is not of this wallet",)
    if shown != message.text.replace("\\", r"\\"):
        flags += ("The message holds characters that cannot be seen",)
    if len(shown) > MAX_SHOWN:
        flags += (f"Only the first {MAX_SHOWN} characters are shown",)
    fields.append(("Message", shown[:MAX_SHOWN]))
    return TransactionDescription(
        chain=chain,
        network=network,
        action="Sign message",
        from_address=message.address,
        to_address="",
        amount=amount_of(0),
        fee=amount_of(0),
        fields=tuple(fields),
        red_flags=flags,
        digest=hashlib.sha256(data).digest(),
    )


def _signer(message: Message, keys: PublicKeys, network: Network) -> tuple[Account, KeyPosition]:
    found = place_of_script(script_of(message.address, network), keys, OWN_PLACES)
    if found is None:
        raise UnknownTransaction("the message is for an address that is not this wallet's")
    return found


def _digest(message: Message, account: Account, network: Network) -> bytes:
    script = script_of(message.address, network)
    transaction = to_sign(message.text, script)
    confirm_reading(transaction.encode_stripped(), transaction)
    spent = TxOut(0, script)
    if account.kind is SignatureKind.SCHNORR_BIP340:
        return taproot_digest(transaction, 0, (spent,))
    digest = segwit_digest(transaction, 0, spent)
    confirm_digests(transaction, (spent,), (digest,))
    return digest
