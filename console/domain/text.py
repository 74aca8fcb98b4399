"""Text that people typed: refused unless it looks the same on every screen."""

import unicodedata

from console.domain.errors import MalformedIdentifier

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, format and direction marks, surrogates, private and unassigned, line separators."""


def is_plain(text: str) -> bool:
    """Return whether every character of a text is visible."""
    return all(unicodedata.category(character) not in _HIDDEN for character in text)


def printable(text: str, limit: int) -> str:
    """Return a text that holds what others sent, fit to be signed: marked, and cut to the limit."""
    marked = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _HIDDEN else c for c in text
    )
    return marked if len(marked) <= limit else f"{marked[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


def plain_text(text: str, limit: int, what: str) -> str:
    """Return the text in NFC without surrounding space.

    Raises: MalformedIdentifier if it is empty, too long, or holds what cannot be seen.
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not cleaned or len(cleaned) > limit:
        raise MalformedIdentifier(f"{what} has 1 to {limit} characters")
    if not is_plain(cleaned):
        raise MalformedIdentifier(f"{what} holds characters that cannot be shown plainly")
    return cleaned
