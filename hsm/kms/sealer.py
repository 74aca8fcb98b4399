"""KmsSealer: the lock file's key seals a key, KMS wraps that, and the same key seals it again.

The first seal hides the key from KMS and from whoever stands on the way to it. The second one hides
what KMS wrapped from whoever has the disk, and could else have it opened before any guess.
"""

import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.application.errors import HsmError, SealBroken
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealer import NONCE_SIZE, SEAL_OVERHEAD
from hsm.kms.calls import KmsCalls
from hsm.kms.context import context_of
from hsm.kms.keys import KMS_METHOD, KmsKeys
from hsm.kms.lock_file import KEY_SIZE
from hsm.kms.session import KmsSession

_INNER = b"quorate/kms-inner-seal"
_BROKEN = "a sealed record does not open: altered, or sealed for something else"


class KmsSealer:
    """Implements `Sealer`; runs inside `KmsSession.call`."""

    def __init__(self, session: KmsSession) -> None:
        self._session = session

    @property
    def method(self) -> int:
        """The one method of KMS vaults."""
        return KMS_METHOD

    def by(self, method: int) -> Self:
        """Return this sealer. Raises: SealBroken for another method."""
        if method != KMS_METHOD:
            raise SealBroken("a record was sealed by another kind of vault than this one")
        return self

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Seal 32 bytes, bound to `associated`. Raises: VaultLocked, KmsFault, HsmError."""
        keys = self._session.keys()
        return seal_key(self._session.calls(), keys, associated, secret)

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken, VaultLocked, KmsFault, HsmError."""
        keys = self._session.keys()
        return open_key(self._session.calls(), keys, associated, sealed)


def seal_key(calls: KmsCalls, keys: KmsKeys, associated: bytes, secret: SecretBytes) -> bytes:
    """Return the key, sealed, wrapped by KMS and sealed again. Raises: KmsFault, HsmError."""
    if len(secret) != KEY_SIZE:
        raise ValueError(f"a key has {KEY_SIZE} bytes")
    context = context_of(keys.record.member, associated)
    # The library takes `bytes` only; this copy lives as long as the call.
    inner = _sealed(keys, _INNER + associated, bytes(secret.reveal()))
    return _sealed(keys, associated, calls.encrypt(context, inner))


def open_key(calls: KmsCalls, keys: KmsKeys, associated: bytes, sealed: bytes) -> SecretBytes:
    """Open what `seal_key` returned. Raises: SealBroken, KmsFault, HsmError."""
    context = context_of(keys.record.member, associated)
    inner = calls.decrypt(context, _opened(keys, associated, sealed))
    if inner is None:
        raise SealBroken(_BROKEN)
    opened = _opened(keys, _INNER + associated, inner)
    if len(opened) != KEY_SIZE:
        raise HsmError("AWS KMS opened a seal to an impossible length")
    return SecretBytes(opened)


def _sealed(keys: KmsKeys, associated: bytes, data: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(bytes(keys.lock.reveal())).encrypt(nonce, data, associated)


def _opened(keys: KmsKeys, associated: bytes, sealed: bytes) -> bytes:
    if len(sealed) <= SEAL_OVERHEAD:
        raise SealBroken("a sealed record is cut off")
    cipher = AESGCM(bytes(keys.lock.reveal()))
    try:
        return cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated)
    except InvalidTag:
        raise SealBroken(_BROKEN) from None
