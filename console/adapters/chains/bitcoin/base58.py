"""Base 58 with a checksum, the text form of addresses before SegWit."""

from console.adapters.chains.bitcoin.wire import sha256d
from console.application.errors import InvalidAddress

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_MAX_LENGTH = 64


def encode(payload: bytes) -> str:
    """Write the payload and 4 bytes of its hash."""
    data = payload + sha256d(payload)[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text


def decode(text: str) -> bytes:
    """Return the payload. Raises: InvalidAddress."""
    if not 0 < len(text) <= _MAX_LENGTH:
        raise InvalidAddress("the address is empty or too long")
    number = 0
    for letter in text:
        digit = _ALPHABET.find(letter)
        if digit < 0:
            raise InvalidAddress("the address holds a character that none of its kind has")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes(-(-number.bit_length() // 8), "big")
    if len(data) < 4 or sha256d(data[:-4])[:4] != data[-4:]:
        raise InvalidAddress("the address is mistyped: its checksum does not fit")
    return data[:-4]
