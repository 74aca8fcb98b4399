"""A request's timeline: what happened and what is to come."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons, theme
from ui.status import Look

_ROW = 28


class TimelineItem(NamedTuple):
    """One line: state, title, detail at the right."""

    look: Look
    title: str
    detail: str


class Timeline(QWidget):
    """Lines with a state icon, joined by a thin line."""

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[TimelineItem, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_items(self, items: Sequence[TimelineItem]) -> None:
        """Show these lines in order."""
        self._items = tuple(items)
        spoken = [f"{item.title}: {item.look.word}, {item.detail}" for item in items]
        self.setAccessibleName("Progress. " + ". ".join(spoken))
        self.setToolTip("\n".join(f"{item.title}: {item.detail}" for item in items))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for all lines."""
        return QSize(320, _ROW * len(self._items))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body, small = theme.font(14), theme.font(12, QFont.Weight.Medium)
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for line, item in enumerate(self._items):
            top = line * _ROW
            if line:
                painter.setPen(theme.color("border"))
                painter.drawLine(9, top - 4, 9, top + 4)
            icons.paint(
                painter,
                item.look.icon,
                theme.foreground(item.look.tone),
                QRectF(0, top + 5, 18, 18),
            )
            painter.setFont(body)
            painter.setPen(theme.color("text"))
            title_width = QFontMetrics(body).horizontalAdvance(item.title)
            painter.drawText(QRectF(32, top, title_width + 2, _ROW), side, item.title)
            room = self.width() - 32 - title_width - 16
            painter.setFont(small)
            painter.setPen(theme.color("muted"))
            detail = QFontMetrics(small).elidedText(
                item.detail, Qt.TextElideMode.ElideRight, max(room, 0)
            )
            painter.drawText(QRectF(self.width() - room, top, room, _ROW), side, detail)
        painter.end()
