"""The start page: four ways in, and below them what was begun on this machine."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from console.client.set_up.messages import Draft, Here, Purpose
from ui import wording
from ui.first_run import names
from ui.first_run.set_up import TITLES, Step
from ui.first_run.way_card import WayCard
from ui.problem import Problem
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row, rule
from ui.widgets.chip import IconMark
from ui.widgets.tab_order import put_in_order
from ui.widgets.text import Label

_WIDTH = 920
_ONE_COLUMN = 760
TRIAL = "trial"
TITLE = "How to begin"
HELP = (
    (
        "Try it: a vault of three members on this machine, with test coins. It stays until you "
        "throw it away."
    ),
    "Create a vault: each of at least three people does this on a machine of their own.",
    (
        "Join a vault: for a new member, or for a machine that takes the place of a lost one. "
        "Ask a member for the founders\u2019 entries."
    ),
    "Open a folder: members that are set up already, in another place.",
    "A set-up that is not over stands below, with Go on and Throw away.",
    "Tab and the arrow keys move, Enter opens, Esc goes back.",
)
_TRY = (
    "A demonstration vault with test coins: three members on this machine, ready in under a "
    "minute. It guides you through a first ceremony and a first payment."
)
_CREATE = (
    "Begin a vault with at least two other members, each with a token and a machine of its own."
)
_JOIN = "Add this machine to a vault that exists, as a new member or in place of a lost machine."
_OPEN = "Members that were set up already, in a folder on this machine or on a disk."


class StartPage(QWidget):
    """Emits what the operator wants; `show_here` fills what is not over."""

    try_wanted = Signal()
    create_wanted = Signal()
    join_wanted = Signal()
    open_wanted = Signal()
    back_wanted = Signal()
    retry_wanted = Signal()
    go_on = Signal(object)
    throw_away = Signal(object)
    """A draft to go on with or to throw away; None for the demonstration vault."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page.start")
        self.refusal = Banner(Tone.DANGER, "start.refusal", action="Retry")
        self.refusal.acted.connect(self.retry_wanted)
        self.problem = Banner(Tone.DANGER, "start.problem", closable=True)
        self.trying = WayCard(names.START_TRY, "flask", "Try it", _TRY)
        self.creating = WayCard(names.START_CREATE, "plus", "Create a vault", _CREATE)
        self.joining = WayCard(names.START_JOIN, "user-plus", "Join a vault", _JOIN)
        self.opening = WayCard(names.START_OPEN, "folder", "Open a folder", _OPEN)
        self.trying.clicked.connect(self.try_wanted)
        self.creating.clicked.connect(self.create_wanted)
        self.joining.clicked.connect(self.join_wanted)
        self.opening.clicked.connect(self.open_wanted)
        self.back = Button("Back to sign-in", "ghost", icon="chevron-left", name=names.START_BACK)
        self.back.clicked.connect(self.back_wanted)
        self.begun = Card("Not over yet", padding=16, spacing=8)
        self.begun.hide()
        self._rows = column(spacing=8)
        self.begun.add(self._rows)
        self._lay_out()

    def show_back(self, *, possible: bool) -> None:
        """Offer the sign-in page only where there is a member."""
        self.back.setVisible(possible)

    def show_problem(self, problem: Problem | None) -> None:
        """Show what is wrong with a folder."""
        self.problem.show_problem(problem)

    def show_refusal(self, problem: Problem | None) -> None:
        """Show why the set-up process did not answer."""
        self.refusal.show_problem(problem)

    def show_here(self, here: Here) -> None:
        """Show the set-ups that are not over, and whether a demonstration can be made."""
        self.trying.set_reason("" if here.trial else here.trial_possible)
        self._fill(here.drafts, trial=here.trial)
        if here.damaged:
            self.problem.show_text(
                "A set-up that was begun cannot be read.",
                f"Nothing was removed. Its file: {wording.listed(here.damaged)}. Restore it from a "
                "backup, or begin anew.",
            )

    def focus_first(self) -> None:
        """Focus the first way that is open."""
        cards = (self.trying, self.creating)
        next(card for card in cards if card.isEnabled()).setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """Have Tab go as one reads: the way back stands at the top."""
        super().showEvent(event)
        put_in_order((self.back, self.trying))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards below each other where there is little room."""
        super().resizeEvent(event)
        self._arrange(1 if event.size().width() < _ONE_COLUMN else 2)

    def _fill(self, drafts: Sequence[Draft], *, trial: bool) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        rows = [self._draft_row(draft) for draft in drafts]
        if trial:
            texts = ("Demonstration vault", "Three members with test coins, kept on this machine.")
            rows.append(self._row(TRIAL, "flask", texts, None))
        for place, shown in enumerate(rows):
            if place:
                self._rows.addWidget(rule())
            self._rows.addWidget(shown)
        self.begun.setVisible(bool(rows))

    def _draft_row(self, draft: Draft) -> QWidget:
        step = Step(min(max(draft.step, Step.NAME), Step.COMPARISON))
        what = "Creates a vault" if draft.purpose is Purpose.CREATE else "Joins a vault"
        where = f"Step {step.value} of {len(TITLES)}: {TITLES[step]}"
        keys = " \u00b7 Keys made" if draft.keys_made else ""
        texts = (draft.name or draft.member, f"{where} \u00b7 {what}{keys}")
        return self._row(draft.member, "user", texts, draft)

    def _row(self, key: str, icon: str, texts: tuple[str, str], draft: Draft | None) -> QWidget:
        title, detail = texts
        shown = QWidget()
        line = QHBoxLayout(shown)
        line.setContentsMargins(4, 4, 0, 4)
        line.setSpacing(12)
        line.addWidget(IconMark(icon, "muted", 20))
        both = QVBoxLayout()
        both.setSpacing(0)
        both.addWidget(Label(title, "strong", wrap=True))
        both.addWidget(Label(detail, "caption", wrap=True))
        line.addLayout(both, 1)
        thrown = Button(
            "Throw away \u2026",
            "ghost",
            icon="trash",
            name=f"{names.START_THROW}.{key}",
            accessible=f"Throw away: {title}",
        )
        on = Button("Go on", name=f"{names.START_GO_ON}.{key}", accessible=f"Go on with {title}")
        thrown.clicked.connect(lambda: self.throw_away.emit(draft))
        on.clicked.connect(lambda: self.go_on.emit(draft))
        line.addWidget(thrown)
        line.addWidget(on)
        return shown

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        body = QVBoxLayout(inner)
        body.setContentsMargins(24, 28, 24, 32)
        body.setSpacing(16)
        brand = row(IconMark("quorate", "accent", 32), Label("Quorate", "brand"), 1, self.back)
        lead = Label(
            "Custody by a quorum. Keys are made in several members\u2019 tokens, and nobody can "
            "spend alone.",
            "secondary",
            wrap=True,
        )
        body.addStretch(1)
        body.addLayout(brand)
        body.addSpacing(4)
        body.addLayout(column(Label("How do you want to begin?", "display"), lead, spacing=8))
        body.addSpacing(4)
        body.addWidget(self.problem)
        body.addWidget(self.refusal)
        self._grid = QGridLayout()
        self._grid.setSpacing(16)
        self._columns = 0
        body.addLayout(self._grid)
        body.addWidget(self.begun)
        body.addStretch(3)
        page = QWidget()
        middle = QHBoxLayout(page)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addStretch(1)
        middle.addWidget(inner, 100)
        middle.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self._arrange(2)

    def _arrange(self, number: int) -> None:
        if number == self._columns:
            return
        self._columns = number
        cards = (self.trying, self.creating, self.joining, self.opening)
        for place, card in enumerate(cards):
            self._grid.removeWidget(card)
            self._grid.addWidget(card, place // number, place % number)
