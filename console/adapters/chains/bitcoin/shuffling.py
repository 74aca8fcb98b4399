"""A pseudorandom order that a seed determines."""

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def shuffled(items: Iterable[T], seed: int, label: Callable[[T], bytes]) -> list[T]:
    """Return the items sorted by the hash of seed and label; labels must differ."""
    start = hashlib.sha256(str(seed).encode())

    def place(item: T) -> bytes:
        running = start.copy()
        running.update(label(item))
        return running.digest()

    return sorted(items, key=place)
