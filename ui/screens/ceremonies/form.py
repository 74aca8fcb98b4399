"""The form that proposes a key generation."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.views import KeyKindView, MemberView
from ui import object_names as names
from ui import wording
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import CheckLine, Stepper, text_field
from ui.widgets.text import Label

_SAFETY = (
    "A proposal creates no key. First every custodian accepts. Then all of them generate the "
    "shares together and compare a code. Until the last one confirms, no key can be used."
)


class CeremonyForm(QWidget):
    """Name, kinds of keys, custodians, threshold, approvals; shows what is impossible."""

    proposed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._boxes: dict[str, CheckLine] = {}
        self.name = text_field(names.CEREMONY_NAME, "Wallet name", "Treasury", limit=64)
        self.threshold = Stepper(names.CEREMONY_THRESHOLD, "Signers needed", 2, 2)
        self.approvals = Stepper(names.CEREMONY_APPROVALS, "Approvals needed", 1, 1)
        self._kinds: dict[str, CheckLine] = {}
        self.why = Label("", "caption", wrap=True)
        self.propose = Button(
            "Propose ceremony", "primary", icon="send", name=names.CEREMONY_PROPOSE
        )
        self._offered = False
        self._hindrance = ""
        self._people = QVBoxLayout()
        self._people.setSpacing(0)
        self._kind_lines = QVBoxLayout()
        self._kind_lines.setSpacing(0)
        form = Card("Proposal", spacing=16)
        form.add(
            column(Label("Wallet name", "caption"), self.name, spacing=4),
            column(
                Label("Kinds of keys, one key of each kind that is ticked", "caption"),
                self._kind_lines,
                spacing=4,
            ),
            column(Label("Custodians, each holds one share", "caption"), self._people, spacing=4),
            row(
                column(Label("Signers needed", "caption"), self.threshold, spacing=4),
                column(Label("Approvals needed", "caption"), self.approvals, spacing=4),
                1,
                spacing=32,
            ),
            self.why,
            row(1, self.propose),
        )
        self.facts = Facts()
        summary = Card("What this creates", spacing=12)
        summary.add(self.facts, Label(_SAFETY, "secondary", wrap=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(columns(column(form, stretch=True), column(summary, stretch=True)))
        self.name.textChanged.connect(self.update_summary)
        self.threshold.value_changed.connect(self.update_summary)
        self.approvals.value_changed.connect(self.update_summary)
        self.propose.clicked.connect(self.proposed)

    @property
    def custodians(self) -> tuple[str, ...]:
        """The members that are ticked."""
        return tuple(member for member, box in self._boxes.items() if box.isChecked())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of keys that are ticked."""
        return tuple(kind for kind, box in self._kinds.items() if box.isChecked())

    def clear(self) -> None:
        """Empty the form."""
        self.name.clear()
        for box in (*self._boxes.values(), *self._kinds.values()):
            box.setChecked(True)

    def show_kinds(self, kinds: tuple[KeyKindView, ...]) -> None:
        """Offer these kinds of keys, ticked at first; ticks survive."""
        for kind in kinds:
            if kind.kind not in self._kinds:
                box = CheckLine(kind.name, f"{names.CEREMONY_KIND}.{kind.kind}")
                box.setChecked(True)
                box.toggled.connect(self.update_summary)
                self._kinds[kind.kind] = box
                self._kind_lines.addWidget(box)

    def show_members(self, members: tuple[MemberView, ...], *, hindrance: str) -> None:
        """Offer these members; ticks are kept. `hindrance` says why nothing can be proposed now."""
        self._hindrance = hindrance
        for member in members:
            if member.member not in self._boxes:
                box = CheckLine("", f"{names.CEREMONY_CUSTODIAN}.{member.member}")
                box.setChecked(True)
                box.toggled.connect(self.update_summary)
                self._boxes[member.member] = box
                self._people.addWidget(box)
            me = " (you)" if member.is_me else ""
            state = "online" if member.online else "unreachable now"
            self._boxes[member.member].set_sentence(f"{member.name}{me} \u00b7 {state}")
        self.update_summary()
        if members and not self._offered:
            self._offered = True
            self.approvals.set_value(self.threshold.value)

    def _missing(self, people: int) -> str:
        if people < 2:
            return "Choose at least 2 custodians: one alone protects nothing."
        if not self.kinds:
            return "Choose at least one kind of keys."
        return self.name.excess if self.name.text().strip() else "Give the wallet a name."

    def update_summary(self) -> None:
        """Show what would be created, or what is missing."""
        people = len(self.custodians)
        self.threshold.set_range(2, people)
        self.approvals.set_range(1, people)
        lost = people - self.threshold.value
        self.facts.set_facts(
            Fact("Wallet", self.name.text().strip() or "\u2013"),
            Fact("To sign", wording.quorum(self.threshold.value, people)),
            Fact("To approve", wording.quorum(self.approvals.value, people)),
            Fact("Shares that may be lost", str(max(lost, 0))),
            Fact("Keys", wording.kinds(self.kinds) or "\u2013"),
            Fact("Open for", "24 h"),
        )
        missing = self._hindrance or self._missing(people)
        self.why.show_text(missing)
        self.propose.setEnabled(not missing)
        self.propose.setAccessibleDescription(missing)
