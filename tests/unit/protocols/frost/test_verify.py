import hashlib

import nacl.bindings
import nacl.exceptions
import pytest
from cryptography.exceptions import InvalidSignature as LibraryRefusal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.frost import InvalidSignature, verify
from console.protocols.math.ed25519 import ED25519, L
from tests.unit.protocols.math.test_ed25519 import TORSION, plus

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = PRIVATE.public_key().public_bytes_raw()
MESSAGE = b"message"
SIGNATURE = PRIVATE.sign(MESSAGE)


def accepts(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(public, message, signature)
    except InvalidSignature:
        return False
    return True


def libraries_accept(public: bytes, message: bytes, signature: bytes) -> list[bool]:
    verdicts = []
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        verdicts.append(True)
    except (LibraryRefusal, ValueError):
        verdicts.append(False)
    try:
        nacl.bindings.crypto_sign_open(signature + message, public)
        verdicts.append(True)
    except (nacl.exceptions.BadSignatureError, ValueError):
        verdicts.append(False)
    return verdicts


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80))
@settings(max_examples=40, deadline=None)
def test_ordinary_signatures_are_accepted(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    verify(private.public_key().public_bytes_raw(), message, private.sign(message))


@given(st.integers(0, 95), st.integers(1, 255))
@settings(max_examples=80, deadline=None)
def test_changed_signatures_are_refused_as_libraries_do(at: int, flip: int) -> None:
    changed = bytearray(PUBLIC + SIGNATURE)
    changed[at] ^= flip
    public, signature = bytes(changed[:32]), bytes(changed[32:])
    assert not accepts(public, MESSAGE, signature)
    assert libraries_accept(public, MESSAGE, signature) == [False, False]


def test_whatever_we_accept_the_libraries_accept() -> None:
    for message, signature in ((MESSAGE, SIGNATURE), (b"other", SIGNATURE)):
        ours = accepts(PUBLIC, message, signature)
        assert libraries_accept(PUBLIC, message, signature) == [ours, ours]


def test_s_beyond_the_order_is_refused() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little")
    assert not accepts(PUBLIC, MESSAGE, SIGNATURE[:32] + (s + L).to_bytes(32, "little"))


@pytest.mark.parametrize("encoded", TORSION)
def test_small_order_r_and_key_are_refused(encoded: str) -> None:
    point = bytes.fromhex(encoded)
    assert not accepts(point, MESSAGE, SIGNATURE)
    # With a small-order key, S = 0 and R of small order can satisfy the plain equation.
    for other in TORSION:
        assert not accepts(point, MESSAGE, bytes.fromhex(other) + bytes(32))
    assert not accepts(PUBLIC, MESSAGE, point + SIGNATURE[32:])


@pytest.mark.parametrize("encoded", TORSION[1:])
def test_signature_valid_only_with_cofactor_is_refused(encoded: str) -> None:
    """R with a torsion part: [8]SB = [8]R + [8]cA holds, the strict equation does not."""
    a = ED25519.parse_scalar(
        nacl.bindings.crypto_core_ed25519_scalar_reduce(clamped(b"k" * 32) + bytes(32))
    )
    r = ED25519.scalar(12345)

    def signature(commitment: bytes) -> bytes:
        c = ED25519.reduce(hashlib.sha512(commitment + PUBLIC + MESSAGE).digest())
        return commitment + ED25519.add_scalars(r, ED25519.multiply_scalars(c, a))

    plain = ED25519.base(r)
    assert accepts(PUBLIC, MESSAGE, signature(plain))
    assert not accepts(PUBLIC, MESSAGE, signature(plus(plain, bytes.fromhex(encoded))))


def clamped(seed: bytes) -> bytes:
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    return bytes(h)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\x00"])
def test_signatures_of_another_size_are_refused(signature: bytes) -> None:
    assert not accepts(PUBLIC, MESSAGE, signature)
    assert not accepts(PUBLIC[:31], MESSAGE, SIGNATURE)
