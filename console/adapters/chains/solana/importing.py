"""What another program has drafted: a message, or a transaction whose signature is still blank."""

import base64
from collections.abc import Iterator
from contextlib import suppress

from console.adapters.chains.solana.message import (
    MAX_MESSAGE_BYTES,
    SIGNATURE_BYTES,
    parse_message,
)
from console.application.errors import UnknownTransaction

_BLANK = b"\1" + bytes(SIGNATURE_BYTES - 1)
_MOST_TEXT = 2 * (MAX_MESSAGE_BYTES + SIGNATURE_BYTES)


def read_draft(text: str) -> bytes:
    """Return the message in a text of hexadecimal or base 64. Raises: UnknownTransaction."""
    for data in _readings("".join(text.split()) if len(text) <= 2 * _MOST_TEXT else ""):
        message = data.removeprefix(_BLANK)
        try:
            parse_message(message)
        except UnknownTransaction:
            continue
        return message
    raise UnknownTransaction("the text is no Solana message, nor a transaction without signature")


def _readings(text: str) -> Iterator[bytes]:
    """Yield what a text may stand for: all hexadecimal digits are letters of base 64 too."""
    if len(text) > _MOST_TEXT:
        return
    with suppress(ValueError):
        yield bytes.fromhex(text.removeprefix("0x"))
    with suppress(ValueError):
        yield base64.b64decode(text, validate=True)
