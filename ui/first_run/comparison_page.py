"""Step 7: each member's code, compared by voice before the vault is opened."""

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from console.client.set_up.messages import (
    EntriesRead,
    EntrySeen,
    OpenVault,
    ReadEntries,
    VaultReady,
)
from ui import wording
from ui.first_run import names
from ui.first_run.entry_list import initials
from ui.first_run.page import StepPage
from ui.first_run.work import Work
from ui.widgets.card import Card, column, rule
from ui.widgets.fields import CheckLine
from ui.widgets.text import Label

_READ = (
    "Call each member over a line that you trust. They read their code to you; you read yours to "
    "them. One different word means another key: stop then, and ask for the entry again."
)
_TICK = "Compared by voice with {0}"
_BEFORE = " \u00b7 your machine before"
_OPENS = (
    "When all are compared, the vault is opened: its list of members is written, and your node "
    "starts."
)
_JOINS = "When all are compared, your node starts and asks the founders to let it in."


class ComparisonPage(StepPage):
    """One tick for each other member. Ticks are not kept: on each visit it is compared anew."""

    opened = Signal(str)
    NAME = "comparison"
    TITLE = "Compare the codes"
    LEAD = _READ

    HELP = (
        (
            "The code shows whether an entry was changed on its way. Compare it by voice, or face "
            "to face, never by the way on which the entry came."
        ),
        "One different word is another key: stop, and ask for the entry again.",
        "Nothing is written before all codes are compared. Then the list of members stays.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._reading = self.add_work(Work())
        self._read_for: tuple[str, ...] = ()
        """The lines whose codes are shown, this machine's first; only they are ever sent."""
        self.ticks: dict[str, CheckLine] = {}
        mine = Card("Your code", padding=24, spacing=8)
        self.mine = Label("", "bigcode", wrap=True)
        self.mine_detail = Label("", "caption", wrap=True)
        mine.add(self.mine, self.mine_detail)
        self.theirs = Card("The other members", padding=24, spacing=16)
        self._list = column(spacing=16)
        self.theirs.add(self._list)
        creates = self.set_up.creates
        self.content.addWidget(mine)
        self.content.addWidget(self.theirs)
        self.content.addWidget(Label(_OPENS if creates else _JOINS, "caption", wrap=True))

    def enter(self) -> None:
        """Read the entries of the draft, with no tick set: they may be other ones now."""
        self._forget()
        self._reading.start(self._read)

    def leave(self) -> None:
        """Forget the ticks: what is read while the page is away was compared by nobody."""
        super().leave()
        self._forget()

    def first_field(self) -> QWidget | None:
        """Return the first tick that is not set."""
        boxes = list(self.ticks.values())
        return next((box for box in boxes if not box.isChecked()), boxes[0] if boxes else None)

    def next_word(self) -> str:
        """Return what Next does."""
        return "Open the vault" if self.set_up.creates else "Join the vault"

    def waiting(self) -> str:
        """Return what is being done."""
        return "Writing the list of members."

    def typed(self) -> str:
        """Return that ticks are not kept."""
        ticked = any(box.isChecked() for box in self.ticks.values())
        return "The ticks are not kept." if ticked else ""

    def blocked(self) -> str:
        """Return what is missing."""
        if self._reading.running:
            return "Reading the codes."
        if not self.ticks or self._read_for != self._wanted():
            return "No codes yet."
        left = sum(not box.isChecked() for box in self.ticks.values())
        return f"{wording.count(left, 'code')} to compare." if left else ""

    async def finish(self) -> None:
        """Write the roster of what was compared; the window then starts the node."""
        entry, *lines = self._read_for
        question = OpenVault(draft=replace(self.set_up.draft, entry=entry, lines=tuple(lines)))
        ready = await self.set_up.ask(question, VaultReady, self.work.tell)
        self.opened.emit(ready.member)

    async def _read(self) -> None:
        wanted = self._wanted()
        entry, *lines = wanted
        # Apart: a founder may be this member too, with the machine that it had before.
        mine = await self.set_up.ask(ReadEntries(text=entry), EntriesRead)
        theirs = await self.set_up.ask(ReadEntries(text="\n".join(lines)), EntriesRead)
        self._fill(mine.entries[0], theirs.entries)
        self._read_for = wanted
        first = self.first_field()
        if first is not None and self.isVisible():
            first.setFocus()

    def _wanted(self) -> tuple[str, ...]:
        draft = self.set_up.draft
        return (draft.entry, *draft.lines)

    def _forget(self) -> None:
        self._read_for, self.ticks = (), {}
        self.mine.setText("")
        self.mine_detail.setText("")
        while (item := self._list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.repaint_page()

    def _fill(self, me: EntrySeen, others: tuple[EntrySeen, ...]) -> None:
        self._forget()
        self.mine.setText(_whole_end(me.code))
        self.mine.setAccessibleName(f"Your code: {me.code}")
        self.mine_detail.setText(f"{me.name} \u00b7 {me.member} \u00b7 {me.address}")
        for place, entry in enumerate(others):
            if place:
                self._list.addWidget(rule())
            self._list.addWidget(self._member(entry))

    def _member(self, entry: EntrySeen) -> QWidget:
        shown = QWidget()
        line = QHBoxLayout(shown)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(16)
        line.addWidget(initials(entry.name), 0, Qt.AlignmentFlag.AlignTop)
        code = Label(_whole_end(entry.code), "mono", wrap=True)
        code.setAccessibleName(f"Code of {entry.name}: {entry.code}")
        own = entry.member == self.set_up.draft.member
        whom = "a founder" if own else entry.name
        tick = CheckLine(_TICK.format(whom), f"{names.COMPARISON_TICK}.{entry.member}")
        tick.toggled.connect(self.changed)
        self.ticks[entry.member] = tick
        texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addWidget(Label(entry.name, "strong", wrap=True))
        detail = f"{entry.member} \u00b7 {entry.address}{_BEFORE if own else ''}"
        texts.addWidget(Label(detail, "caption", wrap=True))
        texts.addWidget(code)
        texts.addWidget(tick)
        line.addLayout(texts, 1)
        return shown

    def repaint_page(self) -> None:
        """Show the members once they are read."""
        self.theirs.setVisible(bool(self.ticks))


def _whole_end(code: str) -> str:
    """Return a code whose last group stays with the word before it when the line wraps."""
    return code.replace(" \u00b7 ", "\u00a0\u00b7\u00a0")
