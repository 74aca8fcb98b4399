import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.math import secp256k1
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.groups import group_named
from console.protocols.math.secp256k1 import SECP256K1, N

P = 2**256 - 2**32 - 977
G = SECP256K1.generator
EDGES = (0, 1, 2, (N - 1) // 2, (N + 1) // 2, N - 2, N - 1)

Affine = tuple[int, int] | None


def affine(encoded: bytes) -> Affine:
    if encoded == SECP256K1.identity:
        return None
    x = int.from_bytes(encoded[1:], "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    return x, y if y % 2 == encoded[0] - 2 else P - y


def encoded(point: Affine) -> bytes:
    return bytes(33) if point is None else bytes((2 + point[1] % 2,)) + point[0].to_bytes(32, "big")


def plus(a: bytes, b: bytes) -> bytes:
    """Add two encoded points by the schoolbook formula."""
    left, right = affine(a), affine(b)
    if left is None or right is None:
        return encoded(right if left is None else left)
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and y1 != y2:
        return encoded(None)
    slope = 3 * x1 * x1 * pow(2 * y1, -1, P) if x1 == x2 else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return encoded((x, (slope * (x1 - x) - y1) % P))


def scalar_of(value: int) -> bytes:
    return value.to_bytes(32, "big")


def off_curve() -> int:
    return next(x for x in range(1, 99) if pow(x**3 + 7, (P - 1) // 2, P) != 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        bytes(33),
        G[1:],
        G[:32],
        G + b"\x00",
        b"\x04" + G[1:],
        b"\x01" + G[1:],
        b"\x00" + G[1:],
        b"\x02" + scalar_of(P),
        b"\x02" + scalar_of(P + 1),
        b"\x02" + b"\xff" * 32,
        b"\x02" + scalar_of(off_curve()),
        b"\x02" + bytes(32),
        *(bytes((kind,)) + b"".join(map(scalar_of, affine(G) or ())) for kind in (4, 6, 7)),
    ],
    ids=lambda data: data[:4].hex() + f"/{len(data)}",
)
def test_points_that_are_not_compressed_or_not_on_the_curve_are_refused(data: bytes) -> None:
    with pytest.raises(BadEncoding):
        SECP256K1.parse_point(data)


@pytest.mark.parametrize("value", [N, N + 1, P, 2**256 - 1])
def test_scalars_from_the_order_upwards_are_refused(value: int) -> None:
    with pytest.raises(BadEncoding):
        SECP256K1.parse_scalar(scalar_of(value))


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(64), scalar_of(1)[1:]])
def test_scalars_of_another_size_are_refused(data: bytes) -> None:
    with pytest.raises(BadEncoding):
        SECP256K1.parse_scalar(data)


def test_identity_is_a_result_and_never_a_crash() -> None:
    zero, one, minus = (SECP256K1.scalar(value) for value in (0, 1, -1))
    identity = SECP256K1.identity
    assert SECP256K1.base(zero) == SECP256K1.multiply_public(N, G) == identity
    assert SECP256K1.multiply(zero, G, secrets.token_bytes) == identity
    assert SECP256K1.multiply(one, identity, secrets.token_bytes) == identity
    assert SECP256K1.multiply_public(5, identity) == identity
    assert SECP256K1.subtract(G, G) == SECP256K1.add(identity, identity) == identity
    assert SECP256K1.sum([]) == SECP256K1.sum([G, SECP256K1.base(minus)]) == identity
    assert SECP256K1.sum([G, SECP256K1.negate(G), G]) == G
    assert SECP256K1.negate(identity) == identity
    assert SECP256K1.add(G, identity) == SECP256K1.subtract(G, identity) == G == SECP256K1.base(one)
    with pytest.raises(BadEncoding):
        SECP256K1.parse_point(identity)


def test_zero_is_a_result_of_scalar_arithmetic() -> None:
    zero, one, minus = (SECP256K1.scalar(value) for value in (0, 1, -1))
    assert SECP256K1.add_scalars(one, minus) == SECP256K1.add_scalars(zero, zero) == zero
    assert SECP256K1.add_scalars(zero, one) == SECP256K1.add_scalars(one, zero) == one
    assert SECP256K1.multiply_scalars(zero, one) == SECP256K1.multiply_scalars(one, zero) == zero
    assert SECP256K1.negate_scalar(zero) == zero
    assert SECP256K1.negate_scalar(one) == minus == scalar_of(N - 1)


@pytest.mark.parametrize("a", EDGES)
@pytest.mark.parametrize("b", EDGES)
def test_scalar_arithmetic_agrees_with_integers_at_the_edges(a: int, b: int) -> None:
    sa, sb = SECP256K1.scalar(a), SECP256K1.scalar(b)
    assert SECP256K1.add_scalars(sa, sb) == scalar_of((a + b) % N)
    assert SECP256K1.multiply_scalars(sa, sb) == scalar_of(a * b % N)
    assert SECP256K1.negate_scalar(sa) == scalar_of(-a % N)
    assert SECP256K1.sum_scalars((sa, sb, sa)) == scalar_of((2 * a + b) % N)


@given(st.lists(st.integers(0, N - 1), max_size=5))
@settings(max_examples=40, deadline=None)
def test_sum_of_scalars_agrees_with_integers(values: list[int]) -> None:
    total = SECP256K1.sum_scalars(map(SECP256K1.scalar, values))
    assert total == scalar_of(sum(values) % N)


def test_parsers_take_any_buffer() -> None:
    for kind in (bytes, bytearray, lambda b: memoryview(bytearray(b))):
        assert SECP256K1.parse_point(kind(G)) == G
        assert SECP256K1.parse_scalar(kind(scalar_of(5))) == scalar_of(5)
        assert SECP256K1.lift_x(kind(G[1:])) == G


