"""Bech32 and Bech32m, the text forms of witness programs (BIP 173, BIP 350)."""

from console.application.errors import InvalidAddress

MAX_LENGTH = 90
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32, BECH32M = 1, 0x2BC830A3
"""The constants of the two checksums."""


def encode_program(prefix: str, version: int, program: bytes) -> str:
    """Return the address of a witness program of version 0 to 16."""
    constant = BECH32M if version else BECH32
    return encode(prefix, (version, *_regroup(program, 8, 5)), constant)


def decode_program(prefix: str, text: str) -> tuple[int, bytes]:
    """Return version and program of an address with this prefix. Raises: InvalidAddress."""
    found, values, constant = decode(text)
    if found != prefix:
        raise InvalidAddress(f"the address does not begin with {prefix}1")
    if not values or values[0] > 16:
        raise InvalidAddress("the address names no version of witness program")
    version = values[0]
    program = _program(values[1:])
    if constant != (BECH32M if version else BECH32):
        raise InvalidAddress("the address has the checksum of another version")
    if version == 0 and len(program) not in {20, 32}:
        raise InvalidAddress("a program of version 0 has 20 or 32 bytes")
    return version, program


def encode(prefix: str, values: tuple[int, ...], constant: int) -> str:
    """Return the text of values of 5 bits, with prefix and checksum."""
    remainder = _polymod((*_expanded(prefix), *values, *(0,) * 6)) ^ constant
    checksum = tuple(remainder >> 5 * (5 - place) & 31 for place in range(6))
    return f"{prefix}1" + "".join(ALPHABET[value] for value in values + checksum)


def decode(text: str) -> tuple[str, tuple[int, ...], int]:
    """Return the prefix, the values of 5 bits, and the constant of the checksum.

    Raises: InvalidAddress.
    """
    if len(text) > MAX_LENGTH or not all(33 <= ord(letter) <= 126 for letter in text):
        raise InvalidAddress("the address is too long or holds odd characters")
    if text not in {text.lower(), text.upper()}:
        raise InvalidAddress("the address mixes small and capital letters")
    prefix, separator, rest = text.lower().rpartition("1")
    if not prefix or not separator or len(rest) < 6:
        raise InvalidAddress("the address has no prefix or is too short")
    values = tuple(ALPHABET.find(letter) for letter in rest)
    if -1 in values:
        raise InvalidAddress("the address holds a character that none of its kind has")
    constant = _polymod((*_expanded(prefix), *values))
    if constant not in {BECH32, BECH32M}:
        raise InvalidAddress("the address is mistyped: its checksum does not fit")
    return prefix, values[:-6], constant


def _program(values: tuple[int, ...]) -> bytes:
    whole, padding = divmod(5 * len(values), 8)
    number = 0
    for value in values:
        number = number << 5 | value
    # With other padding, several texts would stand for one program.
    if padding > 4 or number & (1 << padding) - 1:
        raise InvalidAddress("the address is padded in a way that none is")
    if not 2 <= whole <= 40:
        raise InvalidAddress("a witness program has from 2 to 40 bytes")
    return (number >> padding).to_bytes(whole, "big")


def _regroup(data: bytes, size: int, into: int) -> tuple[int, ...]:
    count = -(-len(data) * size // into)
    number = int.from_bytes(data, "big") << count * into - len(data) * size
    return tuple(number >> into * place & (1 << into) - 1 for place in reversed(range(count)))


def _expanded(prefix: str) -> tuple[int, ...]:
    codes = [ord(letter) for letter in prefix]
    return (*(code >> 5 for code in codes), 0, *(code & 31 for code in codes))


def _polymod(values: tuple[int, ...]) -> int:
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            if top >> place & 1:
                remainder ^= factor
    return remainder
