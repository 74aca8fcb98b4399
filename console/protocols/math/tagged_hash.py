"""The tagged hash of BIP 340: SHA-256 that starts from two copies of a hashed tag."""

import hashlib
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=64)
def _start(tag: str) -> Any:
    hashed = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(hashed + hashed)


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Return SHA-256(SHA-256(tag) || SHA-256(tag) || data), 32 bytes (BIP 340, Design)."""
    running = _start(tag).copy()
    running.update(data)
    digest: bytes = running.digest()
    return digest
