"""Buttons: a plain one, one with an icon that follows the theme, and an armed one."""

import math

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from ui import icons, theme

_ICON_TOKEN = {"primary": "on_accent", "danger": "danger_fg", "danger-filled": "surface"}


class Button(QPushButton):
    """A push button of one kind: primary, secondary, danger, danger-filled, ghost or search."""

    def __init__(
        self,
        text: str,
        kind: str = "secondary",
        *,
        icon: str = "",
        name: str = "",
        accessible: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._icon_name = icon
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(accessible or text)
        if not text:
            self.setToolTip(accessible)
        self._refresh_icon()

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon_name = icon
        self._refresh_icon()

    def set_kind(self, kind: str) -> None:
        """Look like another kind of button."""
        if self.property("kind") != kind:
            self.setProperty("kind", kind)
            self.style().unpolish(self)
            self.style().polish(self)
            self._refresh_icon()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again when colours change."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.EnabledChange}:
            self._refresh_icon()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press harmless buttons, as on a web page."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self._enter_presses():
            self.click()
            return
        super().keyPressEvent(event)

    def _enter_presses(self) -> bool:
        return not str(self.property("kind")).startswith("danger")

    def _refresh_icon(self) -> None:
        if not self._icon_name:
            return
        kind = str(self.property("kind"))
        fallback = "muted" if kind in {"search", "ghost"} else "text"
        token = _ICON_TOKEN.get(kind, fallback) if self.isEnabled() else "muted"
        gap = 4 if self.text() else 0
        self.setIcon(icons.icon(self._icon_name, theme.color(token), 18, gap))
        self.setIconSize(QSize(18 + gap, 18))


class ArmedButton(Button):
    """A button for irreversible actions: it counts down before it can be pressed, never by Enter.

    `blocked` is the sentence that says what is missing; the countdown of `delay_s` starts when it
    is empty.
    """

    confirmed = Signal()

    def __init__(self, text: str, *, name: str, seconds: float = 3.0) -> None:
        super().__init__(text, "primary", name=name)
        self._label = text
        self.delay_s = seconds
        self._left_ms = 0
        self.blocked = ""
        self._timer = QTimer(self, interval=100)
        self._timer.timeout.connect(self._tick)
        self.clicked.connect(self._pressed)
        longest = f"{text} in {math.ceil(seconds)} s"
        room = QFontMetrics(theme.font(14, QFont.Weight.DemiBold)).horizontalAdvance(longest)
        # A button that moves or grows as it arms could be pressed in another's place.
        self.setFixedWidth(max(room + 40, 208))
        self.block("Not ready.")

    @property
    def armed(self) -> bool:
        """Whether a press acts now."""
        return not self.blocked and self._left_ms <= 0

    def block(self, reason: str) -> None:
        """Disarm with a reason, or start the countdown when `reason` is empty."""
        if reason == self.blocked and self.isEnabled() == (not reason and self._left_ms <= 0):
            return
        if not reason and not self.blocked:
            return
        self.blocked = reason
        self._left_ms = 0 if reason else round(self.delay_s * 1000)
        if reason:
            self._timer.stop()
        else:
            self._timer.start()
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ignore Enter, even if the window would pass it on."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Add a bar that fills while the button arms."""
        super().paintEvent(event)
        if self._left_ms <= 0 or self.blocked:
            return
        part = 1 - self._left_ms / (self.delay_s * 1000)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        width = max((self.width() - 12) * part, 3.0)
        painter.drawRoundedRect(QRectF(6, self.height() - 7, width, 3), 1.5, 1.5)
        painter.end()

    def _tick(self) -> None:
        self._left_ms = max(self._left_ms - 100, 0)
        if not self._left_ms:
            self._timer.stop()
        self._show()

    def _show(self) -> None:
        self.setEnabled(self.armed)
        waiting = self._left_ms > 0 and not self.blocked
        seconds = math.ceil(self._left_ms / 1000)
        self.setText(f"{self._label} in {seconds} s" if waiting else self._label)
        self.setAccessibleDescription(self.blocked or (f"Ready in {seconds} s" if waiting else ""))
        self.setToolTip(self.blocked)

    def _pressed(self) -> None:
        if self.armed:
            self.confirmed.emit()
