"""Text that people typed: what looks the same on every screen is kept, all else is refused."""

import pytest

from console.domain.errors import MalformedIdentifier
from console.domain.text import is_plain, plain_text


@pytest.mark.parametrize("text", ["", "Treasury", "Grüße", "金庫", "\U0001f512 vault", "a\u00a0b"])
def test_what_can_be_seen_is_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "hidden",
    ["\x00", "\x07", "\n", "\u200b", "\u202e", "\ud800", "\ue000", "\u0378", "\u2028", "\u2029"],
)
def test_what_cannot_be_seen_makes_a_text_unfit(hidden: str) -> None:
    assert not is_plain(f"a{hidden}b")
    with pytest.raises(MalformedIdentifier, match="a name holds characters"):
        plain_text(f"a{hidden}b", 64, "a name")


def test_a_text_is_cleaned_before_it_is_measured() -> None:
    assert plain_text("  Treasury \t", 8, "a name") == "Treasury"
    assert plain_text("Gru\u0308\u00dfe", 5, "a name") == "Gr\u00fc\u00dfe"


@pytest.mark.parametrize("text", ["", " \n ", "x" * 9])
def test_a_text_has_a_length(text: str) -> None:
    with pytest.raises(MalformedIdentifier, match="a name has 1 to 8 characters"):
        plain_text(text, 8, "a name")
    assert plain_text("x" * 8, 8, "a name") == "x" * 8
    assert plain_text("x", 8, "a name") == "x"
