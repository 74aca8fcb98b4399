import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.kernel.transcript import XOF, H, Hs, Tag, enc

fields = st.recursive(
    st.binary(max_size=4) | st.text(max_size=4) | st.integers(-(2**40), 2**40),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def test_tags_are_unique_and_well_formed() -> None:
    values = [tag.value for tag in Tag]
    assert len(set(values)) == len(Tag.__members__) == len(values)
    assert all(re.fullmatch(r"tsig/v1/[a-z][a-z0-9]*/[a-z][a-z0-9-]*", value) for value in values)


@given(st.lists(fields, max_size=4), st.lists(fields, max_size=4))
@settings(max_examples=300, deadline=None)
def test_framing_is_injective(a, b) -> None:
    assert (enc("t", *a) == enc("t", *b)) == (a == b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((b"ab", b"c"), (b"a", b"bc")),
        ((b"a",), ("a",)),
        ((b"",), ()),
        (((b"a", b"b"),), (b"a", b"b")),
        (((b"a",), (b"b",)), ((b"a", b"b"), ())),
        ((1,), (b"\x01",)),
        ((0,), (b"",)),
        ((-1,), (1,)),
        ((255,), (-255,)),
    ],
)
def test_look_alikes_are_framed_apart(a, b) -> None:
    assert enc("t", *a) != enc("t", *b)


def test_tags_separate() -> None:
    assert H(Tag.ECHO, b"x") != H(Tag.ENVELOPE, b"x")
    assert enc("ab", b"c") != enc("a", b"bc")


def test_truth_values_are_not_hashed() -> None:
    with pytest.raises(TypeError):
        enc("t", True)


def test_hash_sizes_and_ranges() -> None:
    assert len(H(Tag.ECHO)) == 32
    assert XOF(Tag.ECHO, 48)[:32] == H(Tag.ECHO)
    assert 0 <= Hs(Tag.ECHO, 97, b"x") < 97
    assert Hs(Tag.ECHO, 2**384) == int.from_bytes(XOF(Tag.ECHO, 48), "big")
