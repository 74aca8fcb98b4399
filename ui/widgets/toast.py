"""Short messages at the foot of the window; errors stay until an operator closes them."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ui import theme
from ui.announcing import announce
from ui.theme import Tone
from ui.widgets.buttons import Button
from ui.widgets.chip import IconMark
from ui.widgets.text import Label

_SHOWN_MS = 6_000
_MOST = 3
_WIDTH = 400


class Toast(QFrame):
    """One message."""

    dismissed = Signal()

    def __init__(self, text: str, tone: Tone) -> None:
        super().__init__()
        self.text = text
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(text)
        bad = tone is Tone.DANGER
        icon = IconMark("x-octagon" if bad else "check-circle", f"{tone}_fg", 20)
        close = Button("", "ghost", icon="x", name="toast.close", accessible="Close message")
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        layout.setSpacing(12)
        layout.addWidget(icon, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(Label(text, wrap=True), 1)
        layout.addWidget(close)
        if not bad:
            QTimer.singleShot(_SHOWN_MS, self, self.dismiss)

    def needed_height(self) -> int:
        """Return the height at which the complete text is visible."""
        return max(self.sizeHint().height(), self.heightForWidth(_WIDTH))

    def dismiss(self) -> None:
        """Remove the message."""
        self.hide()
        self.deleteLater()
        self.dismissed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the floating box."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("control"))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.end()


class ToastArea(QWidget):
    """The stack of messages; the same text is not repeated."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        # Not read from the layout: the binding keeps what `itemAt` returns after Qt has freed it,
        # and crashes when something else at that address is deleted (PySide 6.11).
        self._shown: list[Toast] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.setFixedWidth(_WIDTH)
        window.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """The messages on screen."""
        return [toast.text for toast in self._shown]

    def say(self, text: str, tone: Tone = Tone.OK) -> None:
        """Show a message."""
        if not text or text in self.texts:
            return
        for old in self._shown[: -_MOST + 1]:
            old.dismiss()
        toast = Toast(text, tone)
        toast.dismissed.connect(self._forget_hidden)
        self._shown.append(toast)
        self._layout.addWidget(toast)
        toast.show()
        self.show()
        announce(toast, text, urgent=tone is Tone.DANGER)
        self._place()

    def clear(self) -> None:
        """Remove all messages."""
        for toast in tuple(self._shown):
            toast.dismiss()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner when the window is resized."""
        if event.type() is QEvent.Type.Resize and isinstance(watched, QWidget):
            self._place()
        return False

    def _forget_hidden(self) -> None:
        self._shown = [toast for toast in self._shown if not toast.isHidden()]
        self._place()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        if not self._shown:
            self.hide()
            return
        spacing = self._layout.spacing() * (len(self._shown) - 1)
        self.resize(_WIDTH, sum(toast.needed_height() for toast in self._shown) + spacing)
        self.move(parent.width() - self.width() - 24, parent.height() - self.height() - 24)
        self.raise_()
