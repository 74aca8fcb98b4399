"""Shown while the demonstration vault is made: what is done now, and Cancel."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from console.client.set_up.messages import Progress
from ui import wording
from ui.first_run import names
from ui.problem import Problem
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, centred, row
from ui.widgets.chip import IconMark
from ui.widgets.text import Label

_WHAT = (
    "Three members are set up on this machine, each with a token in software and a node of its "
    "own, and a local chain with test coins."
)

TITLE = "The demonstration vault"
HELP = (
    "It is made once, in a folder below this window\u2019s, and kept until you throw it away.",
    "Cancel ends the work. What was made is used or removed the next time.",
    "Its coins are worth nothing, and its PIN is shown by the guide.",
)


class MakingPage(QWidget):
    """Follows the work; a refusal offers Retry."""

    cancelled = Signal()
    retry_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page.making")
        self.refusal = Banner(Tone.DANGER, "making.refusal", action="Retry")
        self.refusal.acted.connect(self.retry_wanted)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress of the demonstration vault")
        self.now = Label("", "secondary", wrap=True)
        self.count = Label("", "caption")
        self.cancel = Button("Cancel", name=names.START_CANCEL)
        self.cancel.clicked.connect(self.cancelled)
        card = Card(padding=32, spacing=16)
        card.setFixedWidth(560)
        card.add(
            row(IconMark("flask", "accent", 28), Label("Making a demonstration vault", "h1"), 1),
            Label(_WHAT, "secondary", wrap=True),
            self.refusal,
            self.bar,
            row(self.now, 1, self.count),
            row(1, self.cancel),
        )
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(centred(card))
        layout.addStretch(3)

    def show_work(self, progress: Progress | None, problem: Problem | None) -> None:
        """Show how far it is, or why it was refused."""
        self.refusal.show_problem(problem)
        self.cancel.setText("Close" if problem else "Cancel")
        self.cancel.setAccessibleName(self.cancel.text())
        self.bar.setVisible(problem is None)
        done, total = (progress.done, max(progress.total, 1)) if progress else (0, 1)
        self.bar.setRange(0, total)
        self.bar.setValue(min(done, total))
        self.now.setText("" if problem else progress.text if progress else "Starting.")
        self.count.show_text(f"{done} of {wording.count(total, 'step')}" if progress else "")
