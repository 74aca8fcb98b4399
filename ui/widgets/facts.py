"""Read-only pairs of label and value."""

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.amounts import Sum
from ui.widgets.amount import AmountLabel
from ui.widgets.text import Label

_LONG_WORD, _PIECE = 32, 8
_MAY_BREAK = "\u200b"
"""Zero width space: an invisible point where a line may end."""


class Fact(NamedTuple):
    """One line: label, value, whether it is in monospace, and the amount that the value is."""

    label: str
    value: str
    mono: bool = False
    amount: Sum | None = None

    @classmethod
    def of_amount(cls, label: str, amount: Sum) -> "Fact":
        """Return a line whose value is an amount."""
        return cls(label, amount.full, amount=amount)


class Facts(QWidget):
    """Lines of facts: labels left, values right; repaints only changes."""

    def __init__(self, *, values_left: bool = False) -> None:
        super().__init__()
        self._shown: tuple[Fact, ...] = ()
        self._side = Qt.AlignmentFlag.AlignLeft if values_left else Qt.AlignmentFlag.AlignRight
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)

    @property
    def shown(self) -> tuple[Fact, ...]:
        """The facts on screen."""
        return self._shown

    def set_facts(self, *facts: Fact) -> None:
        """Show these facts in order."""
        if facts == self._shown:
            return
        self._shown = facts
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line, fact in enumerate(facts):
            name = Label(fact.label, "secondary")
            value = _value(fact)
            value.setAlignment(self._side | Qt.AlignmentFlag.AlignTop)
            value.setAccessibleName(f"{fact.label}: {fact.value}")
            self._grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, line, 1)


def _value(fact: Fact) -> Label:
    if fact.amount is not None:
        shown = AmountLabel("", "body")
        shown.set_sum(fact.amount)
        return shown
    return Label(_breakable(fact.value), "mono" if fact.mono else "body", wrap=True)


def _breakable(text: str) -> str:
    """Return a value whose long words, such as hashes, can wrap: a value is never cut."""
    return " ".join(
        _MAY_BREAK.join(word[at : at + _PIECE] for at in range(0, len(word), _PIECE))
        if len(word) > _LONG_WORD
        else word
        for word in text.split(" ")
    )
