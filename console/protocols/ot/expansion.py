"""Many short expansions under one framed prefix, which is absorbed once and then copied."""

import hashlib
from collections.abc import Iterable
from typing import Any

from console.protocols.kernel.transcript import Field, Tag, enc


def prefix(tag: Tag, *values: Field) -> Any:
    """Absorb a framed input into SHAKE256; what follows it must have one fixed length per tag."""
    return hashlib.shake_256(enc(tag, *values))


def expand(start: Any, inputs: Iterable[bytes], size: int) -> list[bytes]:
    """Expand each input, appended to the prefix, to `size` bytes."""
    copy = start.copy
    out: list[bytes] = []
    for item in inputs:
        running = copy()
        running.update(item)
        out.append(running.digest(size))
    return out


def number(value: int) -> bytes:
    """Encode an index for use behind a prefix: 2 bytes."""
    return value.to_bytes(2, "big")