def test_random_source_that_gives_zero_is_refused() -> None:
    with pytest.raises(BadEncoding, match="random"):
        SECP256K1.random_scalar(bytes)
    with pytest.raises(BadEncoding, match="random"):
        SECP256K1.random_scalar(lambda n: (N << 17).to_bytes(n, "big"))
    assert SECP256K1.random_scalar(lambda n: bytes(n - 1) + b"\x01") == scalar_of(1)


def test_work_on_a_secret_scalar_is_blinded_afresh() -> None:
    drawn: list[int] = []

    def random(size: int) -> bytes:
        drawn.append(size)
        return secrets.token_bytes(size)

    for _ in range(2):
        assert SECP256K1.multiply(SECP256K1.scalar(7), G, random) == SECP256K1.multiply_public(7, G)
    assert drawn == [48, 48]


def test_blinding_that_hits_the_scalar_is_harmless() -> None:
    seven = SECP256K1.scalar(7)
    product = SECP256K1.multiply(seven, G, lambda n: (7).to_bytes(n, "big"))
    assert product == SECP256K1.base(seven)


def test_lift_x_gives_the_even_point_or_refuses() -> None:
    odd = SECP256K1.negate(G)
    assert SECP256K1.has_even_y(G)
    assert not SECP256K1.has_even_y(odd)
    assert SECP256K1.lift_x(SECP256K1.x_only(odd)) == G
    for x in (scalar_of(P), scalar_of(off_curve()), b"", bytes(31), G):
        with pytest.raises(BadEncoding):
            SECP256K1.lift_x(x)


@given(st.integers(0, 2**384 - 1))
@settings(max_examples=40, deadline=None)
def test_reduction_is_modulo_the_order(value: int) -> None:
    assert SECP256K1.reduce(value.to_bytes(48, "big")) == SECP256K1.scalar(value)


@given(st.integers(0, N - 1), st.integers(0, N - 1))
@settings(max_examples=40, deadline=None)
def test_arithmetic_agrees_with_integers_and_schoolbook_points(a: int, b: int) -> None:
    sa, sb = SECP256K1.scalar(a), SECP256K1.scalar(b)
    assert SECP256K1.public_int(SECP256K1.add_scalars(sa, sb)) == (a + b) % N
    assert SECP256K1.public_int(SECP256K1.multiply_scalars(sa, sb)) == a * b % N
    assert SECP256K1.public_int(SECP256K1.negate_scalar(sa)) == -a % N
    at_a, at_b = SECP256K1.base(sa), SECP256K1.base(sb)
    assert SECP256K1.add(at_a, at_b) == SECP256K1.base(SECP256K1.scalar(a + b)) == plus(at_a, at_b)
    assert SECP256K1.subtract(at_a, at_b) == SECP256K1.base(SECP256K1.scalar(a - b))
    assert SECP256K1.multiply_public(a, at_b) == SECP256K1.base(SECP256K1.scalar(a * b))
    assert SECP256K1.multiply(sb, at_a, secrets.token_bytes) == SECP256K1.multiply_public(a, at_b)


def test_arithmetic_leaves_its_arguments_alone() -> None:
    a, b = Scalar(scalar_of(3)), Scalar(scalar_of(4))
    two, three = SECP256K1.base(SECP256K1.scalar(2)), SECP256K1.base(a)
    for _ in range(2):
        assert SECP256K1.add_scalars(a, b) == scalar_of(7)
        assert SECP256K1.multiply_scalars(a, b) == scalar_of(12)
        assert SECP256K1.multiply_public(3, two) == SECP256K1.add(three, three)
    assert (a, b) == (scalar_of(3), scalar_of(4))


def test_memory_of_points_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp256k1, "KNOWN_POINTS", known := {})
    monkeypatch.setattr(secp256k1, "MAX_KNOWN_POINTS", 4)
    multiples = [SECP256K1.multiply_public(k, G) for k in range(1, 20)]
    assert len(known) <= 4
    assert multiples == [SECP256K1.base(SECP256K1.scalar(k)) for k in range(1, 20)]
    assert SECP256K1.sum(multiples) == SECP256K1.multiply_public(190, G)


@pytest.mark.parametrize("bad", [b"", b"\x02" + b"\xff" * 32, bytes(32), b"\x05" + G[1:]])
def test_what_was_never_a_point_is_not_taken_for_the_identity(bad: bytes) -> None:
    point = Point(bad)
    for sum_with_it in (
        lambda: SECP256K1.add(G, point),
        lambda: SECP256K1.sum([point]),
        lambda: SECP256K1.add_multiple(G, 2, point),
        lambda: SECP256K1.add_multiple(point, 2, G),
        lambda: SECP256K1.multiply_public(2, point),
    ):
        with pytest.raises(BadEncoding):
            sum_with_it()


def test_sum_with_a_multiple_is_the_sum_and_the_multiple() -> None:
    two, identity = SECP256K1.add(G, G), SECP256K1.identity
    for k in (-3, -2, -1, 0, 1, 2, 5, N - 1, N, N + 1):
        for point in (G, two, identity, SECP256K1.negate(G)):
            for other in (G, two, identity):
                expected = SECP256K1.add(point, SECP256K1.multiply_public(k, other))
                assert SECP256K1.add_multiple(point, k, other) == expected


def test_product_of_a_secret_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp256k1, "KNOWN_POINTS", known := {})
    assert SECP256K1.multiply(SECP256K1.scalar(77), G, secrets.token_bytes) not in known


def test_group_is_found_by_name() -> None:
    assert group_named("secp256k1") is SECP256K1
