"""TokenSealer against a token that answers wrongly."""

import secrets
from typing import cast

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pkcs11 import GCMParams, Mechanism
from pkcs11 import exceptions as p11
from pkcs11.types import Session

from console.application.errors import HsmError, KeyCheckFailed, SealBroken
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from hsm.keys import KeyRecord, SigningKey, TokenKeys, WrappingKey, kek_check
from hsm.sealer import TokenSealer
from hsm.token import TokenSession


class Token:
    """A wrapping key and the session that hands it out; `cut` shortens what comes back."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self.cut = 0
        self.parameters: list[GCMParams] = []
        self.record = KeyRecord(MemberId("alice"), b"", b"", kek_check(self))

    def keys(self) -> TokenKeys:
        return TokenKeys(cast("Session", None), self, cast("SigningKey", None), self.record)

    def encrypt(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams | None = None
    ) -> bytes:
        if mechanism is Mechanism.AES_ECB:
            cipher = Cipher(algorithms.AES(self.key), modes.ECB()).encryptor()  # noqa: S305
            return cipher.update(data) + cipher.finalize()
        assert mechanism is Mechanism.AES_GCM
        assert mechanism_param is not None
        self.parameters.append(mechanism_param)
        sealed = AESGCM(self.key).encrypt(mechanism_param.nonce, data, mechanism_param.aad)
        return sealed[: len(sealed) - self.cut]

    def decrypt(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams | None = None
    ) -> bytes:
        assert mechanism_param is not None
        try:
            opened = AESGCM(self.key).decrypt(mechanism_param.nonce, data, mechanism_param.aad)
        except InvalidTag:
            raise p11.GeneralError from None
        return opened[: len(opened) - self.cut]


@pytest.fixture
def token() -> Token:
    return Token()


@pytest.fixture
def sealer(token: Token) -> TokenSealer:
    assert isinstance(token, WrappingKey)
    return TokenSealer(cast("TokenSession", token), secrets.token_bytes)


def test_the_tag_has_128_bits_and_data_is_always_bound(token: Token, sealer: TokenSealer) -> None:
    sealed = sealer.seal(b"for this", SecretBytes(b"secret"))
    assert len(sealed) == 12 + 6 + 16
    assert [(p.tag_bits, p.aad) for p in token.parameters] == [(128, b"for this")]
    with pytest.raises(ValueError, match="bound"):
        sealer.seal(b"", SecretBytes(b"secret"))
    with pytest.raises(ValueError, match="bound"):
        sealer.open(b"", sealed)


def test_nonces_differ(sealer: TokenSealer) -> None:
    nonces = {sealer.seal(b"a", SecretBytes(b"s"))[:12] for _ in range(100)}
    assert len(nonces) == 100


@pytest.mark.parametrize("cut", [1, 8, 15, 16])
def test_a_shorter_tag_is_refused(token: Token, sealer: TokenSealer, cut: int) -> None:
    token.cut = cut
    with pytest.raises(HsmError, match="tag"):
        sealer.seal(b"a", SecretBytes(b"secret"))


def test_a_shorter_plaintext_is_refused(token: Token, sealer: TokenSealer) -> None:
    sealed = sealer.seal(b"a", SecretBytes(b"secret"))
    token.cut = 1
    with pytest.raises(HsmError, match="length"):
        sealer.open(b"a", sealed)


def test_a_refused_seal_under_the_right_key_is_a_broken_seal(sealer: TokenSealer) -> None:
    sealed = sealer.seal(b"a", SecretBytes(b"secret"))
    with pytest.raises(SealBroken):
        sealer.open(b"b", sealed)


def test_a_refused_seal_under_another_key_is_a_failed_key_check(
    token: Token, sealer: TokenSealer
) -> None:
    sealed = sealer.seal(b"a", SecretBytes(b"secret"))
    token.key = secrets.token_bytes(32)
    with pytest.raises(KeyCheckFailed):
        sealer.open(b"a", sealed)


def test_another_key_never_seals(token: Token, sealer: TokenSealer) -> None:
    token.key = secrets.token_bytes(32)
    with pytest.raises(KeyCheckFailed):
        sealer.seal(b"a", SecretBytes(b"secret"))
    assert token.parameters == []
