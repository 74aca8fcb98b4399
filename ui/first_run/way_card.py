"""A way into the product: a large button with icon, title and what happens next."""

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui import icons, theme

_LEFT, _TOP, _TILE = 76, 20, 40
_WRAPS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop


class WayCard(QAbstractButton):
    """A button of the start page; one that is disabled says why."""

    def __init__(self, name: str, icon: str, title: str, sentence: str) -> None:
        super().__init__()
        self._icon, self._title, self._sentence, self._why = icon, title, sentence, ""
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_reason("")

    @property
    def reason(self) -> str:
        """Why the way is closed, or ''."""
        return self._why

    def set_reason(self, why_not: str) -> None:
        """Close the way with a reason, or open it."""
        self._why = why_not
        self.setEnabled(not why_not)
        self.setAccessibleName(self._title)
        self.setAccessibleDescription(why_not or self._sentence)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room at the present width."""
        return QSize(400, self.heightForWidth(max(self.width(), 340)))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest room."""
        return QSize(320, self.heightForWidth(320))

    def hasHeightForWidth(self) -> bool:
        """Texts wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in which every text is whole."""
        room = width - _LEFT - 44
        height = 2 * _TOP + 24 + 4 + _height(theme.font(14), self._sentence, room)
        if self._why:
            height += 8 + _height(theme.font(13), self._why, room)
        return max(height, 104)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height of the new width."""
        super().resizeEvent(event)
        self.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Enter; move by arrows."""
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Right}:
            self.focusNextChild()
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Left}:
            self.focusPreviousChild()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follow the pointer."""
        if event.type() in {QEvent.Type.Enter, QEvent.Type.Leave, QEvent.Type.EnabledChange}:
            self.update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, tile, texts and arrow."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        able = self.isEnabled()
        hot = able and (self.underMouse() or self.isDown())
        painter.setPen(QPen(theme.color("accent" if hot else "border"), 1))
        ground = "selection" if self.isDown() else "surface" if able else "app"
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        tile = QRectF(20, _TOP, _TILE, _TILE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("info_bg" if able else "neutral_bg"))
        painter.drawRoundedRect(tile, 8, 8)
        tint = theme.color("accent" if able else "muted")
        icons.paint(painter, self._icon, tint, tile.adjusted(9, 9, -9, -9))
        self._paint_texts(painter, able=able)
        if able:
            arrow = QRectF(self.width() - 34, _TOP + 11, 18, 18)
            icons.paint(painter, "chevron-right", theme.color("accent" if hot else "muted"), arrow)
        painter.end()

    def _paint_texts(self, painter: QPainter, *, able: bool) -> None:
        room = self.width() - _LEFT - 44
        painter.setFont(theme.font(16, QFont.Weight.DemiBold))
        painter.setPen(theme.color("text" if able else "text2"))
        line = QRectF(_LEFT, _TOP - 2, room, 24)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self._title)
        top, font = _TOP + 26.0, theme.font(14)
        height = _height(font, self._sentence, room)
        painter.setFont(font)
        painter.setPen(theme.color("text2" if able else "muted"))
        painter.drawText(QRectF(_LEFT, top, room, height), int(_WRAPS), self._sentence)
        if self._why:
            small = theme.font(13)
            painter.setFont(small)
            painter.setPen(theme.color("warn_fg"))
            box = QRectF(_LEFT, top + height + 8, room, _height(small, self._why, room))
            painter.drawText(box, int(_WRAPS), self._why)


def _height(font: QFont, text: str, room: int) -> int:
    box = QRect(0, 0, max(room, 1), 10_000)
    return QFontMetrics(font).boundingRect(box, int(_WRAPS), text).height()
