"""The methods by which a token may seal, the preferred first."""

from console.application.errors import KeyCheckFailed
from hsm.wrapping_methods.cbc_hmac import CbcHmacKey
from hsm.wrapping_methods.gcm import GCM_METHODS
from hsm.wrapping_methods.key_wrap import KeyWrapKey, PaddedKeyWrapKey
from hsm.wrapping_methods.method import SealingKey
from hsm.wrapping_methods.rsa_oaep import OaepSha1Key, OaepSha256Key

METHODS: tuple[type[SealingKey], ...] = (
    *GCM_METHODS,
    KeyWrapKey,
    PaddedKeyWrapKey,
    CbcHmacKey,
    OaepSha256Key,
    OaepSha1Key,
)


def method_of(code: int) -> type[SealingKey]:
    """Return a method by its code. Raises: KeyCheckFailed."""
    for method in METHODS:
        if method.code == code:
            return method
    raise KeyCheckFailed("the token's keys seal by a method that is not known here")
