"""A way into the product: a large button with icon, title and what happens next."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from ui import icons, theme
from ui.widgets.card_button import CardButton, text_height

_LEFT, _TOP, _TILE = 76, 20, 40


class WayCard(CardButton):
    """A button of the start page; one that is disabled says why."""

    def __init__(self, name: str, icon: str, title: str, sentence: str) -> None:
        super().__init__(name, QSizePolicy.Policy.Expanding)
        self._icon, self._title, self._sentence, self._why = icon, title, sentence, ""
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

    def heightForWidth(self, width: int) -> int:
        """Return the height in which every text is whole."""
        room = width - _LEFT - 44
        height = 2 * _TOP + 24 + 4 + text_height(theme.font(14), self._sentence, room)
        if self._why:
            height += 8 + text_height(theme.font(13), self._why, room)
        return max(height, 104)

    def enter(self, event: QKeyEvent) -> None:
        """Open."""
        del event
        self.click()

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
        place = (_LEFT, _TOP + 26.0, room)
        token = "text2" if able else "muted"
        end = self.paint_text(painter, theme.font(14), token, self._sentence, place)
        if self._why:
            self.paint_text(painter, theme.font(13), "warn_fg", self._why, (_LEFT, end + 8, room))
