"""Envelopes: a fresh key seals the share in software, and the vault seals that key alone.

So a token is called with 32 bytes, however large the share is: several tokens take no more than a
few KB at once. An envelope is `length(2) | sealed key | nonce(12) | ciphertext | tag(16)`.
"""

import hashlib
import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.application.errors import SealBroken
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealer import NONCE_SIZE, SEAL_OVERHEAD, Sealer, length_prefixed

KEY_SIZE = 32
MAX_SEALED_KEY = 1024
MAX_OVERHEAD = 2 + MAX_SEALED_KEY + SEAL_OVERHEAD

_KEY_DOMAIN = b"quorate/share-key"


def seal_envelope(sealer: Sealer, associated: bytes, secret: SecretBytes) -> bytes:
    """Seal under a fresh key that `sealer` seals. Raises: SealBroken, HsmError."""
    key = SecretBytes(secrets.token_bytes(KEY_SIZE))
    try:
        sealed_key = sealer.seal(_key_associated(associated), key)
        if len(sealed_key) > MAX_SEALED_KEY:
            raise SealBroken("the vault seals a key to an impossible length")
        nonce = secrets.token_bytes(NONCE_SIZE)
        # The library takes `bytes` only; these copies live as long as the call.
        cipher = AESGCM(bytes(key.reveal()))
        body = cipher.encrypt(nonce, bytes(secret.reveal()), associated)
    finally:
        key.wipe()
    return struct.pack(">H", len(sealed_key)) + sealed_key + nonce + body


def open_envelope(sealer: Sealer, associated: bytes, envelope: bytes) -> SecretBytes:
    """Open what `seal_envelope` returned. Raises: SealBroken, HsmError."""
    size = int.from_bytes(envelope[:2], "big")
    sealed_key, rest = envelope[2 : 2 + size], envelope[2 + size :]
    if size > MAX_SEALED_KEY or len(rest) <= SEAL_OVERHEAD:
        raise SealBroken("a sealed record is cut off")
    with sealer.open(_key_associated(associated), sealed_key) as key:
        if len(key) != KEY_SIZE:
            raise SealBroken("a sealed record holds a key of another size")
        try:
            opened = AESGCM(bytes(key)).decrypt(rest[:NONCE_SIZE], rest[NONCE_SIZE:], associated)
        except InvalidTag:
            raise SealBroken(
                "a sealed record does not open: altered, or sealed for something else"
            ) from None
    return SecretBytes(opened)


def _key_associated(associated: bytes) -> bytes:
    """Bind the key to the same share, in few bytes."""
    return length_prefixed(_KEY_DOMAIN, hashlib.sha256(associated).digest())
