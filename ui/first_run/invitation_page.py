"""Step 6: this machine's entry for the others, and theirs for this one."""

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import (
    Draft,
    EntriesRead,
    EntrySeen,
    FinishMember,
    MemberFinished,
    ReadEntries,
)
from ui import files, wording
from ui.first_run import entries, names
from ui.first_run.entry_list import EntryList
from ui.first_run.own_entry import OwnEntry
from ui.first_run.page import StepPage
from ui.first_run.work import Work
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.fields import text_area
from ui.widgets.tab_order import put_in_order
from ui.widgets.text import Label

_PASTE = "Paste lines here, or click here and scan their codes with a scanner that types."
_SEND = "Give this entry to every other member: they add it on their page like this one."
_SEND_JOIN = (
    "Give this entry to the founders. On Recovery, Machines, each of them chooses \u201cReplace or "
    "add a machine\u201d, compares your code and endorses it. Your node joins when "
    "enough of them have."
)
_FOUNDERS = (
    "Ask a member for the founders\u2019 entries: their window has them on Recovery, Machines, "
    "\u201cFounders\u2019 entries\u201d, as a file, as text, or as a code for each founder."
)
_OTHERS = "Collect the entry of each member. All of them need the same list."
_UNREADABLE = "{0} cannot be read: it is larger than 512 KB, or no text."
_AREA_LIMIT = 200_000


