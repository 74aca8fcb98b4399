"""Members by rounds of a protocol session: each cell is an icon, a word and a colour."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from console.application.views import ProtocolSessionView, StepState
from ui import icons, theme
from ui.status import STEP

_ROW = 36
_HEAD = 32
_NAMES = 132
_ICON_ROOM = 24


class RoundMatrix(QWidget):
    """The live state of one protocol session."""

    def __init__(self) -> None:
        super().__init__()
        self._run: ProtocolSessionView | None = None
        self._names: dict[str, str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_run(self, run: ProtocolSessionView | None, names: dict[str, str]) -> None:
        """Show a session; `names` maps members to display names."""
        self._run, self._names = run, names
        self.setVisible(run is not None)
        if run is not None:
            spoken = [
                f"{names.get(cell.member, cell.member)} {cell.round}: {STEP[cell.state].word}"
                for cell in run.cells
            ]
            self.setAccessibleName(f"{run.protocol} run")
            self.setAccessibleDescription(". ".join(spoken))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for all members."""
        people = len(self._run.participants) if self._run else 0
        rounds = len(self._run.rounds) if self._run else 0
        return QSize(_NAMES + rounds * 96, _HEAD + people * _ROW)

    def minimumSizeHint(self) -> QSize:
        """Return the full height: rows are never cut."""
        return QSize(260, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads, names and cells."""
        del event
        if self._run is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = (self.width() - _NAMES) / max(len(self._run.rounds), 1)
        self._paint_head(painter, width)
        states = {(cell.member, cell.round): cell.state for cell in self._run.cells}
        for line, member in enumerate(self._run.participants):
            top = _HEAD + line * _ROW
            painter.setPen(theme.color("border"))
            painter.drawLine(0, top, self.width(), top)
            painter.setPen(theme.color("text"))
            font = theme.font(13, QFont.Weight.Medium)
            painter.setFont(font)
            name = self._names.get(member, member)
            elided = QFontMetrics(font).elidedText(name, Qt.TextElideMode.ElideRight, _NAMES - 8)
            painter.drawText(
                QRectF(0, top, _NAMES - 8, _ROW), Qt.AlignmentFlag.AlignVCenter, elided
            )
            for place in range(len(self._run.rounds)):
                state = states.get((member, place + 1), StepState.NOT_STARTED)
                wide = width - 4 if width > _ICON_ROOM else width
                box = QRectF(_NAMES + place * width, top + 4, wide, _ROW - 8)
                _paint_cell(painter, box, state)
        painter.end()

    def _paint_head(self, painter: QPainter, width: float) -> None:
        run = self._run
        if run is None:
            return
        for place, title in enumerate(run.rounds):
            current = place + 1 == run.round and not run.ended
            font = theme.font(12, QFont.Weight.DemiBold if current else QFont.Weight.Medium)
            painter.setFont(font)
            painter.setPen(theme.color("accent" if current else "muted"))
            box = QRectF(_NAMES + place * width, 0, max(width - 6, 3.0), _HEAD)
            text = f"{place + 1} {title}"
            elided = QFontMetrics(font).elidedText(
                text, Qt.TextElideMode.ElideRight, round(box.width())
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, elided)
            if current:
                painter.fillRect(
                    QRectF(box.left(), _HEAD - 2, box.width(), 2), theme.color("accent")
                )


def _paint_cell(painter: QPainter, box: QRectF, state: StepState) -> None:
    look = STEP[state]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.background(look.tone))
    painter.drawRoundedRect(box, 5, 5)
    colour = theme.foreground(look.tone)
    if box.width() < _ICON_ROOM:
        # With one column per signature, up to a hundred: colours alone show the progress.
        return
    icons.paint(painter, look.icon, colour, QRectF(box.left() + 8, box.center().y() - 8, 16, 16))
    room = box.width() - 36
    font = theme.font(12, QFont.Weight.Medium)
    if room < 28:
        return
    painter.setFont(font)
    painter.setPen(colour)
    word = QFontMetrics(font).elidedText(look.word, Qt.TextElideMode.ElideRight, round(room))
    where = QRectF(box.left() + 30, box.top(), room + 4, box.height())
    painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, word)
