"""RSA-OAEP: encrypted in software to a public key, decrypted by the token.

What is encrypted is `key || SHA-256(associated)`. OAEP resists chosen ciphertexts: nobody alters it
to something related, so the hash binds the label. OAEP's own label is not used, because tokens such
as SoftHSM take none. Whoever has the public key can encrypt too, so this method alone is not
authentic: the sealer has the identity key sign beside it.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar, Protocol, Self, cast, runtime_checkable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import HsmError, KeyCheckFailed
from console.sealing.sealer import length_prefixed
from hsm.faults import REFUSED_CIPHERTEXT
from hsm.wrapping_methods.method import KEY_SIZE, Need
from hsm.wrapping_methods.objects import KEK, SECRET_TRAITS, find_one, require_traits, template

BITS = 3072
_EXPONENT = 65537
_TRAITS = {**SECRET_TRAITS, Attribute.DECRYPT: True, Attribute.SIGN: False}
_CHECK_DOMAIN = b"quorate/kek-check/rsa-oaep"

Parameters = tuple[Mechanism, MGF, bytes | None]


@runtime_checkable
class OpeningKey(Protocol):
    """An RSA key in the token that decrypts."""

    def decrypt(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: Parameters
    ) -> bytes: ...


class OaepSha256Key:
    """OAEP with SHA-256, also for its mask."""

    code: ClassVar[int] = 7
    name: ClassVar[str] = "RSA-OAEP with SHA-256"
    needs: ClassVar[tuple[Need, ...]] = (
        (Mechanism.RSA_PKCS_KEY_PAIR_GEN, MechanismFlag.GENERATE_KEY_PAIR, BITS),
        (Mechanism.RSA_PKCS_OAEP, MechanismFlag.DECRYPT, BITS),
    )
    authentic: ClassVar[bool] = False
    _parameters: ClassVar[Parameters] = (Mechanism.SHA256, MGF.SHA256, None)

    def __init__(self, public: Object, private: Object) -> None:
        if not isinstance(private, OpeningKey):
            raise KeyCheckFailed("the token's wrapping key cannot decrypt")
        self._public = public
        self._private: OpeningKey = private

    @classmethod
    def make(cls, session: Session, identifier: Callable[[str], bytes], *, stored: bool) -> Self:
        """Generate the key pair."""
        public, private = session.generate_keypair(
            KeyType.RSA,
            BITS,
            id=identifier(KEK),
            label=KEK,
            store=stored,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            private_template=template(_TRAITS, stored=stored),
        )
        return cls(public, private)

    @classmethod
    def load(cls, session: Session) -> Self:
        """Find both keys. Raises: KeyCheckFailed."""
        return cls(
            find_one(session, ObjectClass.PUBLIC_KEY, KEK, KeyType.RSA),
            find_one(session, ObjectClass.PRIVATE_KEY, KEK, KeyType.RSA),
        )

    def objects(self) -> tuple[Object, ...]:
        """Return the keys as objects, the private one last."""
        return self._public, cast("Object", self._private)

    def require_traits(self, *, stored: bool) -> None:
        """Check the private key's attributes. Raises: KeyCheckFailed."""
        require_traits(self.objects()[1], _TRAITS, KEK, stored=stored)

    def check_value(self) -> bytes:
        """Return the public key's hash, after the token has opened what was encrypted to it.

        Raises: KeyCheckFailed if the private key is another one.
        """
        public = self._public_key()
        probe = hashlib.sha256(_CHECK_DOMAIN).digest()
        if self._decrypt(public.encrypt(probe, self._padding())) != probe:
            raise KeyCheckFailed("the token does not open what was encrypted to its public key")
        modulus = public.public_numbers().n.to_bytes(BITS // 8, "big")
        return hashlib.sha256(length_prefixed(_CHECK_DOMAIN, modulus)).digest()

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return the key and its label, encrypted."""
        del random
        bound = secret + hashlib.sha256(associated).digest()
        return self._public_key().encrypt(bound, self._padding())

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Open what `seal` returned."""
        opened = self._decrypt(sealed) if len(sealed) == BITS // 8 else None
        if opened is None:
            return None
        if not hmac.compare_digest(opened[KEY_SIZE:], hashlib.sha256(associated).digest()):
            return None
        return opened[:KEY_SIZE]

    def _decrypt(self, sealed: bytes) -> bytes | None:
        try:
            return self._private.decrypt(
                sealed, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=self._parameters
            )
        except REFUSED_CIPHERTEXT:
            return None

    def _public_key(self) -> rsa.RSAPublicKey:
        read = self._public.get_attributes([Attribute.MODULUS, Attribute.PUBLIC_EXPONENT])
        modulus = int.from_bytes(read[Attribute.MODULUS], "big")
        exponent = int.from_bytes(read[Attribute.PUBLIC_EXPONENT], "big")
        if modulus.bit_length() != BITS or exponent != _EXPONENT:
            raise HsmError(f"the token's public key does not have {BITS} bits")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()

    def _padding(self) -> padding.AsymmetricPadding:
        return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class OaepSha1Key(OaepSha256Key):
    """OAEP with SHA-1, whose collisions do not matter here, on tokens that have no other."""

    code: ClassVar[int] = 8
    name: ClassVar[str] = "RSA-OAEP with SHA-1"
    _parameters: ClassVar[Parameters] = (Mechanism.SHA_1, MGF.SHA1, None)

    def _padding(self) -> padding.AsymmetricPadding:
        return padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
