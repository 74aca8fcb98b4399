"""AES-256-GCM in the token: with an IV of ours, or with one that the token chooses.

The associated data is GCM's own. The IV reaches the token in a buffer that is ours alone and may be
written to, because some tokens write the IV that they chose into it.
"""

import hashlib
from collections.abc import Callable
from typing import ClassVar, Self, cast, runtime_checkable
from typing import Protocol as TypingProtocol

from pkcs11 import GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import HsmError, KeyCheckFailed
from console.sealing.sealer import NONCE_SIZE, TAG_SIZE
from hsm.faults import REFUSED_CIPHERTEXT
from hsm.wrapping_methods.method import KEY_SIZE, Need
from hsm.wrapping_methods.objects import (
    AES_BITS,
    CIPHER_TRAITS,
    KEK,
    find_one,
    make_secret_key,
    require_traits,
)

# A fixed block that no GCM counter takes, and not zero: E(0) is GCM's authentication key.
_CHECK_BLOCK = hashlib.sha256(b"quorate/kek-check").digest()[:16]
_NEEDS: tuple[Need, ...] = (
    (Mechanism.AES_KEY_GEN, MechanismFlag.GENERATE, AES_BITS),
    (Mechanism.AES_ECB, MechanismFlag.ENCRYPT, AES_BITS),
    (Mechanism.AES_GCM, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT, AES_BITS),
)
_LONGEST_IV = 16


@runtime_checkable
class CipherKey(TypingProtocol):
    """A key in the token that may encrypt and decrypt."""

    def encrypt(
        self,
        data: bytes,
        *,
        mechanism: Mechanism,
        mechanism_param: GCMParams | bytes | None = None,
    ) -> bytes: ...

    def decrypt(
        self,
        data: bytes,
        *,
        mechanism: Mechanism,
        mechanism_param: GCMParams | bytes | None = None,
    ) -> bytes: ...


class GcmKey:
    """GCM with an IV of ours: `iv(12) | ciphertext | tag(16)`. Secrets of any size."""

    code: ClassVar[int] = 1
    name: ClassVar[str] = "AES-GCM with an IV of ours"
    needs: ClassVar[tuple[Need, ...]] = _NEEDS
    authentic: ClassVar[bool] = True

    def __init__(self, kek: CipherKey) -> None:
        self.kek = kek

    @classmethod
    def make(cls, session: Session, identifier: Callable[[str], bytes], *, stored: bool) -> Self:
        """Generate the AES key."""
        made = make_secret_key(
            session, KeyType.AES, KEK, identifier(KEK), CIPHER_TRAITS, stored=stored
        )
        return cls(_cipher(made))

    @classmethod
    def load(cls, session: Session) -> Self:
        """Find the AES key. Raises: KeyCheckFailed."""
        return cls(_cipher(find_one(session, ObjectClass.SECRET_KEY, KEK, KeyType.AES)))

    def objects(self) -> tuple[Object, ...]:
        """Return the key as an object."""
        return (cast("Object", self.kek),)

    def require_traits(self, *, stored: bool) -> None:
        """Check the key's attributes. Raises: KeyCheckFailed."""
        require_traits(self.objects()[0], CIPHER_TRAITS, KEK, stored=stored)

    def check_value(self) -> bytes:
        """Return the key's check value; hashed, so that no cipher block is published."""
        block = self.kek.encrypt(_CHECK_BLOCK, mechanism=Mechanism.AES_ECB)
        return hashlib.sha256(block).digest()

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return IV, ciphertext and tag. Raises: HsmError."""
        chosen = random(NONCE_SIZE)
        used = bytearray(chosen)
        sealed = self._encrypt(associated, secret, used)
        if used != chosen:
            raise HsmError("the token chooses the IV itself and writes it back")
        extra = len(sealed) - len(secret) - TAG_SIZE
        if extra in {NONCE_SIZE, _LONGEST_IV}:
            raise HsmError("the token chooses the IV itself and appends it")
        if extra:
            raise HsmError("the token did not append a tag of 16 bytes")
        return chosen + sealed

    def iv_of(self, sealed: bytes) -> bytes:
        """Return the IV in what `seal` returned."""
        return sealed[:NONCE_SIZE]

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Open what `seal` returned."""
        return self._decrypt(associated, sealed[NONCE_SIZE:], sealed[:NONCE_SIZE])

    def _encrypt(self, associated: bytes, secret: bytes, iv: bytearray) -> bytes:
        how = _parameters(iv, associated)
        return self.kek.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=how)

    def _decrypt(self, associated: bytes, body: bytes, iv: bytes) -> bytes | None:
        if len(body) <= TAG_SIZE:
            return None
        how = _parameters(bytearray(iv), associated)
        try:
            opened = self.kek.decrypt(body, mechanism=Mechanism.AES_GCM, mechanism_param=how)
        except REFUSED_CIPHERTEXT:
            return None
        if len(opened) != len(body) - TAG_SIZE:
            raise HsmError("the token opened a seal to an impossible length")
        return opened


class GcmAppendedKey(GcmKey):
    """GCM with the token's IV, which it appends: `ciphertext | tag(16) | iv(12 or 16)`."""

    code: ClassVar[int] = 2
    name: ClassVar[str] = "AES-GCM with the token's own IV, appended"

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return ciphertext, tag and IV. Raises: HsmError."""
        # Our IV is not used; it is random, in case that it is after all.
        sealed = self._encrypt(associated, secret, bytearray(random(NONCE_SIZE)))
        if len(sealed) - len(secret) - TAG_SIZE not in {NONCE_SIZE, _LONGEST_IV}:
            raise HsmError("the token did not append its IV")
        if not any(self.iv_of(sealed)):
            # As below; a token may append what it did not choose.
            raise HsmError("the token appended an IV of zeros")
        return sealed

    def iv_of(self, sealed: bytes) -> bytes:
        """Return the IV in what `seal` returned."""
        return sealed[KEY_SIZE + TAG_SIZE :]

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Open what `seal` returned: 32 bytes, which tell the IV's length."""
        body = KEY_SIZE + TAG_SIZE
        if len(sealed) - body not in {NONCE_SIZE, _LONGEST_IV}:
            return None
        return self._decrypt(associated, sealed[:body], sealed[body:])


class GcmWrittenKey(GcmKey):
    """GCM with the token's IV, which it writes into our buffer: `iv(12) | ciphertext | tag(16)`."""

    code: ClassVar[int] = 3
    name: ClassVar[str] = "AES-GCM with the token's own IV, written back"

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return IV, ciphertext and tag. Raises: HsmError."""
        del random
        iv = bytearray(NONCE_SIZE)
        sealed = self._encrypt(associated, secret, iv)
        if not any(iv):
            # An IV of zeros for each seal would give the key away.
            raise HsmError("the token did not write its IV back")
        if len(sealed) != len(secret) + TAG_SIZE:
            raise HsmError("the token did not append a tag of 16 bytes")
        return bytes(iv) + sealed


GCM_METHODS: tuple[type[GcmKey], ...] = (GcmKey, GcmAppendedKey, GcmWrittenKey)


def _cipher(found: Object) -> CipherKey:
    if not isinstance(found, CipherKey):
        raise KeyCheckFailed("the token's wrapping key cannot encrypt and decrypt")
    return found


def _parameters(iv: bytearray, associated: bytes) -> GCMParams:
    how = GCMParams(b"", aad=associated, tag_bits=8 * TAG_SIZE)
    # The library passes the buffer itself; its type says `bytes`, and its check knows 12 at most.
    how.nonce = cast("bytes", iv)
    return how
