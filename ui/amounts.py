"""Amounts as text: short for reading, with all decimals on focus, plain for another program."""

import re
from typing import NamedTuple

from ui.wording import MASK

_EXACT = re.compile(r"[+\u2212-]?\d[\d\u2009]*\.[\d\u2009]+")
_THIN, _BOUND, _MAY_BREAK = "\u2009", "\u00a0", "\u200b"
_WORD = 8
"""The longest unit, or part of one, that a line must hold."""


class Sum(NamedTuple):
    """An amount and its unit, as the node sent them; a masked one shows no digit."""

    number: str
    unit: str
    masked: bool = False

    @property
    def short(self) -> str:
        """The amount without the zeros that say nothing: "1.25 SOL"."""
        return self._beside_unit(trimmed(self.number))

    @property
    def full(self) -> str:
        """The amount with all its decimals: "1.250 000 000 SOL"."""
        return self._beside_unit(self.number)

    @property
    def plain(self) -> str:
        """The amount for another program: all decimals, no groups; "" while masked."""
        if self.masked or not self.number:
            return ""
        return f"{self.number.replace(_THIN, '')} {self.unit}".strip()

    def _beside_unit(self, number: str) -> str:
        sign = number[:1] if number[:1] in {"+", "-", "\u2212"} else ""
        shown = f"{sign}{MASK}" if self.masked and number else number or "\u2013"
        if len(self.unit) <= _WORD:
            # A line never ends between an amount and its unit.
            return f"{shown}{_BOUND}{self.unit}".rstrip(_BOUND)
        parts = [self.unit[at : at + _WORD] for at in range(0, len(self.unit), _WORD)]
        return f"{shown} {_MAY_BREAK.join(parts)}"


def trimmed(number: str) -> str:
    """Return a decimal number without trailing zeros; any other text as it is."""
    if not _EXACT.fullmatch(number):
        return number
    return number.rstrip(f"0{_THIN}").removesuffix(".")


def trimmed_within(sentence: str) -> str:
    """Return a sentence of the node whose decimal numbers have no trailing zeros."""
    return _EXACT.sub(lambda found: trimmed(found.group()), sentence)
