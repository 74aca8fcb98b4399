"""AES key wrap in the token (RFC 3394, RFC 5649) of `key || SHA-256(associated)`.

Key wrap takes no associated data. It is authenticated encryption of random data as a whole, so a
hash beside the key binds the label: neither half can be changed or exchanged without the other. The
64 bytes are a session object for the time of a call, because tokens wrap objects and no bytes.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol, Self, cast, runtime_checkable

from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11 import exceptions as p11
from pkcs11.types import Key, Object, Session

from console.application.errors import HsmError, KeyCheckFailed
from hsm.faults import REFUSED_CIPHERTEXT
from hsm.wrapping_methods.method import KEY_SIZE, Need
from hsm.wrapping_methods.objects import (
    AES_BITS,
    KEK,
    SECRET_TRAITS,
    find_one,
    make_secret_key,
    require_traits,
)

_TRAITS = {
    **SECRET_TRAITS,
    Attribute.WRAP: True,
    Attribute.UNWRAP: True,
    Attribute.ENCRYPT: False,
    Attribute.DECRYPT: False,
    Attribute.SIGN: False,
}
# A session object that holds what is wrapped: made to be read again.
_PASSING = {
    Attribute.TOKEN: False,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: False,
    Attribute.EXTRACTABLE: True,
}
_CHECKED = hashlib.sha512(b"quorate/kek-check/key-wrap").digest()
_REFUSED = (*REFUSED_CIPHERTEXT, p11.WrappedKeyInvalid, p11.WrappedKeyLenRange)


@runtime_checkable
class KekKey(Protocol):
    """An AES key that may wrap and unwrap."""

    def wrap_key(self, key: Key, *, mechanism: Mechanism) -> bytes: ...

    def unwrap_key(
        self,
        object_class: ObjectClass,
        key_type: KeyType,
        key_data: bytes,
        *,
        mechanism: Mechanism,
        capabilities: MechanismFlag,
        template: dict[Attribute, bool],
    ) -> Object: ...


class KeyWrapKey:
    """Key wrap without padding."""

    code: ClassVar[int] = 4
    name: ClassVar[str] = "AES key wrap"
    mechanism: ClassVar[Mechanism] = Mechanism.AES_KEY_WRAP
    needs: ClassVar[tuple[Need, ...]] = (
        (Mechanism.AES_KEY_GEN, MechanismFlag.GENERATE, AES_BITS),
        (Mechanism.AES_KEY_WRAP, MechanismFlag.WRAP | MechanismFlag.UNWRAP, AES_BITS),
    )
    authentic: ClassVar[bool] = True

    def __init__(self, session: Session, kek: Object) -> None:
        if not isinstance(kek, KekKey):
            raise KeyCheckFailed("the token's wrapping key cannot wrap and unwrap")
        self._session = session
        self._kek: KekKey = kek

    @classmethod
    def make(cls, session: Session, identifier: Callable[[str], bytes], *, stored: bool) -> Self:
        """Generate the AES key."""
        made = make_secret_key(session, KeyType.AES, KEK, identifier(KEK), _TRAITS, stored=stored)
        return cls(session, made)

    @classmethod
    def load(cls, session: Session) -> Self:
        """Find the AES key. Raises: KeyCheckFailed."""
        return cls(session, find_one(session, ObjectClass.SECRET_KEY, KEK, KeyType.AES))

    def objects(self) -> tuple[Object, ...]:
        """Return the key as an object."""
        return (cast("Object", self._kek),)

    def require_traits(self, *, stored: bool) -> None:
        """Check the key's attributes. Raises: KeyCheckFailed."""
        require_traits(self.objects()[0], _TRAITS, KEK, stored=stored)

    def check_value(self) -> bytes:
        """Return the hash of fixed bytes, wrapped: wrapping is deterministic."""
        return hashlib.sha256(self._wrap(_CHECKED)).digest()

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return the wrapped key and label."""
        del random
        return self._wrap(secret + hashlib.sha256(associated).digest())

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Open what `seal` returned."""
        try:
            held = self._kek.unwrap_key(
                ObjectClass.SECRET_KEY,
                KeyType.GENERIC_SECRET,
                sealed,
                mechanism=self.mechanism,
                capabilities=MechanismFlag(0),
                template=_PASSING,
            )
        except _REFUSED:
            return None
        with _destroyed(held):
            opened = bytes(held[Attribute.VALUE])
        bound = opened[KEY_SIZE:]
        if not hmac.compare_digest(bound, hashlib.sha256(associated).digest()):
            return None
        return opened[:KEY_SIZE]

    def _wrap(self, data: bytes) -> bytes:
        held = self._session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                Attribute.VALUE: data,
                **_PASSING,
            }
        )
        with _destroyed(held):
            if not isinstance(held, Key):
                raise HsmError("the token does not take a key to wrap")
            return self._kek.wrap_key(held, mechanism=self.mechanism)


class PaddedKeyWrapKey(KeyWrapKey):
    """Key wrap with padding, on tokens that have only that."""

    code: ClassVar[int] = 5
    name: ClassVar[str] = "AES key wrap with padding"
    mechanism: ClassVar[Mechanism] = Mechanism.AES_KEY_WRAP_PAD
    needs: ClassVar[tuple[Need, ...]] = (
        (Mechanism.AES_KEY_GEN, MechanismFlag.GENERATE, AES_BITS),
        (Mechanism.AES_KEY_WRAP_PAD, MechanismFlag.WRAP | MechanismFlag.UNWRAP, AES_BITS),
    )


@contextmanager
def _destroyed(held: Object) -> Iterator[None]:
    try:
        yield
    finally:
        held.destroy()
