"""KmsSealer: KMS wraps 32 bytes, and the lock file's key seals what it wrapped."""

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
    """Return nonce, and the key as KMS wrapped it, sealed. Raises: KmsFault, HsmError."""
    if len(secret) != KEY_SIZE:
        raise ValueError(f"KMS is given {KEY_SIZE} bytes")
    context = context_of(keys.record.member, associated)
    # The libraries take `bytes` only; these copies live as long as the calls.
    wrapped = calls.encrypt(context, bytes(secret.reveal()))
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(bytes(keys.lock.reveal())).encrypt(nonce, wrapped, associated)


def open_key(calls: KmsCalls, keys: KmsKeys, associated: bytes, sealed: bytes) -> SecretBytes:
    """Open what `seal_key` returned. Raises: SealBroken, KmsFault, HsmError."""
    context = context_of(keys.record.member, associated)
    if len(sealed) <= SEAL_OVERHEAD:
        raise SealBroken("a sealed record is cut off")
    cipher = AESGCM(bytes(keys.lock.reveal()))
    try:
        wrapped = cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated)
    except InvalidTag:
        raise SealBroken(_BROKEN) from None
    opened = calls.decrypt(context, wrapped)
    if opened is None:
        raise SealBroken(_BROKEN)
    if len(opened) != KEY_SIZE:
        raise HsmError("AWS KMS opened a seal to an impossible length")
    return SecretBytes(opened)
