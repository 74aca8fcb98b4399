import hashlib
from dataclasses import replace

import pytest
from coincurve import PrivateKey

from console.protocols.dkls23.ecdsa import (
    EcdsaSignature,
    InvalidSignature,
    nonce_coordinate,
    normalise,
    parse_digest,
    verify,
)
from console.protocols.math.group import Point
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.network import stream

DIGEST = hashlib.sha256(b"m").digest()


def signed(seed: int, digest: bytes = DIGEST) -> tuple[Point, Point, int, EcdsaSignature]:
    """Sign by the book: key, R, the s before normalising, and the signature."""
    random = stream(f"ecdsa/{seed}")
    x, k = (SECP256K1.public_int(SECP256K1.random_scalar(random)) for _ in range(2))
    key, point = (SECP256K1.base(SECP256K1.scalar(value)) for value in (x, k))
    s = (parse_digest(digest) + nonce_coordinate(point) * x) * pow(k, -1, N) % N
    return key, point, s, normalise(point, s)


def test_signatures_of_all_parities_verify_with_a_low_s_and_lead_to_the_key() -> None:
    seen = set()
    for seed in range(24):
        key, point, s, signature = signed(seed)
        assert signature.s <= N // 2
        seen.add((SECP256K1.has_even_y(point), s > N // 2))
        verify(key, DIGEST, signature)
        for other in {0, 1, 2, 3} - {signature.recovery_id}:
            with pytest.raises(InvalidSignature):
                verify(key, DIGEST, replace(signature, recovery_id=other))
    assert len(seen) == 4


def test_all_recovery_ids_come_from_parity_overflow_and_sign() -> None:
    even = SECP256K1.lift_x((N + 2).to_bytes(32, "big"))
    odd = SECP256K1.negate(even)
    low, high = 5, N - 5
    assert [normalise(R, s).recovery_id for R in (even, odd) for s in (low, high)] == [2, 3, 3, 2]
    assert normalise(even, high) == EcdsaSignature(2, low, 3)
    small = SECP256K1.lift_x((1).to_bytes(32, "big"))
    assert [normalise(small, s).recovery_id for s in (low, high)] == [0, 1]


def test_signatures_agree_with_the_library() -> None:
    key = PrivateKey(SECP256K1.random_scalar(stream("library")))
    recoverable = key.sign_recoverable(DIGEST, hasher=None)
    r, s = (int.from_bytes(recoverable[at : at + 32], "big") for at in (0, 32))
    signature = EcdsaSignature(r, s, recoverable[64])
    assert signature.compact == recoverable[:64]
    verify(key.public_key.format(), DIGEST, signature)


@pytest.mark.parametrize(
    "change",
    [
        {"r": 0},
        {"s": 0},
        {"r": N},
        {"s": N},
        {"recovery_id": 4},
        {"recovery_id": -1},
        {"r": 1},
        {"s": 1},
        {"r": 5},
    ],
    ids=str,
)
def test_other_numbers_are_refused(change: dict[str, int]) -> None:
    key, _, _, signature = signed(1)
    with pytest.raises(InvalidSignature):
        verify(key, DIGEST, replace(signature, **change))


@pytest.mark.parametrize(
    "change",
    [{"r": -1}, {"r": 0}, {"r": N}, {"s": -1}, {"s": 0}, {"s": N}, {"recovery_id": 4}],
    ids=str,
)
def test_numbers_out_of_range_are_refused_before_the_backend_sees_them(
    change: dict[str, int],
) -> None:
    key, _, _, signature = signed(1)
    with pytest.raises(InvalidSignature, match="canonical"):
        verify(key, DIGEST, replace(signature, **change))


def test_high_s_other_key_and_other_digest_are_refused() -> None:
    key, _, _, signature = signed(1)
    with pytest.raises(InvalidSignature):
        verify(key, DIGEST, replace(signature, s=N - signature.s))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(signed(2)[0], DIGEST, signature)
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(key, bytes(32), signature)
    with pytest.raises(InvalidSignature):
        verify(key, DIGEST[:31], signature)
    with pytest.raises(InvalidSignature):
        verify(bytes(33), DIGEST, signature)


@pytest.mark.parametrize("x", [1, 2, N - 4, N + 2])
@pytest.mark.parametrize("s", [1, 2, N // 2 - 1, N // 2])
@pytest.mark.parametrize("odd", [False, True])
def test_numbers_at_their_bounds_are_accepted_and_none_beyond(x: int, s: int, odd: bool) -> None:
    """Nobody knows the key of such a signature, but it has one: (s * R - m * G) / r."""
    point = SECP256K1.lift_x(x.to_bytes(32, "big"))
    point = SECP256K1.negate(point) if odd else point
    inverse = pow(x % N, -1, N)
    minus = SECP256K1.base(SECP256K1.scalar(-parse_digest(DIGEST) * inverse))
    key = SECP256K1.add_multiple(minus, s * inverse, point)
    signature = EcdsaSignature(x % N, s, odd | 2 * (x > N))
    verify(key, DIGEST, signature)
    assert normalise(point, s) == signature
    assert normalise(point, N - s) == replace(signature, recovery_id=signature.recovery_id ^ 1)
    with pytest.raises(InvalidSignature, match="canonical"):
        verify(key, DIGEST, replace(signature, s=N // 2 + s))


def test_a_recovery_id_without_a_point_is_refused() -> None:
    """Of r + order, no x can be: r is too large for it."""
    key, _, _, signature = signed(1)
    with pytest.raises(InvalidSignature, match="another key"):
        verify(key, DIGEST, replace(signature, recovery_id=signature.recovery_id | 2))


def test_digests_are_reduced_and_have_32_bytes() -> None:
    assert parse_digest((N + 1).to_bytes(32, "big")) == 1
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match="32"):
            parse_digest(bytes(size))


@pytest.mark.parametrize("s", [0, N])
def test_zero_is_no_signature(s: int) -> None:
    with pytest.raises(InvalidSignature):
        normalise(SECP256K1.generator, s)
    with pytest.raises(InvalidSignature):
        normalise(Point(b"\x02" + N.to_bytes(32, "big")), 5)
