"""Pill-shaped status marks: icon, word and colour together."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons, theme
from ui.status import Look
from ui.theme import Tone

_HEIGHT = 26
_ICON = 14


def chip_font() -> QFont:
    """Return the type of chips."""
    return theme.font(12, QFont.Weight.DemiBold)


def chip_width(text: str, icon: str) -> int:
    """Return the room that a chip needs."""
    return QFontMetrics(chip_font()).horizontalAdvance(text) + (43 if icon else 24)


def paint_chip(painter: QPainter, box: QRectF, look: Look) -> None:
    """Draw a chip into `box`, with rounded ends that a style sheet cannot draw."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = theme.foreground(look.tone)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(theme.background(look.tone))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), box.height() / 2, box.height() / 2)
    left = box.left() + 12
    if look.icon:
        icon_box = QRectF(box.left() + 10, box.center().y() - _ICON / 2, _ICON, _ICON)
        icons.paint(painter, look.icon, colour, icon_box)
        left = icon_box.right() + 6
    painter.setFont(chip_font())
    painter.setPen(colour)
    room = QRectF(left, box.top(), box.right() - left - 6, box.height())
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, look.word)


class Chip(QWidget):
    """One status mark."""

    def __init__(self, look: Look | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look or Look("", "", Tone.NEUTRAL)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_look(self._look)

    @property
    def look(self) -> Look:
        """The chip's look."""
        return self._look

    def set_look(self, look: Look, word: str = "") -> None:
        """Show a state, with another word if given."""
        self._look = Look(look.icon, word or look.word, look.tone)
        self.setAccessibleName(self._look.word)
        self.setVisible(bool(self._look.word))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the chip's natural size."""
        return QSize(chip_width(self._look.word, self._look.icon), _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill."""
        del event
        painter = QPainter(self)
        paint_chip(painter, QRectF(self.rect()), self._look)
        painter.end()


class IconMark(QWidget):
    """A bare icon in the colour of a tone or token."""

    def __init__(self, icon: str, tint: str = "muted", size: int = 18) -> None:
        super().__init__()
        self._icon, self._token = icon, tint
        self.setFixedSize(size, size)

    def set_icon(self, icon: str, token: str) -> None:
        """Show another icon."""
        self._icon, self._token = icon, token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, self._icon, theme.color(self._token), QRectF(self.rect()))
        painter.end()
