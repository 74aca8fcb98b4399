"""Step 4: where the other members' machines reach this one."""

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import AddressTested, Draft, TestAddress
from ui.first_run import names
from ui.first_run.page import StepPage
from ui.first_run.result_line import ResultLine
from ui.first_run.work import Work
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.chip import IconMark
from ui.widgets.fields import labelled, text_field
from ui.widgets.text import Label

_HELP = "Host and port, for example 192.0.2.10:7421 or custody.example.org:7421."
_NAT = (
    "Behind a router or firewall: enter the outside address, and have its port passed on to this "
    "machine. The test sees this machine only. Whether the others get through shows when their "
    "nodes connect; the address can be changed later without new keys."
)


class AddressPage(StepPage):
    """A suggestion to begin with, and a test of what is entered."""

    NAME = "address"
    TITLE = "Where do the others reach you?"
    LEAD = "The members\u2019 machines talk to each other directly. No server stands between them."

    HELP = (
        "Enter the address at which the other members\u2019 machines reach this one.",
        (
            "Test listens there for a moment. It cannot see whether a router or firewall lets the "
            "others through."
        ),
        "The address can be changed later, on Recovery, Machines, without new keys.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._testing = self.add_work(Work())
        self._tested = ""
        self.listen = text_field(
            names.ADDRESS_LISTEN, "Address of this machine", "192.0.2.10:7421", mono=True
        )
        caption, field = labelled("Address of this machine", self.listen)
        self.test = Button("Test", icon="refresh", name=names.ADDRESS_TEST)
        self.test.clicked.connect(self._test)
        self.result = ResultLine("address.result")
        line = row(spacing=8)
        line.addWidget(field, 1)
        line.addWidget(self.test)
        card = Card(padding=24, spacing=12)
        card.add(column(caption, line, Label(_HELP, "caption", wrap=True), spacing=6), self.result)
        hint = row(spacing=12)
        hint.addWidget(IconMark("info", "info_fg", 18), 0, Qt.AlignmentFlag.AlignTop)
        hint.addWidget(Label(_NAT, "secondary", wrap=True), 1)
        hint.setContentsMargins(4, 0, 4, 0)
        self.content.addWidget(card)
        self.content.addLayout(hint)
        self.listen.textChanged.connect(self._typed)

    def enter(self) -> None:
        """Show the kept address, or ask for a suggestion."""
        if self.listen.text():
            return
        if self.set_up.draft.listen:
            self.listen.setText(self.set_up.draft.listen)
        else:
            self._testing.start(self._suggest)

    def first_field(self) -> QWidget:
        """Return the address."""
        return self.listen

    def blocked(self) -> str:
        """Return what is missing."""
        if not self.listen.text().strip():
            return "Enter an address."
        return self.listen.excess

    async def finish(self) -> Draft:
        """Return the draft with the address."""
        return replace(self.set_up.draft, listen=self.listen.text().strip())

    async def _suggest(self) -> None:
        answer = await self.set_up.ask(TestAddress(listen=""), AddressTested)
        if answer.suggestion and not self.listen.text():
            self.listen.setText(answer.suggestion)
            self.listen.selectAll()

    def _test(self) -> None:
        if not self.blocked():
            self._testing.start(self._ask)

    async def _ask(self) -> None:
        listen = self.listen.text().strip()
        self.result.show_waiting("Listening at this address for a moment.")
        answer = await self.set_up.ask(TestAddress(listen=listen), AddressTested)
        self._tested = listen
        self.result.show_result(works=answer.works, found=answer.found)

    def _typed(self) -> None:
        if self.listen.text().strip() != self._tested:
            self._tested = ""
            self.result.clear()
        self.repaint_page()
        self.changed.emit()

    def repaint_page(self) -> None:
        """Offer the test where there is something to test."""
        if self._testing.problem is not None:
            self.result.clear()
        self.test.setEnabled(not self.blocked() and not self._testing.running)
