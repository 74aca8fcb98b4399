"""What a token has of what a member needs, one row a need, each with an icon and a word."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from console.client.set_up.messages import CapabilityRow
from ui.first_run import names
from ui.status import Look
from ui.theme import Tone
from ui.widgets.card import rule
from ui.widgets.chip import Chip
from ui.widgets.text import Label

FITS = Look("check-circle", "Fits", Tone.OK)
MISSING = Look("x-circle", "Missing", Tone.DANGER)
UNTRIED = Look("circle-dashed", "Tried next", Tone.NEUTRAL)
_HEADS = ("Need", "Found", "What is used", "")
_TOP = Qt.AlignmentFlag.AlignTop


def look(row: CapabilityRow) -> Look:
    """Return a row's mark."""
    if row.fits is None:
        return UNTRIED
    return FITS if row.fits else MISSING


class CapabilityTable(QWidget):
    """Rows of a check; repaints only changes."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(names.PIN_TABLE)
        self.rows: tuple[CapabilityRow, ...] = ()
        self.marks: list[Chip] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(8)
        for place, stretch in enumerate((4, 4, 4, 0)):
            self._grid.setColumnStretch(place, stretch)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the needs that the token does not meet."""
        return tuple(row.name for row in self.rows if row.fits is False)

    def set_rows(self, rows: Sequence[CapabilityRow]) -> None:
        """Show these rows in order."""
        if tuple(rows) == self.rows:
            return
        self.rows, self.marks = tuple(rows), []
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if not rows:
            return
        for place, head in enumerate(_HEADS):
            self._grid.addWidget(Label(head, "caption"), 0, place)
        for place, shown in enumerate(rows):
            self._add(2 * place + 1, shown)

    def _add(self, line: int, shown: CapabilityRow) -> None:
        self._grid.addWidget(rule(), line, 0, 1, len(_HEADS))
        need = QWidget()
        both = QGridLayout(need)
        both.setContentsMargins(0, 0, 0, 0)
        both.setVerticalSpacing(2)
        both.addWidget(Label(shown.name, "strong", wrap=True), 0, 0)
        both.addWidget(Label(shown.need, "caption", wrap=True), 1, 0)
        # Without a parent it would be shown for a moment as a window, which takes the focus.
        chip = Chip(look(shown), self)
        chip.setAccessibleName(f"{shown.name}: {chip.look.word}")
        self.marks.append(chip)
        self._grid.addWidget(need, line + 1, 0, _TOP)
        self._grid.addWidget(Label(shown.found, "secondary", wrap=True), line + 1, 1, _TOP)
        self._grid.addWidget(Label(shown.used, "secondary", wrap=True), line + 1, 2, _TOP)
        self._grid.addWidget(chip, line + 1, 3, _TOP | Qt.AlignmentFlag.AlignRight)
