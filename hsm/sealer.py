"""TokenSealer: AES-256-GCM under the token's wrapping key, checked before and after each use."""

from collections.abc import Callable

from pkcs11 import GCMParams, Mechanism

from console.application.errors import HsmError, SealBroken
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealer import NONCE_SIZE, SEAL_OVERHEAD, TAG_SIZE
from hsm.faults import REFUSED_CIPHERTEXT
from hsm.keys import TokenKeys, require_kek
from hsm.token import TokenSession


class TokenSealer:
    """Implements `Sealer`; runs inside `TokenSession.call`."""

    def __init__(self, token: TokenSession, random: Callable[[int], bytes]) -> None:
        self._token = token
        self._random = random

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Return nonce, ciphertext and tag. Raises: VaultLocked, KeyCheckFailed, HsmError."""
        keys = self._token.keys()
        # Flipped bits in a token's file can yield another key without any error: check before use.
        require_kek(keys)
        nonce = self._random(NONCE_SIZE)
        # The library takes `bytes` only; this copy lives as long as the call.
        sealed = keys.kek.encrypt(
            bytes(secret.reveal()),
            mechanism=Mechanism.AES_GCM,
            mechanism_param=_parameters(nonce, associated),
        )
        if len(sealed) != len(secret) + TAG_SIZE:
            raise HsmError("the token did not append a tag of 16 bytes")
        return nonce + sealed

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken, VaultLocked, KeyCheckFailed, HsmError."""
        if len(sealed) <= SEAL_OVERHEAD:
            raise SealBroken("a sealed record is cut off")
        keys = self._token.keys()
        nonce, body = sealed[:NONCE_SIZE], sealed[NONCE_SIZE:]
        opened: bytes | None
        try:
            opened = keys.kek.decrypt(
                body,
                mechanism=Mechanism.AES_GCM,
                mechanism_param=_parameters(nonce, associated),
            )
        except REFUSED_CIPHERTEXT:
            opened = None
        if opened is None:
            raise _refusal(keys)
        if len(opened) != len(body) - TAG_SIZE:
            raise HsmError("the token opened a seal to an impossible length")
        return SecretBytes(opened)


def _parameters(nonce: bytes, associated: bytes) -> GCMParams:
    if not associated:
        raise ValueError("a seal is always bound to associated data")
    return GCMParams(nonce, aad=associated, tag_bits=8 * TAG_SIZE)


def _refusal(keys: TokenKeys) -> SealBroken:
    """Return SealBroken for an altered record, another error if the token's key fails its check."""
    require_kek(keys)
    return SealBroken("a sealed record does not open: altered, or sealed for something else")
