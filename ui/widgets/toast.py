"""The line at the foot of the window: short messages have their own place in it.

No page and no panel reaches into this line, so a message never covers a control.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from ui.announcing import announce
from ui.theme import Tone
from ui.widgets.buttons import Button
from ui.widgets.chip import IconMark
from ui.widgets.text import Label

FOOT = 44
"""The height that is kept free: two lines of text."""
_SHOWN_MS = 6_000
_MOST = 3
_SIDES = (20, 3, 8, 3)


class Toast(QFrame):
    """One message."""

    dismissed = Signal()

    def __init__(self, text: str, tone: Tone) -> None:
        super().__init__()
        self.text = text
        self.over = False
        self.setProperty("pane", "message")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(text)
        bad = tone is Tone.DANGER
        icon = IconMark("x-octagon" if bad else "check-circle", f"{tone}_fg", 20)
        self.words = Label(text, wrap=True)
        # Its usual smallest height is that of a narrow column.
        self.words.setMinimumHeight(1)
        self.more = Label("", "caption")
        close = Button("", "ghost", icon="x", name="toast.close", accessible="Close message")
        close.setFixedHeight(FOOT - 12)
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(*_SIDES)
        layout.setSpacing(12)
        layout.addWidget(icon, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.more)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignVCenter)
        if not bad:
            QTimer.singleShot(_SHOWN_MS, self, self.dismiss)

    def needed_height(self, width: int) -> int:
        """Return the height at which the complete text is visible."""
        return self.heightForWidth(width)

    def dismiss(self) -> None:
        """Remove the message."""
        self.over = True
        self.hide()
        self.deleteLater()
        self.dismissed.emit()


class ToastArea(QWidget):
    """The newest message, over the node's state in the foot line; no text is repeated."""

    def __init__(self, window: QMainWindow, pages: QWidget) -> None:
        super().__init__(window)
        # Not read from the layout: the binding keeps what `itemAt` returns after Qt has freed it,
        # and crashes when something else at that address is deleted (PySide 6.11).
        self._shown: list[Toast] = []
        self.state = Label("", "caption")
        self.foot = _foot_line(self.state, self._place)
        central = QWidget()
        whole = QVBoxLayout(central)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(pages, 1)
        whole.addWidget(self.foot)
        window.setCentralWidget(central)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """The messages that are not closed, the newest last."""
        return [toast.text for toast in self._shown]

    def say(self, text: str, tone: Tone = Tone.OK) -> None:
        """Show a message."""
        if not text or text in self.texts:
            return
        for old in self._shown[: -_MOST + 1]:
            old.dismiss()
        toast = Toast(text, tone)
        toast.dismissed.connect(self._forget_dismissed)
        self._shown.append(toast)
        self._layout.addWidget(toast)
        self._show_newest()
        announce(toast, text, urgent=tone is Tone.DANGER)

    def show_state(self, *words: str) -> None:
        """Show where the node stands, while there is no message."""
        self.state.setText("   \u00b7   ".join(words))

    def clear(self) -> None:
        """Remove all messages, and what is known of the node."""
        self.show_state()
        for toast in tuple(self._shown):
            toast.dismiss()

    def _forget_dismissed(self) -> None:
        self._shown = [toast for toast in self._shown if not toast.over]
        self._show_newest()

    def _show_newest(self) -> None:
        for place, toast in enumerate(self._shown, 1):
            older = place - 1
            toast.more.show_text(f"{older} more" if older else "")
            toast.setVisible(place == len(self._shown))
        self._place()

    def _place(self) -> None:
        """Lie exactly over the foot line, which grows for a message of more than two lines."""
        if not self._shown:
            self.foot.setFixedHeight(FOOT)
            self.hide()
            return
        needed = self._shown[-1].needed_height(self.foot.width())
        self.foot.setFixedHeight(max(FOOT, needed))
        self.setGeometry(self.foot.geometry())
        self.show()
        self.raise_()


class _FootLine(QFrame):
    """The place that is kept free, and reports when it moves."""

    def __init__(self, moved: Callable[[], None]) -> None:
        super().__init__()
        self._moved = moved
        self.setProperty("pane", "foot")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(FOOT)

    def event(self, event: QEvent) -> bool:
        """Have the message follow this line."""
        done = super().event(event)
        if event.type() in {QEvent.Type.Move, QEvent.Type.Resize}:
            self._moved()
        return done


def _foot_line(state: Label, moved: Callable[[], None]) -> QWidget:
    line = _FootLine(moved)
    layout = QHBoxLayout(line)
    layout.setContentsMargins(*_SIDES)
    layout.addWidget(state)
    layout.addStretch(1)
    return line
