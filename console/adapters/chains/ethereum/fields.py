"""The parts that RLP items are read into: numbers, addresses, hashes, access lists."""

from dataclasses import dataclass

from console.adapters.chains.ethereum.address import ADDRESS_BYTES
from console.adapters.chains.ethereum.strict_rlp import Item, encode_uint
from console.application.errors import UnknownTransaction

HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """A contract whose storage is announced: 20 bytes, and keys of 32 bytes each (EIP-2930)."""

    address: bytes
    keys: tuple[bytes, ...]

    def item(self) -> Item:
        """Return the RLP item."""
        return [self.address, list(self.keys)]


def uint_of(item: Item, name: str, bits: int) -> int:
    """Return a whole number below 2^bits without leading zeros. Raises: UnknownTransaction."""
    if not isinstance(item, bytes):
        raise UnknownTransaction(f"the {name} is a list instead of a number")
    if len(item) * 8 > bits:
        raise UnknownTransaction(f"the {name} is larger than any chain accepts")
    if item[:1] == b"\0":
        raise UnknownTransaction(f"the {name} begins with zeros")
    return int.from_bytes(item, "big")


def bytes_of(item: Item, name: str, length: int | None = None) -> bytes:
    """Return a byte string, of `length` if given. Raises: UnknownTransaction."""
    if not isinstance(item, bytes):
        raise UnknownTransaction(f"the {name} is a list instead of bytes")
    if length is not None and len(item) != length:
        raise UnknownTransaction(f"the {name} has {len(item)} bytes instead of {length}")
    return item


def list_of(item: Item, name: str, length: int | None = None) -> list[Item]:
    """Return a list, of `length` if given. Raises: UnknownTransaction."""
    if isinstance(item, bytes):
        raise UnknownTransaction(f"the {name} is no list")
    if length is not None and len(item) != length:
        raise UnknownTransaction(f"the {name} has {len(item)} items instead of {length}")
    return item


def destination_of(item: Item) -> bytes | None:
    """Return the destination; None creates a contract. Raises: UnknownTransaction."""
    return None if item == b"" else bytes_of(item, "destination", ADDRESS_BYTES)


def access_list_of(item: Item) -> tuple[AccessEntry, ...]:
    """Return an access list. Raises: UnknownTransaction."""
    entries = []
    for part in list_of(item, "access list"):
        address, keys = list_of(part, "access list's entry", 2)
        entries.append(
            AccessEntry(
                bytes_of(address, "access list's address", ADDRESS_BYTES),
                tuple(
                    bytes_of(key, "access list's storage key", HASH_BYTES)
                    for key in list_of(keys, "access list's keys")
                ),
            )
        )
    return tuple(entries)


def uint_item(value: int) -> Item:
    """Return the RLP item of a whole number."""
    return encode_uint(value)
