"""Bytes as programs export them: hexadecimal, with or without 0x, base 64, or raw.

Raw bytes are told by the first ones of a PSBT; they come as text of one character a byte.
"""

import base64
import binascii
import re

from console.application.errors import TransactionError

MAX_TEXT = 1 << 20
"""Characters: another program's draft may bring the transactions that it spends from."""
_HEX = re.compile(r"(0x)?([0-9A-Fa-f]{2})+")


_RAW = "psbt\xff"
"""No text in base 64 or hexadecimal has its last character (BIP 174, magic)."""


def bytes_from_text(text: str) -> bytes:
    """Read exported bytes; line breaks and spaces between them do not count.

    Raises: TransactionError.
    """
    if len(text) > MAX_TEXT:
        raise TransactionError("this is longer than any transaction that is signed here")
    if text.startswith(_RAW):
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            raise TransactionError("these raw bytes were changed on their way as text") from None
    packed = "".join(text.split())
    if _HEX.fullmatch(packed):
        return bytes.fromhex(packed.removeprefix("0x"))
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise TransactionError("this is neither hexadecimal nor base 64") from None
    if not data:
        raise TransactionError("there is nothing to import")
    return data
