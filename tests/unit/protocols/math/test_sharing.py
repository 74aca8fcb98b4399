import pytest

from console.protocols.kernel.secret import SecretBytes, SecretWiped
from console.protocols.math.ed25519 import ED25519, L
from console.protocols.math.feldman import (
    ShareMismatch,
    add_commitments,
    commitment_at,
    parse_commitment,
    verify_share,
)
from console.protocols.math.group import BadEncoding
from console.protocols.math.polynomial import (
    BadIndices,
    Polynomial,
    check_indices,
    interpolate,
    lagrange,
)
from tests.adversary.network import stream


@pytest.mark.parametrize(
    "indices", [(0,), (L,), (1, 1), (1, L + 1), (2, 3 * L), (1, 2, 2 - L)], ids=str
)
def test_indices_that_are_zero_or_repeat_modulo_the_order_are_refused(indices) -> None:
    with pytest.raises(BadIndices):
        check_indices(indices, L)
    with pytest.raises(BadIndices):
        lagrange(indices[0], indices, L)


def test_lagrange_needs_an_index_of_the_set() -> None:
    with pytest.raises(BadIndices):
        lagrange(4, (1, 2), L)


def test_share_at_zero_is_refused() -> None:
    polynomial = Polynomial.draw(ED25519, 2, stream("p"))
    for x in (0, L):
        with pytest.raises(BadIndices):
            polynomial.evaluate(x)


def test_interpolation_gives_the_key_and_the_other_shares() -> None:
    polynomial = Polynomial.draw(ED25519, 3, stream("p"))
    commitment = polynomial.commitments()
    points = {i: commitment_at(ED25519, commitment, i) for i in (2, 5, 300)}
    assert interpolate(ED25519, points) == commitment[0] == commitment_at(ED25519, commitment, 0)
    assert interpolate(ED25519, points, at=7) == commitment_at(ED25519, commitment, 7)


def test_wiped_polynomial_gives_nothing() -> None:
    polynomial = Polynomial.draw(ED25519, 2, stream("p"))
    polynomial.wipe()
    with pytest.raises(SecretWiped):
        polynomial.evaluate(1)
    with pytest.raises(SecretWiped):
        polynomial.commitments()


def test_share_is_checked_against_its_commitment() -> None:
    polynomial = Polynomial.draw(ED25519, 2, stream("p"))
    commitment, share = polynomial.commitments(), polynomial.evaluate(3)
    verify_share(ED25519, commitment, 3, share)
    wrong = [
        (2, share),
        (3, polynomial.evaluate(2)),
        (3, SecretBytes(bytes(32))),
        (3, SecretBytes(b"\xff" * 32)),
        (3, SecretBytes(b"")),
    ]
    for index, bad in wrong:
        with pytest.raises(ShareMismatch):
            verify_share(ED25519, commitment, index, bad)


def test_commitments_of_another_length_are_refused() -> None:
    points = Polynomial.draw(ED25519, 3, stream("p")).commitments()
    assert parse_commitment(ED25519, 3, points) == points
    for wrong in (points[:2], (*points, points[0]), ()):
        with pytest.raises(BadEncoding):
            parse_commitment(ED25519, 3, wrong)
    with pytest.raises(BadEncoding):
        parse_commitment(ED25519, 3, (*points[:2], ED25519.identity))


def test_commitments_add_up() -> None:
    a, b = (Polynomial.draw(ED25519, 2, stream(seed)) for seed in "ab")
    total = add_commitments(ED25519, [a.commitments(), b.commitments()])
    sum_at_4 = ED25519.add_scalars(
        ED25519.secret_scalar(a.evaluate(4)), ED25519.secret_scalar(b.evaluate(4))
    )
    assert commitment_at(ED25519, total, 4) == ED25519.base(sum_at_4)
    with pytest.raises(ValueError, match="zip"):
        add_commitments(ED25519, [a.commitments(), b.commitments()[:1]])
