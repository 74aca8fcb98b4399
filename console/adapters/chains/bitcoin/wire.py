"""Bitcoin's encoding: little-endian numbers, compact sizes, length-prefixed strings."""

import hashlib

from console.application.errors import UnknownTransaction


def sha256d(data: bytes) -> bytes:
    """Return SHA-256 of SHA-256, 32 bytes."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """Return RIPEMD-160 of SHA-256, 20 bytes."""
    return hashlib.new("ripemd160", hashlib.sha256(data).digest()).digest()


def compact_size(value: int) -> bytes:
    """Return a number below 2^64 in 1, 3, 5 or 9 bytes."""
    if value < 0xFD:
        return bytes([value])
    if value <= 0xFFFF:
        return b"\xfd" + value.to_bytes(2, "little")
    if value <= 0xFFFF_FFFF:
        return b"\xfe" + value.to_bytes(4, "little")
    return b"\xff" + value.to_bytes(8, "little")


def prefixed(data: bytes) -> bytes:
    """Return a string with its length before it."""
    return compact_size(len(data)) + data


def stacked(items: tuple[bytes, ...]) -> bytes:
    """Return a witness: the number of items, and each with its length (BIP 144)."""
    return compact_size(len(items)) + b"".join(map(prefixed, items))


class Reader:
    """Reads bytes in order. Missing bytes and non-canonical lengths raise UnknownTransaction."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    @property
    def left(self) -> int:
        """Number of bytes that are not yet read."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """Read exactly `count` bytes."""
        if count > self.left:
            raise UnknownTransaction(f"the {self._what} ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        """Read an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def compact(self) -> int:
        """Read a compact size, which must be in its shortest form."""
        first = self.number(1)
        if first < 0xFD:
            return first
        value = self.number(1 << first - 0xFC)
        if len(compact_size(value)) != 1 + (1 << first - 0xFC):
            raise UnknownTransaction(f"a length in the {self._what} is longer than it must be")
        return value

    def string(self) -> bytes:
        """Read a string with its length before it."""
        return self.take(self.compact())

    def stack(self) -> tuple[bytes, ...]:
        """Read what `stacked` wrote."""
        count = self.compact()
        # Each item has at least one byte, so a larger count is refused before the loop.
        if count > self.left:
            raise UnknownTransaction(f"the {self._what} ends too early")
        return tuple(self.string() for _ in range(count))

    def peek(self, count: int) -> bytes:
        """Return up to `count` bytes without reading them."""
        return self._data[self._at : self._at + count]

    def end(self) -> None:
        """Check that everything was read."""
        if self.left:
            raise UnknownTransaction(f"{self.left} bytes follow the {self._what}")
