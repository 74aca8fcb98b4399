"""TokenSealer: seals by the key record's method, with keys that are checked before each use."""

from collections.abc import Callable
from typing import Self

from console.application.errors import HsmError, SealBroken
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealer import OWN_GCM, length_prefixed
from hsm.keys import TokenKeys, is_signed_by, require_kek, sign_checked
from hsm.token import TokenSession
from hsm.wrapping_methods import GCM_METHODS, KEY_SIZE, GcmKey, SealingKey

_SIGNED_DOMAIN = b"quorate/sealed-key"
_SIGNATURE = 64


class TokenSealer:
    """Implements `Sealer`; runs inside `TokenSession.call`."""

    def __init__(
        self, token: TokenSession, random: Callable[[int], bytes], method: int | None = None
    ) -> None:
        self._token = token
        self._random = random
        self._method = method

    @property
    def method(self) -> int:
        """The code of the key record's method. Raises: VaultLocked."""
        return self._token.keys().record.method

    def by(self, method: int) -> Self:
        """Return the sealer that opens what was sealed by `method`. Raises: SealBroken."""
        return type(self)(self._token, self._random, method)

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Seal, bound to `associated`. Raises: VaultLocked, KeyCheckFailed, HsmError."""
        _require_bound(associated)
        keys = self._token.keys()
        if keys.record.method != OWN_GCM and len(secret) != KEY_SIZE:
            raise ValueError(f"a token seals {KEY_SIZE} bytes")
        # Flipped bits in a token's file can yield another key without any error: check before use.
        require_kek(keys)
        # The library takes `bytes` only; this copy lives as long as the call.
        sealed = keys.kek.seal(associated, bytes(secret.reveal()), self._random)
        if keys.kek.authentic:
            return sealed
        point = keys.record.identity_point
        return sealed + sign_checked(keys.identity, point, _signed(associated, sealed))

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken, VaultLocked, KeyCheckFailed, HsmError."""
        _require_bound(associated)
        keys = self._token.keys()
        kek = self._opener(keys)
        body = sealed
        if not kek.authentic:
            body, signature = sealed[:-_SIGNATURE], sealed[-_SIGNATURE:]
            signed = _signed(associated, body)
            if not is_signed_by(keys.record.identity_point, signed, signature):
                raise SealBroken("a sealed record was not sealed by this member")
        opened = kek.open(associated, body)
        if opened is None:
            # The token's key may be another one by now: that is no altered record.
            require_kek(keys)
            raise SealBroken("a sealed record does not open: altered, or sealed for something else")
        if kek.code != OWN_GCM and len(opened) != KEY_SIZE:
            raise HsmError("the token opened a seal to an impossible length")
        return SecretBytes(opened)

    def _opener(self, keys: TokenKeys) -> SealingKey:
        method = keys.record.method if self._method is None else self._method
        if method == keys.record.method:
            return keys.kek
        # The methods of GCM have one kind of key: what one sealed, another can open.
        other = {gcm.code: gcm for gcm in GCM_METHODS}.get(method)
        if other is None or not isinstance(keys.kek, GcmKey):
            raise SealBroken("a record was sealed by a method for which this token has no key")
        return other(keys.kek.kek)


def _require_bound(associated: bytes) -> None:
    if not associated:
        raise ValueError("a seal is always bound to associated data")


def _signed(associated: bytes, sealed: bytes) -> bytes:
    return length_prefixed(_SIGNED_DOMAIN, associated, sealed)
