"""The form that plans a reshare: the custodians afterwards, and the threshold."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.views import MemberView, WalletSharesView
from ui import object_names as names
from ui import wording
from ui.screens.recovery.resharing import Reshare
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import CheckLine, Stepper
from ui.widgets.text import Label

_SAFETY = (
    "Keys and addresses do not change. The old shares stay valid until all participants have "
    "certified the new ones. Old and new shares cannot be combined; leaving members must erase "
    "theirs."
)


class ReshareForm(QWidget):
    """Custodians, threshold, approvals; shows immediately what it would do, or why it cannot."""

    planned = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._wallet: WalletSharesView | None = None
        self._members: tuple[MemberView, ...] = ()
        self._boxes: dict[str, CheckLine] = {}
        self._blocked = ""
        self.threshold = Stepper(names.RESHARE_THRESHOLD, "Signers needed", 2, 2)
        self.approvals = Stepper(names.RESHARE_APPROVALS, "Approvals needed", 1, 1)
        self.sentence = Banner(Tone.INFO, "reshareForm.sentence")
        self.why = Label("", "caption", wrap=True)
        self.propose = Button(
            "Propose reshare\u2026", "primary", icon="send", name=names.RESHARE_PROPOSE
        )
        cancel = Button("Cancel", name=names.RESHARE_CANCEL)
        self._people = QVBoxLayout()
        self._people.setSpacing(0)
        form = Card("Afterwards", spacing=16)
        form.add(
            column(Label("Custodians, each holds one share", "caption"), self._people, spacing=4),
            row(
                column(Label("Signers needed", "caption"), self.threshold, spacing=4),
                column(Label("Approvals needed", "caption"), self.approvals, spacing=4),
                1,
                spacing=32,
            ),
            self.why,
            row(cancel, 1, self.propose),
        )
        self.facts = Facts()
        summary = Card("What this does", spacing=12)
        summary.add(self.facts, Label(_SAFETY, "secondary", wrap=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.sentence)
        layout.addLayout(columns(column(form, stretch=True), column(summary, stretch=True)))
        self.threshold.value_changed.connect(self.update_summary)
        self.approvals.value_changed.connect(self.update_summary)
        self.propose.clicked.connect(self.planned)
        cancel.clicked.connect(self.left)

    @property
    def draft(self) -> Reshare | None:
        """The planned reshare, None before a wallet is shown."""
        if self._wallet is None:
            return None
        chosen = tuple(member for member, box in self._boxes.items() if box.isChecked())
        return Reshare(
            self._wallet, self._members, chosen, self.threshold.value, self.approvals.value
        )

    def start(self) -> None:
        """Clear the plan; the next wallet starts from its current quorum."""
        self._wallet = None

    def show_wallet(
        self, wallet: WalletSharesView, members: tuple[MemberView, ...], *, hindrance: str
    ) -> None:
        """Offer all members; ticks since the start are kept."""
        fresh = self._wallet is None or self._wallet.wallet != wallet.wallet
        self._wallet, self._members = wallet, members
        today = {share.member for share in wallet.shares}
        for member in members:
            box = self._boxes.get(member.member) or self._add(member.member)
            box.set_sentence(_sentence(member, holds=member.member in today))
            if fresh:
                box.setChecked(member.member in today)
        if fresh:
            people = len(today)
            self.threshold.set_range(2, people)
            self.approvals.set_range(1, people)
            self.threshold.set_value(wallet.threshold)
            self.approvals.set_value(wallet.approvals_needed)
        blocked = "" if wallet.reshare.possible else wallet.reshare.because
        self._blocked = wording.sentence(blocked)
        self._blocked = hindrance or self._blocked
        self.update_summary()

    def update_summary(self) -> None:
        """Show what would happen, or what is missing."""
        draft = self.draft
        if draft is None:
            return
        people = len(draft.custodians)
        self.threshold.set_range(2, people)
        self.approvals.set_range(1, people)
        draft = self.draft or draft
        problem = self._blocked or draft.problem
        self.sentence.set_tone(Tone.WARN if problem else Tone.INFO)
        self.sentence.show_text(draft.sentence if people >= draft.threshold else problem)
        lost = max(people - draft.threshold, 0)
        self.facts.set_facts(
            Fact("Now", wording.quorum(draft.wallet.threshold, len(draft.wallet.shares))),
            Fact("Afterwards", _shape(draft.threshold, people)),
            Fact("To approve", _shape(draft.approvals, people)),
            Fact("Shares that may be lost", str(lost)),
            Fact("Dealt by", wording.listed(draft.names(draft.dealers)) or "\u2013"),
            Fact("Must take part", wording.count(len(draft.taking_part), "person", "people")),
        )
        self.why.show_text(problem)
        self.propose.setEnabled(not problem)
        self.propose.setAccessibleDescription(problem)

    def _add(self, member: str) -> CheckLine:
        box = CheckLine("", f"{names.RESHARE_CUSTODIAN}.{member}")
        box.toggled.connect(self.update_summary)
        self._boxes[member] = box
        self._people.addWidget(box)
        return box


def _shape(needed: int, people: int) -> str:
    return wording.quorum(needed, people) if needed <= people else "\u2013"


def _sentence(member: MemberView, *, holds: bool) -> str:
    me = " (you)" if member.is_me else ""
    state = "online" if member.online else "unreachable now"
    today = "custodian now" if holds else "holds no share"
    return f"{member.name}{me} \u00b7 {today} \u00b7 {state}"
