"""Controls of the frame: sidebar entries and the members on this machine."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui import icons, theme
from ui.wording import initials


class NavButton(QAbstractButton):
    """A sidebar entry with an icon, a word and a count of waiting items."""

    def __init__(self, title: str, icon: str, name: str, shortcut: str) -> None:
        super().__init__()
        self._icon_name = icon
        self._count = 0
        self._compact = False
        self._title = title
        self.setText(title)
        self.setObjectName(name)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setToolTip(f"{title}  {shortcut}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_count(0)

    @property
    def count(self) -> int:
        """The number on the badge."""
        return self._count

    def set_count(self, count: int) -> None:
        """Show how many items wait; 0 hides the badge."""
        self._count = count
        self.setAccessibleName(f"{self._title}, {count} waiting" if count else self._title)
        self.update()

    def set_compact(self, *, compact: bool) -> None:
        """Show the icon alone, with the badge at its corner."""
        self._compact = compact
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return one line of the sidebar."""
        return QSize(40 if self._compact else 200, 36)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Enter."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the entry."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.rect())
        chosen = self.isChecked()
        if chosen or self.underMouse():
            painter.setBrush(theme.color("selection" if chosen else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        if chosen:
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(0, 8, 3, box.height() - 16), 1.5, 1.5)
        colour = theme.color("text" if chosen else "text2")
        left = (self.width() - 18) / 2 if self._compact else 12
        icons.paint(painter, self._icon_name, colour, QRectF(left, 9, 18, 18))
        if not self._compact:
            self._paint_title(painter, box)
        if self._count:
            self._paint_badge(painter)
        painter.end()

    def _paint_title(self, painter: QPainter, box: QRectF) -> None:
        chosen = self.isChecked()
        painter.setFont(theme.font(14, QFont.Weight.DemiBold if chosen else QFont.Weight.Medium))
        painter.setPen(theme.color("text" if chosen else "text2"))
        painter.drawText(box.adjusted(40, 0, -40, 0), Qt.AlignmentFlag.AlignVCenter, self._title)

    def _paint_badge(self, painter: QPainter) -> None:
        text = str(self._count) if self._count < 100 else "99+"
        font = theme.font(10 if self._compact else 12, QFont.Weight.DemiBold)
        spare, least, height = (6, 14, 14) if self._compact else (14, 24, 20)
        width = max(QFontMetrics(font).horizontalAdvance(text) + spare, least)
        edge, top = (0, 1) if self._compact else (8, 8)
        badge = QRectF(self.width() - width - edge, top, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(badge, height / 2, height / 2)
        painter.setPen(theme.color("on_accent"))
        painter.setFont(font)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)


class Avatar(QAbstractButton):
    """A member on this machine, as initials in a circle; the chosen one is filled."""

    def __init__(self, person: str, name: str) -> None:
        super().__init__()
        self._person = person
        self.setObjectName(name)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setAccessibleName(f"Switch to {person}")
        self.setToolTip(f"Switch to {person}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(32, 32)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the focus by arrows; only Space and Enter switch the member."""
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Right, Qt.Key.Key_Down}:
            self.focusNextChild()
        elif key in {Qt.Key.Key_Left, Qt.Key.Key_Up}:
            self.focusPreviousChild()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the circle."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        painter.setPen(theme.color("accent" if chosen else "control"))
        painter.setBrush(theme.color("accent" if chosen else "surface"))
        painter.drawEllipse(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(theme.color("on_accent" if chosen else "text2"))
        painter.setFont(theme.font(12, QFont.Weight.DemiBold))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, initials(self._person))
        painter.end()
