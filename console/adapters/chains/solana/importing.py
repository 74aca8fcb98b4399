"""Drafts of other programs: a message, or a transaction whose signature is still blank."""

import base64
from collections.abc import Iterator
from contextlib import suppress

from solders.pubkey import Pubkey

from console.adapters.chains.solana.message import (
    MAX_MESSAGE_BYTES,
    SIGNATURE_BYTES,
    parse_message,
)
from console.adapters.chains.solana.nonce import durable_nonce
from console.adapters.chains.solana.planning import BLOCKHASH_VALID_S, PlannedMessage
from console.application.errors import UnknownTransaction

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BLANK = b"\1" + bytes(SIGNATURE_BYTES - 1)
_MOST_TEXT = 2 * (MAX_MESSAGE_BYTES + SIGNATURE_BYTES)


def read_draft(text: str) -> bytes:
    """Return the message in hexadecimal, base 64 or base58 text. Raises: UnknownTransaction."""
    for data in _readings("".join(text.split()) if len(text) <= 2 * _MOST_TEXT else ""):
        message = data.removeprefix(_BLANK)
        try:
            parse_message(message)
        except UnknownTransaction:
            continue
        return message
    raise UnknownTransaction("the text is no Solana message, nor a transaction without signature")


def imported(message: bytes, wallet: Pubkey) -> PlannedMessage:
    """Return a message unchanged; its lifetime is known only with a durable nonce.

    Raises: UnknownTransaction if another account than the wallet's pays for it.
    """
    parsed = parse_message(message)
    if parsed.payer != wallet:
        raise UnknownTransaction("another account than this wallet's pays for the draft")
    lasts = durable_nonce(parsed) is not None
    return PlannedMessage(message, 0, None if lasts else BLOCKHASH_VALID_S)


def _readings(text: str) -> Iterator[bytes]:
    """Yield the bytes of a text in each encoding that it can be: one has the others' digits."""
    if len(text) > _MOST_TEXT:
        return
    with suppress(ValueError):
        yield bytes.fromhex(text.removeprefix("0x"))
    with suppress(ValueError):
        yield base64.b64decode(text, validate=True)
    with suppress(ValueError):
        yield _base58(text)


def _base58(text: str) -> bytes:
    """Return the bytes of base58 text, as the cluster's older methods write it."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    zeros = len(text) - len(text.lstrip(_BASE58[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
