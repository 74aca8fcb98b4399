"""Addresses of regtest: witness programs in bech32 and bech32m (BIP 173, BIP 350)."""

from collections.abc import Iterable

HUMAN_PART = "bcrt"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32, _BECH32M = 1, 0x2BC830A3
_CHECKSUM_LENGTH = 6
_EXPANDED = [ord(c) >> 5 for c in HUMAN_PART] + [0] + [ord(c) & 31 for c in HUMAN_PART]


def script_of(address: str) -> bytes | None:
    """Return the output script, or None if the text is no witness address of regtest."""
    text = address.lower()
    # Mixed case is refused by BIP 173, and more than 90 characters too.
    if len(address) > 90 or address not in {text, text.upper()}:
        return None
    head, _, tail = text.rpartition("1")
    if head != HUMAN_PART or len(tail) <= _CHECKSUM_LENGTH or any(c not in _ALPHABET for c in tail):
        return None
    groups = [_ALPHABET.index(c) for c in tail]
    version, data = groups[0], groups[1:-_CHECKSUM_LENGTH]
    program = _regrouped(data, 5, 8)
    if program is None or not _fits(version, program):
        return None
    if _polymod(_EXPANDED + groups) != _constant(version):
        return None
    return bytes([version + 0x50 if version else 0, len(program)]) + program


def address_of(script: bytes) -> str | None:
    """Return the address of an output script, or None if it is no witness program."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    version = script[0] - 0x50 if script[0] else 0
    groups = _regrouped(script[2:], 8, 5)
    if groups is None or not _fits(version, script[2:]):
        return None
    body = [version, *groups]
    check = _polymod(_EXPANDED + body + [0] * _CHECKSUM_LENGTH) ^ _constant(version)
    body += [check >> 5 * (5 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return f"{HUMAN_PART}1" + "".join(_ALPHABET[group] for group in body)


def _fits(version: int, program: bytes) -> bool:
    """Return whether a program may have this length (BIP 141, witness program)."""
    if version == 0:
        return len(program) in {20, 32}
    return 1 <= version <= 16 and 2 <= len(program) <= 40


def _constant(version: int) -> int:
    return _BECH32M if version else _BECH32


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check


def _regrouped(values: Iterable[int], from_bits: int, to_bits: int) -> bytes | None:
    """Return the bits regrouped; None if bits remain that are no padding."""
    held, bits, out = 0, 0, bytearray()
    for value in values:
        held, bits = held << from_bits | value, bits + from_bits
        while bits >= to_bits:
            bits -= to_bits
            out.append(held >> bits & (1 << to_bits) - 1)
        held &= (1 << bits) - 1
    if from_bits > to_bits:
        if bits:
            out.append(held << (to_bits - bits))
    elif bits >= from_bits or held:
        return None
    return bytes(out)
