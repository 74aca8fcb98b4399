"""TokenSealer and its methods against a token that answers wrongly."""

import secrets
from dataclasses import replace
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
from hsm.keys import KeyRecord, SigningKey, TokenKeys
from hsm.sealer import TokenSealer
from hsm.token import TokenSession
from hsm.wrapping_methods.gcm import GCM_METHODS, CipherKey, GcmAppendedKey, GcmKey, GcmWrittenKey

SECRET = b"of a share, thirty-two bytes all"


class Token:
    """A wrapping key and the session that hands it out; `cut` shortens what comes back.

    `chooses` is what it does with an IV of its own.
    """

    def __init__(self, kind: type[GcmKey] = GcmKey, chooses: str = "") -> None:
        self.key = secrets.token_bytes(32)
        self.cut = 0
        self.chooses = chooses
        self.parameters: list[tuple[bytes, bytes | None, int]] = []
        assert isinstance(self, CipherKey)
        self.kek = kind(self)
        self.record = KeyRecord(MemberId("alice"), b"", b"", self.kek.check_value(), self.kek.code)

    def keys(self) -> TokenKeys:
        return TokenKeys(cast("Session", None), self.kek, cast("SigningKey", None), self.record)

    def encrypt(
        self,
        data: bytes,
        *,
        mechanism: Mechanism,
        mechanism_param: GCMParams | bytes | None = None,
    ) -> bytes:
        if mechanism is Mechanism.AES_ECB:
            cipher = Cipher(algorithms.AES(self.key), modes.ECB()).encryptor()  # noqa: S305
            return cipher.update(data) + cipher.finalize()
        assert mechanism is Mechanism.AES_GCM
        assert isinstance(mechanism_param, GCMParams)
        given = mechanism_param
        self.parameters.append((bytes(given.nonce), given.aad, given.tag_bits))
        iv = secrets.token_bytes(12) if self.chooses else bytes(given.nonce)
        if self.chooses == "writes":
            cast("bytearray", given.nonce)[:] = iv
        sealed = AESGCM(self.key).encrypt(iv, data, given.aad)
        appended = iv if self.chooses == "appends" else b""
        return sealed[: len(sealed) - self.cut] + appended

    def decrypt(
        self,
        data: bytes,
        *,
        mechanism: Mechanism,
        mechanism_param: GCMParams | bytes | None = None,
    ) -> bytes:
        assert mechanism is Mechanism.AES_GCM
        assert isinstance(mechanism_param, GCMParams)
        given = mechanism_param
        try:
            opened = AESGCM(self.key).decrypt(bytes(given.nonce), data, given.aad)
        except InvalidTag:
            raise p11.GeneralError from None
        return opened[: len(opened) - self.cut]


def sealer_of(token: Token) -> TokenSealer:
    return TokenSealer(cast("TokenSession", token), secrets.token_bytes)


@pytest.fixture
def token() -> Token:
    return Token()


@pytest.fixture
def sealer(token: Token) -> TokenSealer:
    return sealer_of(token)


def test_the_tag_has_128_bits_and_data_is_always_bound(token: Token, sealer: TokenSealer) -> None:
    sealed = sealer.seal(b"for this", SecretBytes(b"secret"))
    assert len(sealed) == 12 + 6 + 16
    assert [given[1:] for given in token.parameters] == [(b"for this", 128)]
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


@pytest.mark.parametrize(
    ("kind", "chooses"),
    [(GcmKey, ""), (GcmAppendedKey, "appends"), (GcmWrittenKey, "writes")],
)
def test_a_method_seals_on_the_token_that_it_is_for_and_on_no_other(
    kind: type[GcmKey], chooses: str
) -> None:
    sealer = sealer_of(Token(kind, chooses))
    sealed = sealer.seal(b"a", SecretBytes(SECRET))
    assert sealer.open(b"a", sealed) == SecretBytes(SECRET)
    with pytest.raises(SealBroken):
        sealer.open(b"b", sealed)
    for other in {"", "appends", "writes"} - {chooses}:
        with pytest.raises(HsmError):
            sealer_of(Token(kind, other)).seal(b"a", SecretBytes(SECRET))


def test_an_iv_of_zeros_is_never_used() -> None:
    token = Token(GcmWrittenKey)
    with pytest.raises(HsmError, match="IV"):
        sealer_of(token).seal(b"a", SecretBytes(SECRET))


@pytest.mark.parametrize("before", GCM_METHODS)
@pytest.mark.parametrize("now", GCM_METHODS)
def test_what_one_method_of_gcm_sealed_another_opens(
    before: type[GcmKey], now: type[GcmKey]
) -> None:
    chooses = {GcmAppendedKey: "appends", GcmWrittenKey: "writes"}
    token = Token(before, chooses.get(before, ""))
    sealed = sealer_of(token).seal(b"a", SecretBytes(SECRET))
    later = Token(now, chooses.get(now, ""))
    later.key, later.record = token.key, replace(token.record, method=now.code)
    assert sealer_of(later).by(before.code).open(b"a", sealed) == SecretBytes(SECRET)


@pytest.mark.parametrize("method", [0, 4, 6, 7, 99])
def test_a_method_without_a_key_here_opens_nothing(sealer: TokenSealer, method: int) -> None:
    with pytest.raises(SealBroken, match="no key"):
        sealer.by(method).open(b"a", bytes(80))


def test_only_gcm_with_our_iv_seals_other_sizes() -> None:
    token = Token(GcmAppendedKey, "appends")
    with pytest.raises(ValueError, match="32"):
        sealer_of(token).seal(b"a", SecretBytes(b"secret"))
