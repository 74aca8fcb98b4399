"""A line across the page that stays until its cause is resolved or an operator closes it."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ui import theme
from ui.announcing import announce
from ui.problem import Problem
from ui.theme import Tone
from ui.widgets.buttons import Button
from ui.widgets.chip import IconMark
from ui.widgets.text import Label

_ICONS = {
    Tone.OK: "check-circle",
    Tone.WARN: "triangle-alert",
    Tone.DANGER: "x-octagon",
    Tone.INFO: "info",
    Tone.NEUTRAL: "info",
    Tone.UNKNOWN: "unplugged",
}


class Banner(QFrame):
    """Icon, two sentences and at most two buttons in the colours of a tone."""

    acted = Signal()
    closed = Signal()

    def __init__(self, tone: Tone, name: str, *, action: str = "", closable: bool = False) -> None:
        super().__init__()
        self._tone = tone
        self.setObjectName(name)
        self.mark = IconMark(_ICONS[tone], f"{tone}_fg", 20)
        self.title = Label("", "strong", wrap=True)
        self.detail = Label("", "secondary", wrap=True)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.title)
        texts.addWidget(self.detail)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 12, 12)
        layout.setSpacing(12)
        layout.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)
        self._button = Button(action, name=f"{name}.action") if action else None
        if self._button is not None:
            self._button.clicked.connect(self.acted)
            layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignVCenter)
        if closable:
            close = Button("", "ghost", icon="x", name=f"{name}.close", accessible="Close message")
            close.clicked.connect(self.hide)
            close.clicked.connect(self.closed)
            layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def set_tone(self, tone: Tone) -> None:
        """Show in other colours."""
        self._tone = tone
        self.mark.set_icon(_ICONS[tone], f"{tone}_fg")
        self.update()

    def set_action(self, action: str) -> None:
        """Change what the button says; '' hides it."""
        if self._button is not None:
            self._button.setText(action)
            self._button.setVisible(bool(action))

    def focus_action(self) -> None:
        """Focus the button, if there is one."""
        if self._button is not None:
            self._button.setFocus()

    def show_text(self, title: str, detail: str = "") -> None:
        """Show sentences; empty ones hide the banner."""
        said = f"{title} {detail}".strip()
        fresh = bool(title) and said != self.accessibleName()
        self.title.setText(title)
        self.detail.show_text(detail)
        self.setAccessibleName(said)
        self.setVisible(bool(title))
        if fresh:
            announce(self, said, urgent=self._tone is Tone.DANGER)

    def show_problem(self, problem: Problem | None) -> None:
        """Show a problem with its safety, next step and code; hide the banner for None."""
        if problem is None:
            self.hide()
            return
        detail = f"{problem.safe} {problem.next_step} Code: {problem.code}"
        self.show_text(problem.what, detail)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tinted box."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.foreground(self._tone))
        painter.setBrush(theme.background(self._tone))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.end()


class DangerList(QWidget):
    """Red flags, one line each."""

    def __init__(self) -> None:
        super().__init__()
        self._banner = Banner(Tone.DANGER, "")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._banner)

    def set_flags(self, title: str, flags: tuple[str, ...]) -> None:
        """Show flags, or nothing."""
        self._banner.show_text(title if flags else "", "\n".join(flags))
        self.setVisible(bool(flags))
