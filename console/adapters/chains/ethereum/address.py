"""Addresses: from a public key, to EIP-55 text and back."""

from coincurve import PublicKey
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from console.application.errors import InvalidAddress

ADDRESS_BYTES = 20
ZERO = bytes(ADDRESS_BYTES)
SHORT_NAMES = {"eth": 1, "sep": 11_155_111, "holesky": 17_000, "hoe": 560_048}
"""The short names of Ethereum's networks in ethereum-lists/chains, with their EIP-155 ids."""
_HEX = frozenset("0123456789abcdefABCDEF")


def address_of(public_key: bytes) -> bytes:
    """Return the 20 bytes that a 33-byte compressed secp256k1 key owns. Raises: InvalidAddress."""
    if len(public_key) != 33:
        raise InvalidAddress("an Ethereum account's key has 33 bytes")
    try:
        point = PublicKey(public_key)
    except ValueError:
        raise InvalidAddress("these bytes are no point of secp256k1") from None
    return address_of_point(point)


def address_of_point(point: PublicKey) -> bytes:
    """Return the address of a parsed key."""
    return keccak(point.format(compressed=False)[1:])[-ADDRESS_BYTES:]


def checksummed(address: bytes) -> ChecksumAddress:
    """Return 20 bytes as EIP-55 text."""
    if len(address) != ADDRESS_BYTES:
        raise InvalidAddress("an Ethereum address has 20 bytes")
    return to_checksum_address(address)


def parse_address(text: str, chain_id: int | None = None) -> bytes:
    """Return the address of an account, never the zero address; else as `parse_any_address`."""
    address = parse_any_address(text, chain_id)
    if address == ZERO:
        raise InvalidAddress("this is the zero address: what is sent there is lost")
    return address


def split_short_name(text: str) -> tuple[int | None, str]:
    """Return the chain id that the name before an address stands for, and the rest (ERC-3770).

    Raises: InvalidAddress for a name of no chain of `SHORT_NAMES`.
    """
    name, colon, rest = text.partition(":")
    if not colon:
        return None, text
    if name not in SHORT_NAMES:
        raise InvalidAddress("the name before the colon is of a chain that is not served here")
    return SHORT_NAMES[name], rest


def parse_any_address(text: str, chain_id: int | None = None) -> bytes:
    """Return the address; text of mixed case must have the EIP-55 checksum.

    Before it may stand the short name of the chain `chain_id` (ERC-3770: `eth:0x…`).
    Raises: InvalidAddress, which says what is wrong.
    """
    named, text = split_short_name(text)
    if named is not None and named != chain_id:
        raise InvalidAddress("the name before the colon is of another chain than this wallet's")
    if "." in text:
        raise InvalidAddress("names are not looked up: give the address itself, 0x and 40 digits")
    if not text.startswith("0x"):
        raise InvalidAddress("an Ethereum address begins with 0x")
    digits = text[2:]
    if len(digits) != 2 * ADDRESS_BYTES:
        raise InvalidAddress(
            f"an Ethereum address has 40 digits after 0x; this one has {len(digits)}"
        )
    if not _HEX.issuperset(digits):
        raise InvalidAddress("after 0x only the digits 0 to 9 and a to f belong in an address")
    address = bytes.fromhex(digits)
    mixed = digits not in {digits.lower(), digits.upper()}
    if mixed and checksummed(address) != text:
        raise InvalidAddress(
            "the checksum is wrong: the capital letters do not fit, so a character was mistyped"
        )
    return address
