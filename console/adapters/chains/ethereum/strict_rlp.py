"""RLP read strictly: one encoding for each value, a bounded depth, nothing left over.

An own reader, because a library that forgives a second encoding, recurses without bound or cuts a
short item off silently would let two screens show two transactions for the same bytes.
"""

from typing import TypeAlias

from console.application.errors import UnknownTransaction

Item: TypeAlias = bytes | list["Item"]

MAX_DEPTH = 5
"""A transaction's list, its access list, an entry, the entry's keys; one to spare."""


def encode(item: Item) -> bytes:
    """Return the canonical encoding of bytes or of a list of items."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(len(item), 0x80) + item
    body = b"".join(encode(part) for part in item)
    return _prefix(len(body), 0xC0) + body


def decode(data: bytes) -> Item:
    """Return the one item that fills the bytes. Raises: UnknownTransaction."""
    item, end = _read(data, 0, len(data), MAX_DEPTH)
    if end != len(data):
        raise UnknownTransaction("bytes follow after the end of the transaction")
    return item


def encode_uint(value: int) -> bytes:
    """Return a whole number without leading zeros; zero is the empty string."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _prefix(length: int, base: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = encode_uint(length)
    return bytes([base + 55 + len(size)]) + size


def _read(data: bytes, start: int, end: int, depth: int) -> tuple[Item, int]:
    if start >= end:
        raise UnknownTransaction("the transaction is cut off")
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    base = 0x80 if first < 0xC0 else 0xC0
    body, stop = _bounds(data, start, end, first - base)
    if base == 0x80:
        if stop - body == 1 and data[body] < 0x80:
            raise UnknownTransaction("a byte is not in its shortest encoding")
        return data[body:stop], stop
    if depth == 0:
        raise UnknownTransaction("the lists are nested too deeply for a transaction")
    items: list[Item] = []
    while body < stop:
        item, body = _read(data, body, stop, depth - 1)
        items.append(item)
    return items, stop


def _bounds(data: bytes, start: int, end: int, code: int) -> tuple[int, int]:
    """Return where the body begins and ends, within its parent."""
    body, length = start + 1, code
    if code > 55:
        size = data[body : min(body + code - 55, end)]
        body += code - 55
        length = int.from_bytes(size, "big")
        if body > end or size[0] == 0 or length < 56:
            raise UnknownTransaction("a length is not in its shortest encoding")
    if length > end - body:
        raise UnknownTransaction("an item is longer than what holds it")
    return body, body + length
