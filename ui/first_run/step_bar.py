"""The steps of a set-up below each other: which are done, which one is open."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons, theme
from ui.first_run.set_up import TITLES, Step

_ROW, _MARK = 44, 24


class StepBar(QWidget):
    """Number, name and state of each step; a line joins them."""

    def __init__(self) -> None:
        super().__init__()
        self._now, self._done = Step.NAME, 0
        self.setObjectName("wizard.steps")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def now(self) -> Step:
        """The open step."""
        return self._now

    def show_step(self, now: Step, done: int) -> None:
        """Show which step is open, and how many are done."""
        self._now, self._done = now, done
        said = f"Step {now.value} of {len(TITLES)}: {TITLES[now]}"
        self.setAccessibleName(said)
        self.update()

    def word(self, step: Step) -> str:
        """Return a step's state."""
        if step is self._now:
            return "Now"
        return "Done" if step <= self._done else "To do"

    def sizeHint(self) -> QSize:
        """Return one row a step."""
        return QSize(200, _ROW * len(TITLES))

    def minimumSizeHint(self) -> QSize:
        """Return the same: no step is cut."""
        return QSize(160, _ROW * len(TITLES))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the steps."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, step in enumerate(TITLES):
            self._paint_step(painter, place, step)
        painter.end()

    def _paint_step(self, painter: QPainter, place: int, step: Step) -> None:
        top = place * _ROW
        here, done = step is self._now, step <= self._done and step is not self._now
        if here:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection"))
            painter.drawRoundedRect(QRectF(0, top + 2, self.width(), _ROW - 4), 6, 6)
        mark = QRectF(10, top + (_ROW - _MARK) / 2, _MARK, _MARK)
        if place + 1 < len(TITLES):
            painter.setPen(QPen(theme.color("ok_fg" if done else "border"), 1.5))
            centre = mark.center().x()
            painter.drawLine(round(centre), round(mark.bottom()) + 2, round(centre), top + _ROW + 8)
        fill = "accent" if here else "ok_bg" if done else "sunken"
        edge = "accent" if here else "ok_fg" if done else "control"
        painter.setPen(QPen(theme.color(edge), 1.5))
        painter.setBrush(theme.color(fill))
        painter.drawEllipse(mark.adjusted(1, 1, -1, -1))
        if done:
            icons.paint(painter, "check", theme.color("ok_fg"), mark.adjusted(5, 5, -5, -5))
        else:
            painter.setFont(theme.font(12, QFont.Weight.DemiBold))
            painter.setPen(theme.color("on_accent" if here else "muted"))
            painter.drawText(mark, Qt.AlignmentFlag.AlignCenter, str(step.value))
        weight = QFont.Weight.DemiBold if here else QFont.Weight.Medium
        painter.setFont(theme.font(14, weight))
        painter.setPen(theme.color("text" if here or done else "text2"))
        room = QRectF(46, top, self.width() - 46 - 56, _ROW)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, TITLES[step])
        painter.setFont(theme.font(12))
        painter.setPen(theme.color("ok_fg" if done else "text2" if here else "muted"))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(0, top, self.width() - 12, _ROW), right, self.word(step))
