"""Names of wallets and members: no two that people would take for each other.

The rules follow Unicode TS 39: letters of one script (section 5.1, single script), no character
that has a compatibility form or shows nothing, and a skeleton for comparison (section 4) over the
letters that Latin, Cyrillic and Greek share.
"""

import unicodedata
from collections.abc import Iterable

from console.domain.errors import MalformedIdentifier
from console.domain.text import plain_text
from console.domain.values import MAX_LABEL

_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols that show nothing."""
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_LATIN_LOOKS = str.maketrans(
    "\u0430\u0432\u0435\u0437\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u0455\u0501\u051b\u0261\u03b1\u03b2\u03b5\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5"
    "\u03c7\u03b7\u03b6\u0131\u01c0|10",
    "abe3ijkmhopctyxsdqgabeikuvoptuxnzilllo",
)


def proper_name(text: str, what: str) -> str:
    """Return a name as it is kept. Raises: MalformedIdentifier saying what is wrong with it."""
    name = plain_text(text, MAX_LABEL, what)
    if any(c in _BLANKS or _is_odd_space(c) or _selects(c) for c in name) or "  " in name:
        raise MalformedIdentifier(f"{what} holds blanks that cannot be told apart")
    if unicodedata.normalize("NFKC", name) != name:
        raise MalformedIdentifier(f"{what} holds characters that look like others")
    if not any(c.isalnum() for c in name):
        raise MalformedIdentifier(f"{what} needs a letter or a digit")
    if len({_script(c) for c in name if c.isalpha()}) > 1:
        raise MalformedIdentifier(f"{what} mixes letters of several alphabets")
    return name


def skeleton(name: str) -> str:
    """Return what names that look alike have in common; for comparison only."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_LATIN_LOOKS)
    return "".join(folded.replace("m", "rn").replace("i", "l").split())


def alike(name: str, others: Iterable[str]) -> str:
    """Return the first of the other names that people may take for this one, or ""."""
    own = skeleton(name)
    return next((other for other in others if skeleton(other) == own), "")


def _script(letter: str) -> str:
    script = unicodedata.name(letter, "?").split()[0]
    return "EAST ASIAN" if script in _EAST_ASIAN else script


def _is_odd_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs" and character != " "


def _selects(character: str) -> bool:
    """Return whether it only chooses another form of the character before it."""
    return "VARIATION SELECTOR" in unicodedata.name(character, "")
