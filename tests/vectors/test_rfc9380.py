"""RFC 9380: expansion of messages, and hashing to points of secp256k1."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from console.protocols.math.hash_to_curve import (
    _A,
    _B,
    _Z,
    BadExpansion,
    P,
    _simplified_swu,
    expand_message_xmd,
    hash_to_field,
    hash_to_secp256k1,
    map_to_secp256k1,
)
from console.protocols.math.secp256k1 import SECP256K1

HERE = Path(__file__).parent / "rfc9380-hash-to-curve"
CURVE = json.loads((HERE / "secp256k1_XMD-SHA-256_SSWU_RO_.json").read_text())
EDWARDS = json.loads((HERE / "edwards25519_XMD-SHA-512_ELL2_RO_.json").read_text())
EXPANSIONS = [
    (name, test)
    for name in ("SHA256", "SHA512")
    for test in json.loads((HERE / f"expand_message_xmd_{name}_38.json").read_text())["tests"]
]


def number(text: str) -> int:
    return int(text, 16)


def point(coordinates: dict[str, str]) -> bytes:
    x, y = number(coordinates["x"]), number(coordinates["y"])
    return bytes((2 + y % 2,)) + x.to_bytes(32, "big")


@pytest.mark.parametrize(("name", "test"), EXPANSIONS)
def test_expansion(name: str, test: dict[str, str]) -> None:
    dst = bytes.fromhex(test["DST_prime"])[:-1]
    algorithm = {"SHA256": hashlib.sha256, "SHA512": hashlib.sha512}[name]
    size = number(test["len_in_bytes"])
    assert (
        expand_message_xmd(test["msg"].encode(), dst, size, algorithm).hex()
        == test["uniform_bytes"]
    )


@pytest.mark.parametrize("case", CURVE["vectors"], ids=range(len(CURVE["vectors"])))
def test_points(case: dict[str, Any]) -> None:
    message, dst = case["msg"].encode(), CURVE["dst"].encode()
    u = hash_to_field(message, dst, P, 2)
    assert list(u) == [number(value) for value in case["u"]]
    assert map_to_secp256k1(u[0]) == point(case["Q0"])
    assert map_to_secp256k1(u[1]) == point(case["Q1"])
    assert hash_to_secp256k1(message, dst) == point(case["P"])


@pytest.mark.parametrize("case", EDWARDS["vectors"], ids=range(len(EDWARDS["vectors"])))
def test_field_elements_of_another_curve_and_hash(case: dict[str, Any]) -> None:
    """No point of edwards25519 is hashed to here; its suite has the same hash to a field."""
    message, dst, prime = (
        case["msg"].encode(),
        EDWARDS["dst"].encode(),
        number(EDWARDS["field"]["p"]),
    )
    u = hash_to_field(message, dst, prime, 2, hashlib.sha512)
    assert list(u) == [number(value) for value in case["u"]]


@pytest.mark.parametrize("u", [0, 1, P - 1, 2, 3])
def test_exceptional_field_elements_reach_the_curve(u: int) -> None:
    mapped = map_to_secp256k1(u)
    assert SECP256K1.parse_point(mapped) == mapped
    # The point of E' before the isogeny: on the curve, with the sign of u (section 6.6.2).
    x, y = _simplified_swu(u)
    assert (y * y - (x * x * x + _A * x + _B)) % P == 0
    assert y % 2 == u % 2
    if u == 0:  # the inverse that the formula needs does not exist
        assert x * _Z * _A % P == _B


def test_long_tags_are_hashed_and_empty_ones_refused() -> None:
    long = b"t" * 256
    hashed = hashlib.sha256(b"H2C-OVERSIZE-DST-" + long).digest()
    assert expand_message_xmd(b"m", long, 40) == expand_message_xmd(b"m", hashed, 40)
    assert expand_message_xmd(b"m", long[:255], 40) != expand_message_xmd(b"m", long, 40)
    # With 255 bytes a tag is used as it is: its length still fits into a byte (section 5.3.1).
    suffix = long[:255] + b"\xff"
    first = hashlib.sha256(bytes(64) + b"m" + b"\x00\x20\x00" + suffix).digest()
    block = hashlib.sha256(first + b"\x01" + suffix).digest()
    assert expand_message_xmd(b"m", long[:255], 32) == block
    with pytest.raises(BadExpansion):
        expand_message_xmd(b"m", b"", 32)


def test_outputs_beyond_the_hash_are_refused() -> None:
    assert len(expand_message_xmd(b"m", b"t", 255 * 32)) == 255 * 32
    for size in (255 * 32 + 1, 2**16):
        with pytest.raises(BadExpansion):
            expand_message_xmd(b"m", b"t", size)
