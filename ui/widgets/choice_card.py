"""A choice in a box: ring, title, lines that wrap, and a mark at the right."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui import theme
from ui.status import Look
from ui.widgets.chip import chip_width, paint_chip

_LEFT, _PAD, _RING, _GAP = 48, 14, 20, 3
_WRAPS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop


class ChoiceCard(QAbstractButton):
    """One of several choices; its owner clears the others. One that is disabled says why."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._title = self._why = ""
        self._lines: tuple[str, ...] = ()
        self._look: Look | None = None
        self.setObjectName(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

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

    def hasHeightForWidth(self) -> bool:
        """Texts wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in which every text is whole."""
        total = 2 * _PAD + self._text_height(_title_font(), self._title, self._title_room(width))
        small = theme.font(13)
        for line in self._below():
            total += _GAP + self._text_height(small, line, self._title_room(width))
        return max(total, 52)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height of the new width."""
        super().resizeEvent(event)
        if self.height() != self.heightForWidth(self.width()):
            self.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrows; Enter belongs to the page."""
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Down, Qt.Key.Key_Right}:
            self.focusNextChild()
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Left}:
            self.focusPreviousChild()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follow the pointer."""
        if event.type() in {QEvent.Type.Enter, QEvent.Type.Leave, QEvent.Type.EnabledChange}:
            self.update()
        return super().event(event)

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
        top = float(_PAD)
        room = self._title_room(self.width())
        top = self._paint(
            painter, _title_font(), "text" if able else "text2", self._title, top, room
        )
        small, wide = theme.font(13), room
        for line in self._lines:
            top = self._paint(painter, small, "text2", line, top + _GAP, wide)
        if self._why:
            self._paint(painter, small, "warn_fg", self._why, top + _GAP, wide)
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

    def _paint(
        self, painter: QPainter, font: QFont, token: str, text: str, top: float, room: int
    ) -> float:
        height = self._text_height(font, text, room)
        painter.setFont(font)
        painter.setPen(theme.color(token))
        painter.drawText(QRectF(_LEFT, top, room, height), int(_WRAPS), text)
        return top + height

    def _below(self) -> tuple[str, ...]:
        return (*self._lines, self._why) if self._why else self._lines

    def _title_room(self, width: int) -> int:
        taken = chip_width(self._look.word, self._look.icon) + 12 if self._look else 0
        return max(width - _LEFT - 16 - taken, 80)

    @staticmethod
    def _text_height(font: QFont, text: str, room: int) -> int:
        box = QRect(0, 0, max(room, 1), 10_000)
        return QFontMetrics(font).boundingRect(box, int(_WRAPS), text).height()


def _title_font() -> QFont:
    return theme.font(14, QFont.Weight.DemiBold)
