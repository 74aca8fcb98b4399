import itertools
import secrets

import pytest
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.frost import (
    FROST_SECP256K1,
    FROST_TAPROOT,
    InvalidSignature,
    SigningPackage,
    aggregate,
    bip340,
    commit,
    sign_share,
    verify_share,
)
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.keys import dealt
from tests.adversary.network import stream

EVEN, ODD = (dealt(2, 3, seed, SECP256K1) for seed in ("even", "odd-y"))
MESSAGE = b"message"
PRIVATE = PrivateKey(b"k" * 32)
PUBLIC = PRIVATE.public_key_xonly.format()
SIGNED = PRIVATE.sign_schnorr(b"m" * 32)


def test_keys_have_the_parity_of_their_name() -> None:
    assert SECP256K1.has_even_y(EVEN[1].public.group_key)
    assert not SECP256K1.has_even_y(ODD[1].public.group_key)


@pytest.mark.parametrize("keys", [EVEN, ODD], ids=["even-key", "odd-key"])
def test_taproot_signs_with_all_parities_of_key_and_nonce(keys) -> None:
    seen = set()
    public = keys[1].public
    for attempt in itertools.count():
        made = {i: commit(FROST_TAPROOT, keys[i].secret, stream(f"{attempt}/{i}")) for i in (1, 3)}
        rows = [(i, commitment) for i, (_, commitment) in made.items()]
        package = SigningPackage.bind(FROST_TAPROOT, public, MESSAGE, rows)
        shares = {i: sign_share(keys[i], nonces, package) for i, (nonces, _) in made.items()}
        for i, share in shares.items():
            verify_share(package, i, share)
        signature = aggregate(package, shares)
        assert len(signature) == 64
        bip340.verify(public.group_key[1:], MESSAGE, signature)
        assert package.negate_key is (keys is ODD)
        seen.add(package.negate_nonces)
        if len(seen) == 2:
            break


def test_plain_suite_never_negates() -> None:
    for keys in (EVEN, ODD):
        rows = [
            (i, commit(FROST_SECP256K1, keys[i].secret, secrets.token_bytes)[1]) for i in (1, 2)
        ]
        package = SigningPackage.bind(FROST_SECP256K1, keys[1].public, MESSAGE, rows)
        assert not package.negate_key
        assert not package.negate_nonces


def accepts(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        bip340.verify(public, message, signature)
    except InvalidSignature:
        return False
    return True


@given(st.integers(0, 95), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_changed_bip340_signatures_are_refused(at: int, flip: int) -> None:
    changed = bytearray(PUBLIC + SIGNED)
    changed[at] ^= flip
    assert accepts(PUBLIC, b"m" * 32, SIGNED)
    assert not accepts(bytes(changed[:32]), b"m" * 32, bytes(changed[32:]))


def test_bip340_input_of_another_size_is_refused() -> None:
    for public, signature in (
        (PUBLIC[:31], SIGNED),
        (PUBLIC + b"\x00", SIGNED),
        (b"", SIGNED),
        (PUBLIC, SIGNED[:63]),
        (PUBLIC, SIGNED + b"\x00"),
        (PUBLIC, b""),
    ):
        assert not accepts(public, b"m" * 32, signature)
    for public in (b"", PUBLIC, b"\x02" + PUBLIC + b"\x00", b"\x07" + PUBLIC):
        with pytest.raises(InvalidSignature):
            FROST_TAPROOT.verify(public, b"m" * 32, SIGNED)


def schnorr(message: bytes) -> tuple[bytes, bytes]:
    """A signature of the plain suite by one party, from its equation."""
    x, k = SECP256K1.scalar(5), SECP256K1.scalar(7)
    public, nonce = SECP256K1.base(x), SECP256K1.base(k)
    c = FROST_SECP256K1.challenge(nonce, public, message)
    return public, nonce + SECP256K1.add_scalars(k, SECP256K1.multiply_scalars(c, x))


def test_plain_verifier_accepts_its_equation_and_nothing_near_it() -> None:
    public, signature = schnorr(MESSAGE)
    FROST_SECP256K1.verify(public, MESSAGE, signature)
    z = int.from_bytes(signature[33:], "big")
    near = [
        (public, MESSAGE + b"!", signature),
        (SECP256K1.negate(public), MESSAGE, signature),
        (bytes(33), MESSAGE, signature),
        (public[:32], MESSAGE, signature),
        (public, MESSAGE, signature[:64]),
        (public, MESSAGE, signature + b"\x00"),
        (public, MESSAGE, bytes(33) + signature[33:]),
        (public, MESSAGE, SECP256K1.negate(signature[:33]) + signature[33:]),
        (public, MESSAGE, signature[:33] + ((z + 1) % N).to_bytes(32, "big")),
        (public, MESSAGE, signature[:33] + b"\xff" * 32),
    ]
    for key, message, other in near:
        with pytest.raises(InvalidSignature):
            FROST_SECP256K1.verify(key, message, other)
