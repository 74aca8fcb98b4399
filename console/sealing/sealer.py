"""Sealer: what a vault does with its wrapping key, and the sizes of what it returns."""

import struct
from typing import Protocol

from console.protocols.kernel.secret import SecretBytes

NONCE_SIZE = 12
TAG_SIZE = 16
SEAL_OVERHEAD = NONCE_SIZE + TAG_SIZE


class Sealer(Protocol):
    """AES-256-GCM under a key that never leaves its vault; blocking, for one thread."""

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Return nonce, ciphertext and 16-byte tag. `associated` is never empty."""
        ...

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken."""
        ...


def length_prefixed(*parts: bytes) -> bytes:
    """Join parts so that no two different lists have the same encoding."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
