"""Radio choices: sentences with a round mark, exactly one of which is chosen."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QRadioButton, QSizePolicy

from ui import theme

_MARK = 20


class ChoiceLine(QRadioButton):
    """A choice; choosing it clears the others of the same parent."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return room for one line."""
        width = QFontMetrics(theme.font(14)).horizontalAdvance(self.text())
        return QSize(width + 36, 32)

    def minimumSizeHint(self) -> QSize:
        """Return the full width: a name is never cut."""
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        """Accept clicks on the sentence as well."""
        del pos
        return self.isEnabled()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ring, dot and sentence."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mark = QRectF(1, (self.height() - _MARK) / 2, _MARK, _MARK)
        taken = self.isChecked()
        painter.setPen(QPen(theme.color("accent" if taken else "control"), 1.5))
        painter.setBrush(theme.color("surface"))
        painter.drawEllipse(mark)
        if taken:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(mark.adjusted(5, 5, -5, -5))
        painter.setFont(theme.font(14))
        painter.setPen(theme.color("text"))
        room = QRect(34, 0, self.width() - 34, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()
