"""A choice in a box: ring, title, lines that wrap, and a mark at the right."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from ui import theme
from ui.status import Look
from ui.widgets.card_button import CardButton, text_height
from ui.widgets.chip import chip_width, paint_chip

_LEFT, _PAD, _RING, _GAP = 48, 14, 20, 3


class ChoiceCard(CardButton):
    """One of several choices; its owner clears the others. One that is disabled says why."""

    def __init__(self, name: str) -> None:
        super().__init__(name, QSizePolicy.Policy.Preferred)
        self._title = self._why = ""
        self._lines: tuple[str, ...] = ()
        self._look: Look | None = None
        self.setCheckable(True)

    @property
    def look(self) -> Look | None:
        """The mark at the right."""
        return self._look

    def show_choice(
        self, title: str, lines: Sequence[str], look: Look | None, why_not: str = ""
    ) -> None:
        """Show a choice; with `why_not` it cannot be chosen, and says so."""
        shown = (title, tuple(line for line in lines if line), look, why_not)
        if shown == (self._title, self._lines, self._look, self._why):
            return
        self._title, self._lines, self._look, self._why = shown
        self.setEnabled(not why_not)
        word = look.word if look else ""
        said = ". ".join(part.rstrip(".") for part in (title, word, *self._lines, why_not) if part)
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room at the present width."""
        return QSize(320, self.heightForWidth(max(self.width(), 320)))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest room."""
        return QSize(280, 56)

    def heightForWidth(self, width: int) -> int:
        """Return the height in which every text is whole."""
        total = 2 * _PAD + text_height(_title_font(), self._title, self._title_room(width))
        small = theme.font(13)
        for line in self._below():
            total += _GAP + text_height(small, line, self._title_room(width))
        return max(total, 52)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, ring, texts and mark."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        able, taken = self.isEnabled(), self.isChecked()
        hovered = able and self.underMouse() and not taken
        edge = "accent" if taken else "control" if able else "border"
        ground = "selection" if taken else "hover" if hovered else "surface" if able else "app"
        painter.setPen(QPen(theme.color(edge), 2 if taken else 1))
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        self._paint_ring(painter, able=able, taken=taken)
        room, small = self._title_room(self.width()), theme.font(13)
        token = "text" if able else "text2"
        top = self.paint_text(painter, _title_font(), token, self._title, (_LEFT, _PAD, room))
        for line in self._lines:
            top = self.paint_text(painter, small, "text2", line, (_LEFT, top + _GAP, room))
        if self._why:
            self.paint_text(painter, small, "warn_fg", self._why, (_LEFT, top + _GAP, room))
        if self._look is not None:
            width = chip_width(self._look.word, self._look.icon)
            paint_chip(painter, QRectF(self.width() - width - 14, 12, width, 24), self._look)
        painter.end()

    def _paint_ring(self, painter: QPainter, *, able: bool, taken: bool) -> None:
        mark = QRectF(16, _PAD, _RING, _RING)
        painter.setPen(
            QPen(theme.color("accent" if taken else "control" if able else "border"), 1.5)
        )
        painter.setBrush(theme.color("surface" if able else "app"))
        painter.drawEllipse(mark)
        if taken:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(mark.adjusted(5, 5, -5, -5))

    def _below(self) -> tuple[str, ...]:
        return (*self._lines, self._why) if self._why else self._lines

    def _title_room(self, width: int) -> int:
        taken = chip_width(self._look.word, self._look.icon) + 12 if self._look else 0
        return max(width - _LEFT - 16 - taken, 80)


def _title_font() -> QFont:
    return theme.font(14, QFont.Weight.DemiBold)
