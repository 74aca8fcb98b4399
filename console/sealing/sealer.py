"""Sealer: what a vault does with its wrapping key, and the sizes of what it returns."""

import struct
from typing import Protocol

from console.protocols.kernel.secret import SecretBytes

NONCE_SIZE = 12
TAG_SIZE = 16
SEAL_OVERHEAD = NONCE_SIZE + TAG_SIZE


OWN_GCM = 1
"""The method of every vault once: AES-256-GCM with a nonce of ours, of secrets of any size."""


class Sealer(Protocol):
    """Seals under a key that never leaves its vault; blocking, for one thread."""

    @property
    def method(self) -> int:
        """The number of the method by which `seal` seals. All but `OWN_GCM` seal 32 bytes only."""
        ...

    def by(self, method: int) -> "Sealer":
        """Return the sealer that opens what was sealed by `method`. Raises: SealBroken."""
        ...

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Seal, bound to `associated`, which is never empty. By `OWN_GCM`: nonce, text, tag."""
        ...

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken."""
        ...


def length_prefixed(*parts: bytes) -> bytes:
    """Join parts so that no two different lists have the same encoding."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
