"""Expansion of a message to uniform bytes with SHA-256 (RFC 9380, section 5.3.1)."""

import hashlib
from functools import lru_cache

_BLOCK, _DIGEST = 64, 32
_PADDING = bytes(_BLOCK)


class BadExpansion(ValueError):
    """A domain separation tag is empty, or more output is asked for than the hash can give."""


def expand_message_xmd(message: bytes, dst: bytes, size: int) -> bytes:
    """Expand a message to `size` uniform bytes under a domain separation tag.

    Raises: BadExpansion.
    """
    suffix = _dst_prime(dst)
    blocks = -(-size // _DIGEST)
    if blocks > 255:  # so that its length fits into two bytes as well
        raise BadExpansion("the output is too long for the hash")
    head = _PADDING + message + size.to_bytes(2, "big") + b"\x00" + suffix
    first = hashlib.sha256(head).digest()
    block = hashlib.sha256(first + b"\x01" + suffix).digest()
    out = [block]
    for number in range(2, blocks + 1):
        mixed = int.from_bytes(first, "big") ^ int.from_bytes(block, "big")
        row = mixed.to_bytes(_DIGEST, "big") + bytes((number,)) + suffix
        block = hashlib.sha256(row).digest()
        out.append(block)
    return b"".join(out)[:size]


@lru_cache(maxsize=64)
def _dst_prime(dst: bytes) -> bytes:
    if not dst:
        raise BadExpansion("a domain separation tag must not be empty")
    if len(dst) > 255:
        dst = hashlib.sha256(b"H2C-OVERSIZE-DST-" + dst).digest()
    return dst + bytes((len(dst),))
