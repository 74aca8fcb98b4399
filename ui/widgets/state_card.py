"""Full-page states: empty, and error."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.problem import Problem
from ui.widgets.buttons import Button
from ui.widgets.card import Card, centred, row
from ui.widgets.chip import IconMark
from ui.widgets.facts import Fact, Facts
from ui.widgets.text import Label


class EmptyCard(QWidget):
    """Why the page is empty, and one action."""

    acted = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.mark = IconMark("inbox", "muted", 40)
        self.title = Label("", "h2")
        self.sentence = Label("", "secondary", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.sentence.setFixedWidth(440)
        self.action = Button("", "primary", name=f"{name}.emptyAction")
        self.action.clicked.connect(self.acted)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        for part in (self.mark, self.title, self.sentence, self.action):
            layout.addLayout(centred(part))
        layout.addStretch(3)

    def show_empty(self, icon: str, title: str, sentence: str, action: str = "") -> None:
        """Fill the card."""
        self.mark.set_icon(icon, "muted")
        self.title.setText(title)
        self.sentence.setText(sentence)
        self.action.setText(action)
        self.action.setAccessibleName(action)
        self.action.setVisible(bool(action))


class ErrorCard(QWidget):
    """What happened, whether keys and funds are safe, what to do, and the code for support."""

    retried = Signal()
    copied = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.heading = Label("", "h2", wrap=True)
        self.facts = Facts(values_left=True)
        card = Card(spacing=16)
        card.setFixedWidth(600)
        retry = Button("Try again", "primary", icon="refresh", name=f"{name}.retry")
        copy = Button("Copy details", icon="copy", name=f"{name}.copyDetails")
        retry.clicked.connect(self.retried)
        copy.clicked.connect(self.copied)
        head = row(IconMark("x-octagon", "danger_fg", 24), spacing=12)
        head.addWidget(self.heading, 1)
        card.add(
            head,
            self.facts,
            row(retry, copy, 1),
        )
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(centred(card))
        layout.addStretch(3)

    def show_problem(self, problem: Problem) -> None:
        """Fill the card."""
        self.heading.setText(problem.what)
        self.facts.set_facts(
            Fact("Keys and funds", problem.safe),
            Fact("What to do", problem.next_step),
            Fact("Code", problem.code, mono=True),
        )