class InvitationPage(StepPage):
    """Entries are kept in the draft as they come, so that a crash loses none."""

    copied = Signal(str)
    NAME = "invitation"
    TITLE = "Exchange entries"
    LEAD = "An entry introduces a member\u2019s machine to the others: public keys and an address."

    HELP = (
        "An entry is one line: a member\u2019s public keys and address. It holds no secret.",
        (
            "Save yours as a file, copy it, or show its code to a scanner. Collect the "
            "others\u2019 in the same ways."
        ),
        "A vault that is created needs the same entries on every machine, at least three.",
        "To join, add the founders\u2019 entries first; then give your entry to the founders.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._finishing, self._reading = self.add_work(Work()), self.add_work(Work())
        self._made_for: Draft | None = None
        self.me: EntrySeen | None = None
        self.others: tuple[EntrySeen, ...] = ()
        self.note = Banner(Tone.WARN, "invitation.note", closable=True)
        self.own = OwnEntry()
        self.own.copied.connect(self.copied)
        self.paste = text_area(names.INVITATION_PASTE, "Entries", _PASTE, 3, _AREA_LIMIT)
        self.files = Button("Open files \u2026", icon="folder", name=names.INVITATION_FILES)
        self.add = Button("Add what is pasted", icon="plus", name=names.INVITATION_ADD)
        self.count = Label("", "caption", wrap=True)
        self.list = EntryList()
        creates = self.set_up.creates
        title = "The other members" if creates else "The founders"
        self.theirs = Card(title, padding=24, spacing=12)
        self.theirs.add(
            Label(_OTHERS if creates else _FOUNDERS, "secondary", wrap=True),
            self.paste,
            row(self.files, self.add, 1),
            self.list,
            self.count,
        )
        self.content.addWidget(self.note)
        order = (self.own, self.theirs) if creates else (self.theirs, self.own)
        self.content.addLayout(column(*order, spacing=16))
        self.paste.textChanged.connect(self._typed)
        self.files.clicked.connect(self._open)
        self.add.clicked.connect(self._add_pasted)
        self.list.removed.connect(self._remove)

    def enter(self) -> None:
        """Have this machine's entry made, and read those that are kept."""
        self._order_tabs()
        draft = self.set_up.draft
        if self.me is None or self._made_for != _told(draft):
            self._finishing.start(self._finish_member)

    def first_field(self) -> QWidget:
        """Return what comes first on the page."""
        ready = self.set_up.creates and self.me is not None
        return self.own.save if ready else self.paste

    def typed(self) -> str:
        """Return that pasted text is not added yet."""
        return "The pasted text is not added yet." if self.paste.exact_text().strip() else ""

    def blocked(self) -> str:
        """Return what is missing."""
        if self.me is None:
            return "Making this machine\u2019s entry." if self._finishing.running else "No entry."
        if self._reading.running:
            return "Reading the entries."
        if self.paste.exact_text().strip():
            return "Add what is pasted, or clear it."
        return entries.missing(len(self.others), creates=self.set_up.creates)

    async def finish(self) -> Draft:
        """Return the draft, which holds the entries already."""
        return self.set_up.draft

    def read(self, text: str) -> None:
        """Add the entries of a text."""

        async def ask() -> None:
            answer = await self.set_up.ask(ReadEntries(text=text), EntriesRead)
            await self._take(answer.entries)
            if self.paste.exact_text() == text:
                self.paste.clear()

        self._reading.start(ask)

    async def _finish_member(self) -> None:
        draft = self.set_up.draft
        answer = await self.set_up.ask(FinishMember(draft=draft), MemberFinished, self.work.tell)
        if draft.lines and not self.others:
            text = "\n".join(draft.lines)
            self.others = (await self.set_up.ask(ReadEntries(text=text), EntriesRead)).entries
        await self.set_up.keep(replace(self.set_up.draft, entry=answer.entry.line))
        self.me, self._made_for = answer.entry, _told(self.set_up.draft)

    async def _take(self, fresh: tuple[EntrySeen, ...]) -> None:
        creates = self.set_up.creates
        others, left_out = entries.added(self.others, fresh, self.me, creates=creates)
        self.note.show_text("Not every entry was added." if left_out else "", left_out)
        await self._keep(others)

    async def _keep(self, others: tuple[EntrySeen, ...]) -> None:
        lines = tuple(entry.line for entry in others)
        await self.set_up.keep(replace(self.set_up.draft, lines=lines))
        self.others = others

    def _remove(self, member: str) -> None:
        others = tuple(entry for entry in self.others if entry.member != member)
        self._reading.start(lambda: self._keep(others))
        self.paste.setFocus()

    def _open(self) -> None:
        chosen = files.choose_files(self, "Open entries")
        texts = {path: files.text_of(path) for path in chosen}
        bad = [path.name for path, text in texts.items() if text is None]
        self.note.show_text(_UNREADABLE.format(wording.listed(bad)) if bad else "")
        good = [text for text in texts.values() if text]
        if good:
            self.read("\n".join(good))

    def _add_pasted(self) -> None:
        if self.add.isEnabled():
            self.read(self.paste.exact_text())

    def _typed(self) -> None:
        self.repaint_page()
        self.changed.emit()

    def repaint_page(self) -> None:
        """Show the entries, and what can be done."""
        creates = self.set_up.creates
        ready = self.me is not None and (creates or bool(self.others))
        self.own.show_entry(self.me if ready else None, _SEND if creates else _SEND_JOIN)
        self.list.set_entries(self.others)
        self._order_tabs()
        pasted = self.paste.exact_text().strip()
        self.add.setEnabled(bool(pasted) and not self.paste.excess and not self._reading.running)
        self.count.show_text(self._counted())

    def _order_tabs(self) -> None:
        """Have Tab go as one reads: rows come later than what stands below them."""
        own = (self.own.save, self.own.copy)
        theirs = (self.paste, self.files, self.add, *self.list.buttons)
        put_in_order((*own, *theirs) if self.set_up.creates else (*theirs, *own))

    def _counted(self) -> str:
        if not self.set_up.creates:
            return wording.count(len(self.others), "founder") if self.others else ""
        members = wording.count(len(self.others) + 1, "member")
        few = entries.missing(len(self.others), creates=True)
        return f"{members} with you. {entries.TOO_FEW}" if few else f"{members} with you."


def _told(draft: Draft) -> Draft:
    """Return what an entry is made from: without what comes after it."""
    return replace(draft, lines=(), entry="", step=1)
