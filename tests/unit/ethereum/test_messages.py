"""Personal messages are shown as they are, or flagged."""

import pytest

from console.adapters.chains.ethereum.messages import (
    MAX_MESSAGE_BYTES,
    MAX_SHOWN,
    PREFIX,
    build_message,
    parse_message,
)
from console.application.errors import TransactionError, UnknownTransaction
from console.domain.transaction import TransactionDescription
from tests.unit.ethereum.places import described


def shown(message: bytes) -> TransactionDescription:
    return described(build_message(message))


def test_text_is_shown() -> None:
    description = shown("Grüße aus Köln.\nWirklich.".encode())
    assert description.action == "Sign message"
    assert dict(description.fields)["Message"] == "Grüße aus Köln.\nWirklich."
    assert description.red_flags == ()
    assert description.fee.base_units == 0


@pytest.mark.parametrize(
    "message", [b"", b"1", b"0", b"123456789", b"a" * 10, b"9" * 99, b"5" * 995]
)
def test_where_the_length_ends_is_never_in_doubt(message: bytes) -> None:
    assert parse_message(build_message(message)).message == message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"\xff\xfe", "not text"),
        ("pay\u202eyap".encode(), "cannot be seen"),
        (b"a\tb", "cannot be seen"),
        (b"\1" * 32, "hash of something else"),
        (b"a" * 32, "hash of something else"),
        (b"a" * (MAX_SHOWN + 1), "Only the first"),
    ],
)
def test_what_cannot_be_read_is_flagged(message: bytes, words: str) -> None:
    description = shown(message)
    assert any(words in flag for flag in description.red_flags)
    assert "\u202e" not in dict(description.fields)["Message"]


WRONG = [
    b"",
    b"\x19",
    b"\x19\x00" + bytes(40),
    b"\x19\x01" + bytes(64),
    PREFIX,
    PREFIX + b"5abc",
    PREFIX + b"03abc",
    PREFIX + b"+3abc",
    PREFIX + "٣abc".encode(),
    PREFIX + b"99999" + b"a" * 99_999,
]


@pytest.mark.parametrize("data", WRONG, ids=range(len(WRONG)))
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_message(data)


def test_a_long_message_is_not_built() -> None:
    parse_message(build_message(bytes(MAX_MESSAGE_BYTES)))
    with pytest.raises(TransactionError):
        build_message(bytes(MAX_MESSAGE_BYTES + 1))
