"""Base 58 with a checksum: one text for each payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.protocols.derivation.base58check import MAX_LENGTH, BadBase58, decode, encode

# The first address ever paid to, and its payload: a version and the hash of a key.
ADDRESS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
PAYLOAD = bytes.fromhex("0062e907b15cbf27d5425399ebf6f0fb50ebb88f18")


def test_an_address_that_everybody_knows() -> None:
    assert encode(PAYLOAD) == ADDRESS
    assert decode(ADDRESS) == PAYLOAD


@given(payload=st.binary(max_size=78))
def test_every_payload_is_read_back(payload: bytes) -> None:
    assert decode(encode(payload)) == payload


@given(text=st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=60))
def test_a_payload_has_one_text(text: str) -> None:
    try:
        payload = decode(text)
    except BadBase58:
        return
    assert encode(payload) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "length"),
        ("1" * (MAX_LENGTH + 1), "length"),
        (ADDRESS[:-1] + "0", "base 58"),
        (ADDRESS[:-1] + "é", "base 58"),
        (ADDRESS[:-1] + "b", "checksum"),
        ("1" + ADDRESS, "checksum"),
        ("1", "checksum"),
        ("1111", "checksum"),
    ],
)
def test_other_texts_are_refused_for_what_they_are(text: str, reason: str) -> None:
    with pytest.raises(BadBase58, match=reason):
        decode(text)
