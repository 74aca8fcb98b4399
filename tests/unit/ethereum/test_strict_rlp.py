"""RLP has one encoding for each value, and no other is read."""

import pytest

from console.adapters.chains.ethereum.strict_rlp import MAX_DEPTH, Item, decode, encode
from console.application.errors import UnknownTransaction

GOOD: list[tuple[Item, str]] = [
    (b"", "80"),
    (b"\0", "00"),
    (b"\x7f", "7f"),
    (b"\x80", "8180"),
    (b"dog", "83646f67"),
    ([], "c0"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (b"a" * 55, "b7" + "61" * 55),
    (b"a" * 56, "b838" + "61" * 56),
    (b"a" * 256, "b90100" + "61" * 256),
    ([b"a" * 55], "f838b7" + "61" * 55),
]
BAD = {
    "nothing": "",
    "a byte with a needless prefix": "8100",
    "a short item with a long prefix": "b83761" + "61" * 54,
    "a length with a leading zero": "b9003861" + "61" * 55,
    "a length that is cut off": "b9",
    "an item that is cut off": "83646f",
    "a list that is cut off": "c883636174",
    "an item longer than its list": "c28361",
    "two items": "8080",
    "a list with a long prefix": "f800",
    "a length of 8 bytes": "bfffffffffffffffff",
    "a nest that is too deep": "c6c5c4c3c2c1c0",
}


@pytest.mark.parametrize(("item", "text"), GOOD)
def test_items_are_written_and_read(item: Item, text: str) -> None:
    assert encode(item).hex() == text
    assert decode(bytes.fromhex(text)) == item


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_other_encodings_are_refused(text: str) -> None:
    with pytest.raises(UnknownTransaction):
        decode(bytes.fromhex(text))


def test_the_depth_is_bounded() -> None:
    item: Item = b""
    for _ in range(MAX_DEPTH):
        item = [item]
    assert decode(encode(item)) == item
    with pytest.raises(UnknownTransaction, match="deep"):
        decode(encode([item]))
    with pytest.raises(UnknownTransaction):
        decode(b"\xf9\xff\xff" * 5000)
