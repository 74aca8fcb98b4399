"""The shape of a screen while its data loads."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui import theme

_CARD = 16


class Skeleton(QWidget):
    """Two columns of bars without animation, which also suits reduced motion."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Loading")
        self.setMinimumHeight(420)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw card outlines with bars."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = min(self.width(), 1320)
        left = (width - _CARD) * 7 / 12
        self._card(painter, QRectF(0, 0, left, 232), 5)
        self._card(painter, QRectF(0, 248, left, 160), 3)
        right = QRectF(left + _CARD, 0, width - left - _CARD, 160)
        self._card(painter, right, 3)
        self._card(painter, right.translated(0, 176), 3)
        painter.end()

    @staticmethod
    def _card(painter: QPainter, box: QRectF, lines: int) -> None:
        painter.setPen(theme.color("border"))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("neutral_bg"))
        for line in range(lines):
            part = (0.32, 0.86, 0.74, 0.9, 0.58)[line % 5]
            top = box.top() + 20 + line * 40
            painter.drawRoundedRect(
                QRectF(box.left() + 16, top, (box.width() - 32) * part, 16), 4, 4
            )
