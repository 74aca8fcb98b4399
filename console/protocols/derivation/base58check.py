"""Base 58 with a checksum: the text of extended keys, and of addresses before SegWit."""

import hashlib

MAX_LENGTH = 111
"""Of an extended key, the longest text that is read so; reading takes time with its square."""
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKSUM_BYTES = 4


class BadBase58(ValueError):
    """A text is not in base 58, or its checksum does not fit."""


def encode(payload: bytes) -> str:
    """Return the text of a payload and 4 bytes of its hash."""
    data = payload + _checksum(payload)
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text


def decode(text: str) -> bytes:
    """Return the payload. Raises: BadBase58."""
    if not 0 < len(text) <= MAX_LENGTH:
        raise BadBase58("its length is wrong")
    number = 0
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise BadBase58("it holds a character that is not of base 58")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes(-(-number.bit_length() // 8), "big")
    payload, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if _checksum(payload) != checksum:
        raise BadBase58("its checksum does not fit")
    return payload


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM_BYTES]
