"""The guide at the right of the window: the steps, the open one's sentence and button, the PIN."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.announcing import announce
from ui.first_run import names
from ui.first_run.guide_steps import GuideStep, current
from ui.status import Look
from ui.theme import Tone
from ui.widgets.buttons import Button
from ui.widgets.card import column, inset, row
from ui.widgets.chip import Chip, IconMark
from ui.widgets.text import Label

_WIDTH, _STRIP = 304, 48
_OVER = (
    "You have made keys together, received and paid. This vault stays until you throw it away; "
    "its coins are worth nothing."
)


class GuidePanel(QFrame):
    """Shows steps; says what the operator wants by signals."""

    went = Signal(str, str)
    pin_wanted = Signal()
    throw_away = Signal()

    def __init__(self, pin: str) -> None:
        super().__init__()
        self.setObjectName("guide")
        self.setProperty("pane", "guide")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._steps: tuple[GuideStep, ...] = ()
        self._at = -1
        self.rows: list[_StepRow] = []
        self.hide_button = Button(
            "", "ghost", icon="chevron-right", name=names.GUIDE_HIDE, accessible="Hide the guide"
        )
        self.show_button = Button(
            "", "ghost", icon="book", name=names.GUIDE_SHOW, accessible="Show the guide"
        )
        self.enter = Button("Enter it for me", icon="key", name=names.GUIDE_PIN)
        self.throw = Button("Throw it away \u2026", "danger", icon="trash", name=names.GUIDE_THROW)
        self.over = Label(_OVER, "secondary", wrap=True)
        self._list = column(spacing=4)
        self._whole = QWidget()
        self._lay_out(pin)
        self.hide_button.clicked.connect(lambda: self._fold(folded=True))
        self.show_button.clicked.connect(lambda: self._fold(folded=False))
        self.enter.clicked.connect(self.pin_wanted)
        self.throw.clicked.connect(self.throw_away)
        self._fold(folded=False)

    def show_steps(self, steps: tuple[GuideStep, ...]) -> None:
        """Show the steps, the first one that is not done open."""
        if steps == self._steps:
            return
        self._steps, at = steps, current(steps)
        while len(self.rows) < len(steps):
            shown = _StepRow(len(self.rows) + 1)
            shown.go.clicked.connect(lambda _=False, row=shown: self._go(row))
            self.rows.append(shown)
            self._list.addWidget(shown)
        for place, (shown, step) in enumerate(zip(self.rows, steps, strict=True)):
            shown.show_step(step, opened=place == at)
        over = at == len(steps)
        self.over.setVisible(over)
        self.throw.setVisible(over)
        if at != self._at:
            self._at = at
            announce(self, steps[at].title if not over else _OVER)

    def _go(self, shown: "_StepRow") -> None:
        self.went.emit(shown.step.screen, shown.step.subject)

    def _fold(self, *, folded: bool) -> None:
        moved = self.isVisible()
        self._whole.setVisible(not folded)
        self.show_button.setVisible(folded)
        self.setFixedWidth(_STRIP if folded else _WIDTH)
        if moved:
            (self.show_button if folded else self.hide_button).setFocus()

    def _lay_out(self, pin: str) -> None:
        chip = Chip(Look("flask", "Demonstration", Tone.WARN), self)
        shown = Label(pin, "mono")
        shown.setAccessibleName(f"PIN {pin}")
        secret = inset(
            row(Label("PIN of this demonstration", "caption"), 1, shown),
            row(self.enter, 1),
            padding=12,
            spacing=8,
        )
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.setContentsMargins(16, 12, 16, 16)
        body.setSpacing(12)
        body.addLayout(row(chip, 1, self.hide_button))
        body.addWidget(Label("Your first payment", "h2"))
        body.addLayout(self._list)
        body.addWidget(secret)
        body.addWidget(self.over)
        body.addLayout(row(self.throw, 1))
        body.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        whole = QVBoxLayout(self._whole)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._whole, 1)
        layout.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignTop)


class _StepRow(QWidget):
    """One step: its mark and title; sentence and button while it is open."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.step = GuideStep("", "")
        self.mark = IconMark("circle-dashed", "muted", 18)
        self.title = Label("", "", wrap=True)
        self.sentence = Label("", "secondary", wrap=True)
        # The page beside it has the one primary button.
        self.go = Button("", name=f"{names.GUIDE_GO}.{number}")
        below = column(self.sentence, row(self.go, 1), spacing=8)
        below.setContentsMargins(0, 0, 0, 8)
        texts = column(self.title, below, spacing=4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(10)
        layout.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)

    def show_step(self, step: GuideStep, *, opened: bool) -> None:
        """Show a step's state."""
        self.step = step
        icon = "check-circle" if step.done else "arrow-right" if opened else "circle-dashed"
        self.mark.set_icon(icon, "ok_fg" if step.done else "accent" if opened else "muted")
        self.title.setText(f"{self._number}. {step.title}")
        self.title.setProperty("role", "strong" if opened else "muted" if step.done else "")
        self.title.style().unpolish(self.title)
        self.title.style().polish(self.title)
        state = "Done" if step.done else "Now" if opened else "To do"
        self.title.setAccessibleName(f"Step {self._number}: {step.title}. {state}")
        self.sentence.setText(step.sentence)
        self.sentence.setVisible(opened)
        self.go.setText(step.action)
        self.go.setAccessibleName(step.action)
        self.go.setVisible(opened and bool(step.action))
