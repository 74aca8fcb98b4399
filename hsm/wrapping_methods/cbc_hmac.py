"""AES-256-CBC, then HMAC-SHA-256 over label, IV and ciphertext: two keys in the token.

Encrypt-then-MAC: `iv(16) | ciphertext | mac(32)`. The MAC is computed by the token, compared here
in constant time, and checked before anything is decrypted. No padding: a key is whole blocks.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar, Protocol, Self, cast, runtime_checkable

from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import HsmError, KeyCheckFailed
from console.sealing.sealer import length_prefixed
from hsm.wrapping_methods.gcm import CipherKey
from hsm.wrapping_methods.method import KEY_SIZE, Need
from hsm.wrapping_methods.objects import (
    AES_BITS,
    CIPHER_TRAITS,
    KEK,
    MAC,
    SECRET_TRAITS,
    find_one,
    make_secret_key,
    require_traits,
)

_MAC_TRAITS = {
    **SECRET_TRAITS,
    Attribute.SIGN: True,
    Attribute.ENCRYPT: False,
    Attribute.DECRYPT: False,
    Attribute.WRAP: False,
}
_IV, _MAC_SIZE = 16, 32
_SEAL_DOMAIN, _CHECK_DOMAIN = b"quorate/cbc-hmac", b"quorate/kek-check/cbc-hmac"
_CHECK_IV = hashlib.sha256(_CHECK_DOMAIN).digest()[:_IV]


@runtime_checkable
class MacKey(Protocol):
    """A key in the token that computes MACs."""

    def sign(self, data: bytes, *, mechanism: Mechanism) -> bytes: ...


class CbcHmacKey:
    """The two keys."""

    code: ClassVar[int] = 6
    name: ClassVar[str] = "AES-CBC with HMAC-SHA-256"
    needs: ClassVar[tuple[Need, ...]] = (
        (Mechanism.AES_KEY_GEN, MechanismFlag.GENERATE, AES_BITS),
        (Mechanism.GENERIC_SECRET_KEY_GEN, MechanismFlag.GENERATE, AES_BITS),
        (Mechanism.AES_CBC, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT, AES_BITS),
        (Mechanism.SHA256_HMAC, MechanismFlag.SIGN, AES_BITS),
    )
    authentic: ClassVar[bool] = True

    def __init__(self, kek: Object, mac: Object) -> None:
        if not isinstance(kek, CipherKey) or not isinstance(mac, MacKey):
            raise KeyCheckFailed("the token's wrapping keys are not of the expected kind")
        self._kek: CipherKey = kek
        self._mac: MacKey = mac

    @classmethod
    def make(cls, session: Session, identifier: Callable[[str], bytes], *, stored: bool) -> Self:
        """Generate both keys."""
        kek = make_secret_key(
            session, KeyType.AES, KEK, identifier(KEK), CIPHER_TRAITS, stored=stored
        )
        mac = make_secret_key(
            session, KeyType.GENERIC_SECRET, MAC, identifier(MAC), _MAC_TRAITS, stored=stored
        )
        return cls(kek, mac)

    @classmethod
    def load(cls, session: Session) -> Self:
        """Find both keys. Raises: KeyCheckFailed."""
        return cls(
            find_one(session, ObjectClass.SECRET_KEY, KEK, KeyType.AES),
            find_one(session, ObjectClass.SECRET_KEY, MAC, KeyType.GENERIC_SECRET),
        )

    def objects(self) -> tuple[Object, ...]:
        """Return the keys as objects."""
        return cast("Object", self._kek), cast("Object", self._mac)

    def require_traits(self, *, stored: bool) -> None:
        """Check both keys' attributes. Raises: KeyCheckFailed."""
        kek, mac = self.objects()
        require_traits(kek, CIPHER_TRAITS, KEK, stored=stored)
        require_traits(mac, _MAC_TRAITS, MAC, stored=stored)

    def check_value(self) -> bytes:
        """Return a hash over a block and a MAC of fixed bytes: one for each key."""
        block = self._kek.encrypt(
            bytes(_IV), mechanism=Mechanism.AES_CBC, mechanism_param=_CHECK_IV
        )
        mac = self._mac.sign(_CHECK_DOMAIN, mechanism=Mechanism.SHA256_HMAC)
        return hashlib.sha256(length_prefixed(block, mac)).digest()

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return IV, ciphertext and MAC. Raises: HsmError."""
        iv = random(_IV)
        body = self._kek.encrypt(secret, mechanism=Mechanism.AES_CBC, mechanism_param=iv)
        if len(body) != len(secret):
            raise HsmError("the token padded whole blocks")
        return iv + body + self._tag(associated, iv, body)

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Open what `seal` returned: 32 bytes."""
        if len(sealed) != _IV + KEY_SIZE + _MAC_SIZE:
            return None
        iv, body, tag = sealed[:_IV], sealed[_IV:-_MAC_SIZE], sealed[-_MAC_SIZE:]
        if not hmac.compare_digest(tag, self._tag(associated, iv, body)):
            return None
        return self._kek.decrypt(body, mechanism=Mechanism.AES_CBC, mechanism_param=iv)

    def _tag(self, associated: bytes, iv: bytes, body: bytes) -> bytes:
        bound = length_prefixed(_SEAL_DOMAIN, associated, iv, body)
        tag = self._mac.sign(bound, mechanism=Mechanism.SHA256_HMAC)
        if len(tag) != _MAC_SIZE:
            raise HsmError("the token's MAC does not have 32 bytes")
        return tag
