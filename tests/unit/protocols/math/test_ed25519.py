import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.math import ed25519
from console.protocols.math.ed25519 import ED25519, L
from console.protocols.math.group import BadEncoding
from console.protocols.math.groups import group_named

EDGES = (0, 1, 2, (L - 1) // 2, (L + 1) // 2, L - 2, L - 1)

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
TORSION = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


def affine(encoded: bytes) -> tuple[int, int]:
    """Decode without any check but the equation of the curve."""
    number = int.from_bytes(encoded, "little")
    y, sign = number % 2**255, number >> 255
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, -1, P) % P
    root = pow(x, (P + 3) // 8, P)
    if root * root % P != x:
        root = root * pow(2, (P - 1) // 4, P) % P
    return (P - root if root % 2 != sign else root) % P, y


def plus(a: bytes, b: bytes) -> bytes:
    """Add two encoded points by the schoolbook formula."""
    (x1, y1), (x2, y2) = affine(a), affine(b)
    k = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def scalar_of(value: int) -> bytes:
    return value.to_bytes(32, "little")


@pytest.mark.parametrize("encoded", TORSION)
def test_small_order_points_are_refused(encoded: str) -> None:
    with pytest.raises(BadEncoding):
        ED25519.parse_point(bytes.fromhex(encoded))


@pytest.mark.parametrize("encoded", TORSION[1:])
def test_mixed_order_points_are_refused(encoded: str) -> None:
    mixed = plus(ED25519.generator, bytes.fromhex(encoded))
    assert plus(mixed, bytes(ED25519.identity)) == mixed
    with pytest.raises(BadEncoding):
        ED25519.parse_point(mixed)


@pytest.mark.parametrize(
    "encoded",
    [
        scalar_of(P),
        scalar_of(P + 1),
        scalar_of(P + 3),
        b"\xff" * 32,
        b"\x02" + bytes(31),
        b"\x01" + bytes(30) + b"\x80",
        b"",
        bytes(31),
        ED25519.generator + b"\x00",
        b"\x04" + ED25519.generator * 2,
    ],
)
def test_points_that_are_not_canonical_or_not_on_the_curve_are_refused(encoded: bytes) -> None:
    with pytest.raises(BadEncoding):
        ED25519.parse_point(encoded)


@pytest.mark.parametrize("value", [L, L + 1, 2 * L, 2**252 * 15, 2**256 - 1])
def test_scalars_from_the_order_upwards_are_refused(value: int) -> None:
    with pytest.raises(BadEncoding):
        ED25519.parse_scalar(scalar_of(value))


@pytest.mark.parametrize("encoded", [b"", bytes(31), bytes(33), bytes(64)])
def test_scalars_of_another_size_are_refused(encoded: bytes) -> None:
    with pytest.raises(BadEncoding):
        ED25519.parse_scalar(encoded)


def test_identity_is_a_result_and_never_a_crash() -> None:
    g, zero, one = ED25519.generator, ED25519.scalar(0), ED25519.scalar(1)
    identity = ED25519.identity
    assert ED25519.base(zero) == ED25519.multiply(zero, g, bytes) == identity
    assert ED25519.multiply(one, identity, bytes) == ED25519.multiply_public(L, g) == identity
    assert ED25519.subtract(g, g) == ED25519.add(identity, identity) == identity
    assert ED25519.sum([]) == ED25519.negate(identity) == identity
    assert ED25519.add(ED25519.negate(g), g) == identity
    assert ED25519.add(g, identity) == g == ED25519.base(one)
    with pytest.raises(BadEncoding):
        ED25519.parse_point(identity)


def test_sum_with_a_multiple_is_the_sum_and_the_multiple() -> None:
    G, identity = ED25519.generator, ED25519.identity  # noqa: N806
    for k in (-2, -1, 0, 1, 2, L - 1, L):
        for point in (G, identity):
            expected = ED25519.add(point, ED25519.multiply_public(k, G))
            assert ED25519.add_multiple(point, k, G) == expected


@pytest.mark.parametrize("a", EDGES)
@pytest.mark.parametrize("b", EDGES)
def test_scalar_arithmetic_agrees_with_integers_at_the_edges(a: int, b: int) -> None:
    sa, sb = ED25519.scalar(a), ED25519.scalar(b)
    assert ED25519.add_scalars(sa, sb) == scalar_of((a + b) % L)
    assert ED25519.multiply_scalars(sa, sb) == scalar_of(a * b % L)
    assert ED25519.negate_scalar(sa) == scalar_of(-a % L)
    assert ED25519.sum_scalars((sa, sb, sa)) == scalar_of((2 * a + b) % L)
    assert ED25519.sum_scalars(()) == scalar_of(0)


def test_parsers_take_any_buffer() -> None:
    for kind in (bytes, bytearray, lambda b: memoryview(bytearray(b))):
        assert ED25519.parse_point(kind(ED25519.generator)) == ED25519.generator
        assert ED25519.parse_scalar(kind(scalar_of(5))) == scalar_of(5)


def test_random_source_that_gives_zero_is_refused() -> None:
    with pytest.raises(BadEncoding, match="random"):
        ED25519.random_scalar(bytes)
    assert ED25519.random_scalar(lambda n: b"\x01" + bytes(n - 1)) == scalar_of(1)


@given(st.integers(0, L - 1), st.integers(0, L - 1))
@settings(max_examples=40, deadline=None)
def test_arithmetic_agrees_with_integers_and_schoolbook_points(a: int, b: int) -> None:
    sa, sb = ED25519.scalar(a), ED25519.scalar(b)
    assert ED25519.public_int(ED25519.add_scalars(sa, sb)) == (a + b) % L
    assert ED25519.public_int(ED25519.multiply_scalars(sa, sb)) == a * b % L
    assert ED25519.public_int(ED25519.negate_scalar(sa)) == -a % L
    at_a, at_b = ED25519.base(sa), ED25519.base(sb)
    assert ED25519.add(at_a, at_b) == ED25519.base(ED25519.scalar(a + b)) == plus(at_a, at_b)
    assert ED25519.subtract(at_a, at_b) == ED25519.base(ED25519.scalar(a - b))
    assert ED25519.multiply(sb, at_a, bytes) == ED25519.multiply_public(a, at_b)


def test_memory_of_points_is_bounded_and_accepts_no_other(monkeypatch) -> None:
    monkeypatch.setattr(ed25519, "VALID_POINTS", known := set())
    monkeypatch.setattr(ed25519, "MAX_VALID_POINTS", 4)
    for k in range(1, 20):
        point = ED25519.base(ED25519.scalar(k))
        assert ED25519.parse_point(point) == ED25519.parse_point(point) == point
        assert len(known) <= 4
    for encoded in TORSION:
        with pytest.raises(BadEncoding):
            ED25519.parse_point(bytes.fromhex(encoded))
        assert bytes.fromhex(encoded) not in known


def test_groups_are_found_by_name() -> None:
    assert group_named("ed25519") is ED25519
    with pytest.raises(BadEncoding):
        group_named("curve25519")
