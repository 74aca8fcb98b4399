"""Signatures: strict DER as another library writes it, and only of the right key."""

import pytest
from coincurve import PrivateKey

from console.adapters.chains.bitcoin.sighash import HashType
from console.adapters.chains.bitcoin.signatures import ecdsa_signature, schnorr_signature
from console.application.errors import TransactionError

SECRET = PrivateKey(b"\x07" * 32)
KEY = SECRET.public_key.format()


def test_der_is_what_the_library_writes() -> None:
    lengths = set()
    for number in range(300):
        digest = number.to_bytes(32, "big")
        made = ecdsa_signature(SECRET.sign_recoverable(digest, hasher=None), digest, KEY)
        assert made == SECRET.sign(digest, hasher=None) + b"\x01"
        lengths.add(len(made))
    assert {71, 72} <= lengths


@pytest.mark.parametrize("key", [b"", KEY[:-1], bytes(33), b"\x02" + b"\xff" * 32])
def test_keys_that_are_none_signed_nothing(key: bytes) -> None:
    digest = bytes(32)
    with pytest.raises(TransactionError):
        ecdsa_signature(SECRET.sign_recoverable(digest, hasher=None), digest, key)
    with pytest.raises(TransactionError):
        schnorr_signature(SECRET.sign_schnorr(digest, bytes(32)), digest, key[1:])


def test_the_hash_type_follows_a_taproot_signature_unless_it_is_the_default() -> None:
    digest = bytes(32)
    made = SECRET.sign_schnorr(digest, bytes(32))
    assert schnorr_signature(made, digest, KEY[1:]) == made
    assert schnorr_signature(made, digest, KEY[1:], HashType.ALL) == made + b"\x01"
    with pytest.raises(TransactionError):
        schnorr_signature(made + b"\x01", digest, KEY[1:])


def test_a_recovery_id_is_below_four() -> None:
    digest = bytes(32)
    made = SECRET.sign_recoverable(digest, hasher=None)
    with pytest.raises(TransactionError, match="65 bytes"):
        ecdsa_signature(made[:64] + b"\x04", digest, KEY)
