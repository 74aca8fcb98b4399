"""Approvals as segments: one box per member, with name, state and time."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons, theme
from ui.status import Look
from ui.theme import Tone

_HEIGHT = 56
_GAP = 8
_MIN = 128


class Segment(NamedTuple):
    """One member's segment."""

    name: str
    detail: str
    look: Look


class SegmentedApprovals(QWidget):
    """A bar of segments that wraps."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self._segments: tuple[Segment, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Show these members in order."""
        self._segments = tuple(segments)
        spoken = [f"{part.name}: {part.look.word}, {part.detail}" for part in segments]
        self.setAccessibleName(f"{self._what}. " + ". ".join(spoken))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for one row."""
        return QSize(3 * _MIN, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """Return room for two segments side by side."""
        return QSize(2 * _MIN, _HEIGHT)

    def hasHeightForWidth(self) -> bool:
        """Segments wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows."""
        rows = -(-len(self._segments) // self._per_row(width)) or 1
        return rows * _HEIGHT + (rows - 1) * _GAP

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the segments."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        per_row = min(self._per_row(self.width()), max(len(self._segments), 1))
        width = (self.width() - _GAP * (per_row - 1)) / per_row
        for index, segment in enumerate(self._segments):
            line, place = divmod(index, per_row)
            box = QRectF(place * (width + _GAP), line * (_HEIGHT + _GAP), width, _HEIGHT)
            _paint_segment(painter, box, segment)
        painter.end()

    def _per_row(self, width: int) -> int:
        return max((width + _GAP) // (_MIN + _GAP), 1)


def _paint_segment(painter: QPainter, box: QRectF, segment: Segment) -> None:
    colour = theme.foreground(segment.look.tone)
    open_place = segment.look.tone in {Tone.NEUTRAL, Tone.INFO}
    pen = QPen(colour, 1, Qt.PenStyle.DashLine if open_place else Qt.PenStyle.SolidLine)
    painter.setPen(pen)
    painter.setBrush(theme.background(segment.look.tone))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    icons.paint(painter, segment.look.icon, colour, QRectF(box.left() + 10, box.top() + 10, 16, 16))
    left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    strong = theme.font(13, QFont.Weight.DemiBold)
    painter.setFont(strong)
    painter.setPen(colour)
    room = box.width() - 44
    name = QFontMetrics(strong).elidedText(segment.name, Qt.TextElideMode.ElideRight, round(room))
    painter.drawText(QRectF(box.left() + 34, box.top() + 8, room, 20), left, name)
    small = theme.font(12)
    painter.setFont(small)
    painter.setPen(theme.color("text2"))
    room = box.width() - 22
    text = QFontMetrics(small).elidedText(segment.detail, Qt.TextElideMode.ElideRight, round(room))
    painter.drawText(QRectF(box.left() + 11, box.top() + 30, room, 18), left, text)
