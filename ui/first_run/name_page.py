"""Step 1: the operator's name, and the identifier that the vault knows the member by."""

from msgspec.structs import replace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import Draft, JudgeName, NameJudged
from ui.first_run import names
from ui.first_run.page import StepPage
from ui.first_run.work import Work
from ui.widgets.card import Card, column, row
from ui.widgets.chip import IconMark
from ui.widgets.fields import labelled, text_field
from ui.widgets.text import Label

_SETTLE_MS = 200
_LIMIT = 128
_NAME_HELP = "The other members see it on everything that you approve."
_MEMBER_HELP = (
    "Lower-case letters, digits and hyphens. It names your folder and your member in the ledger, "
    "and never changes."
)


class NamePage(StepPage):
    """The process suggests and judges the identifier while the name is typed."""

    NAME = "name"
    TITLE = "Who operates this machine?"
    LEAD = "A vault has several members. Each has one operator, one token and one machine."

    HELP = (
        "Your name is shown to the other members beside everything that you sign.",
        "The identifier is made from it, and can be changed until the keys are made.",
        "One machine may hold several members; each has an identifier and a token of its own.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._judging = self.add_work(Work())
        self._judged: tuple[str, str] | None = None
        self._problem = ""
        self._own = False
        self.name = text_field(names.NAME_NAME, "Your name", "Ana Ruiz", limit=_LIMIT)
        self.member = text_field(names.NAME_MEMBER, "Identifier", "ana-ruiz", mono=True, limit=64)
        self.problem = Label("", "danger", wrap=True)
        self._sign = IconMark("x-circle", "danger_fg", 16)
        caption, field = labelled("Your name", self.name)
        second, other = labelled("Identifier", self.member)
        self._said = QWidget()
        line = row(self._sign, spacing=8)
        line.addWidget(self.problem, 1)
        self._said.setLayout(line)
        self._said.hide()
        card = Card(padding=24, spacing=20)
        card.add(
            column(caption, field, Label(_NAME_HELP, "caption", wrap=True), spacing=6),
            column(second, other, Label(_MEMBER_HELP, "caption", wrap=True), spacing=6),
            self._said,
        )
        self.content.addWidget(card)
        self._timer = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._timer.timeout.connect(self._judge)
        self.name.textEdited.connect(self._typed)
        self.member.textEdited.connect(self._typed_member)

    def enter(self) -> None:
        """Show the draft; a name that is kept is judged again when it changes."""
        draft = self.set_up.draft
        if draft.member and not self.name.text():
            self.name.setText(draft.name)
            self.member.setText(draft.member)
            self._own = True
            self._judged = (draft.name, draft.member)
        locked = draft.keys_made
        self.name.setEnabled(not locked)
        self.member.setEnabled(not locked)

    def leave(self) -> None:
        """Stop judging."""
        self._timer.stop()
        super().leave()

    def first_field(self) -> QWidget:
        """Return the name."""
        return self.name

    def typed(self) -> str:
        """Return that the name is not kept yet."""
        return "" if self.set_up.kept or not self.name.text() else "Your name is not kept yet."

    def blocked(self) -> str:
        """Return what is missing."""
        if not self.name.text().strip():
            return "Enter your name."
        if self._problem:
            return "Change what is marked."
        excess = self.name.excess or self.member.excess
        if excess or self._judging.problem is not None:
            return excess or "The name could not be judged."
        return "" if self._judged == self._entered() else "Checking the name."

    async def finish(self) -> Draft:
        """Return the draft with the name."""
        name, member = self._entered()
        return replace(self.set_up.draft, name=name, member=member)

    def _entered(self) -> tuple[str, str]:
        return self.name.text().strip(), self.member.text().strip()

    def _typed(self) -> None:
        if not self._own:
            self.member.clear()
        self._soon()

    def _typed_member(self, text: str) -> None:
        self._own = bool(text.strip())
        self._soon()

    def _soon(self) -> None:
        self._judged, self._problem = None, ""
        self.repaint_page()
        self.changed.emit()
        self._timer.start()

    def _judge(self) -> None:
        if self.name.text().strip() and not (self.name.excess or self.member.excess):
            self._judging.start(self._ask)

    async def _ask(self) -> None:
        name, member = self._entered()
        wanted = member if self._own else ""
        answer = await self.set_up.ask(JudgeName(name=name, member=wanted), NameJudged)
        if not self._own:
            self.member.setText(answer.member)
        self._problem = answer.problem
        self._judged = None if answer.problem else self._entered()

    def repaint_page(self) -> None:
        """Show the judgement."""
        self.problem.setText(self._problem)
        self._said.setVisible(bool(self._problem))
        for field in (self.name, self.member):
            field.setProperty("invalid", bool(self._problem) and field is self.member)
            field.style().unpolish(field)
            field.style().polish(field)
        self.member.setAccessibleDescription(self._problem)
