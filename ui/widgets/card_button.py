"""A large button in a box, whose texts wrap: what ways into the product and choices share."""

from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui import theme

WRAPS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
_FORWARD = frozenset({Qt.Key.Key_Down, Qt.Key.Key_Right})
_BACK = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Left})


class CardButton(QAbstractButton):
    """As high as its texts need; moved to by arrows. Enter and the painting are its kind's own."""

    def __init__(self, name: str, across: QSizePolicy.Policy) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(across, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def enter(self, event: QKeyEvent) -> None:
        """Take Enter: here it belongs to the page."""
        event.ignore()

    def hasHeightForWidth(self) -> bool:
        """Texts wrap."""
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height of the new width."""
        super().resizeEvent(event)
        if self.height() != self.heightForWidth(self.width()):
            self.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrows."""
        key = Qt.Key(event.key())
        if key in _FORWARD:
            self.focusNextChild()
        elif key in _BACK:
            self.focusPreviousChild()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.enter(event)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follow the pointer."""
        if event.type() in {QEvent.Type.Enter, QEvent.Type.Leave, QEvent.Type.EnabledChange}:
            self.update()
        return super().event(event)

    @staticmethod
    def paint_text(
        painter: QPainter, font: QFont, token: str, text: str, place: tuple[float, float, int]
    ) -> float:
        """Draw a text at left, top and width; return where it ends."""
        left, top, room = place
        height = text_height(font, text, room)
        painter.setFont(font)
        painter.setPen(theme.color(token))
        painter.drawText(QRectF(left, top, room, height), int(WRAPS), text)
        return top + height


def text_height(font: QFont, text: str, room: int) -> int:
    """Return the height of a text in a width."""
    box = QRect(0, 0, max(room, 1), 10_000)
    return QFontMetrics(font).boundingRect(box, int(WRAPS), text).height()
