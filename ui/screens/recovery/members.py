"""Members: who decides about the vault, what waits for signatures, and who has left."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.commands import Pin
from console.application.views import ApprovalView, DecisionView, MemberView, RosterView, StepState
from ui import object_names as names
from ui import status, wording
from ui.context import Context
from ui.screens.recovery.endorsing import EndorsePanel
from ui.screens.recovery.side import INSET, side_card
from ui.screens.recovery.view_model import RecoveryModel
from ui.status import Look
from ui.widgets.card import Card, column
from ui.widgets.chip import Chip
from ui.widgets.columns import beside
from ui.widgets.facts import Fact, Facts
from ui.widgets.rows import RowItem, RowList
from ui.widgets.segmented import Segment, SegmentedApprovals
from ui.widgets.text import Label

_SIDE = 296
SIGN = "Sign this decision"
COMPARED = "I compared this code with the others over another channel"
NONE_OPEN = (
    "No decision waits for signatures. To let a member leave, or to choose who decides, press "
    "\u201cDecide about members\u201d."
)
GUIDE = (
    "More than half of those who decide sign a decision; nobody decides about its own leaving.",
    "Whoever leaves is cut off at once: no link, no signature, no endorsement of machines.",
    "Shares are not moved. Reshare wallets without the member before it leaves, or right after.",
    "Those who decide also endorse machines. At first these are the founders.",
)


class MembersPage(QWidget):
    """The members on the left; on the right the open decision, with the code to compare."""

    signed = Signal(object, object)

    def __init__(self, context: Context, model: RecoveryModel) -> None:
        super().__init__()
        self._model = model
        self._decision: DecisionView | None = None
        self.list = RowList(names.MEMBERS_LIST, opens=False, inset=INSET)
        side = side_card("All members", self.list)
        self.decision = self._decision_card(context)
        self.none = Card("Decisions", spacing=8)
        self.none.add(Label(NONE_OPEN, "muted", wrap=True))
        guide = Card("How members leave", spacing=8)
        guide.add(*(Label(text, "secondary", wrap=True) for text in GUIDE))
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(16)
        for part in (self.decision, self.none, guide):
            right.addWidget(part)
        right.addStretch(1)
        detail = QWidget()
        detail.setLayout(right)
        self.setLayout(column(beside(side, detail, _SIDE)))

    def _decision_card(self, context: Context) -> Card:
        card = Card("Decision", spacing=12)
        self.state = Chip()
        card.head.addWidget(self.state)
        self.said = Label("", "", wrap=True)
        self.facts = Facts(values_left=True)
        self.code = Label("", "code")
        self.approvals = SegmentedApprovals("Signatures")
        self.sign = EndorsePanel(context.link, names.DECISION_SIGN, action=SIGN, compared=COMPARED)
        self.sign.block_while(self._blocked)
        self.sign.endorsed.connect(self._sign)
        code = column(Label("Short code", "caption"), self.code, spacing=4)
        card.add(self.said, self.facts)
        card.body.addLayout(code)
        card.add(self.approvals, self.sign)
        return card

    def reset(self) -> None:
        """Clear tick and PIN."""
        self.sign.reset()

    def show_model(self, now: int) -> None:
        """Paint members and the open decision."""
        model = self._model
        view = model.view
        if view is None:
            return
        roster, decision = view.roster, model.decision
        self.list.set_items(
            [_row(member, roster) for member in view.members]
            + [
                RowItem(gone.member, "user", gone.name, "Left the vault", tone_icon="muted")
                for gone in roster.former
            ]
        )
        if (decision.digest if decision else "") != (
            self._decision.digest if self._decision else ""
        ):
            # A tick is for one decision only, even if another replaces it.
            self.reset()
        self._decision = decision
        self.decision.setVisible(decision is not None)
        self.none.setVisible(decision is None)
        if decision is not None:
            self._show_decision(decision, now)
        self.sign.show_state(working=model.working)

    def _show_decision(self, decision: DecisionView, now: int) -> None:
        done = sum(item.state is StepState.DONE for item in decision.approvals)
        quorum = wording.quorum(done, decision.signatures_needed)
        waiting = f"Waiting \u00b7 {quorum}"
        self.state.set_look(Look(status.WAITING.icon, waiting, status.WAITING.tone))
        self.said.setText(self._model.decision_sentence(decision.retires, decision.electors))
        proposed = wording.moment(decision.proposed_at_ms)
        self.facts.set_facts(
            Fact("Proposed", f"{proposed}, {wording.ago(decision.proposed_at_ms, now)}")
        )
        self.code.setText(decision.short_code)
        self.code.setAccessibleName(f"Short code {decision.short_code}")
        self.approvals.set_segments([_segment(item) for item in decision.approvals])
        self.sign.offer(offered=decision.can_sign)

    def _blocked(self) -> str:
        decision = self._decision
        if decision is None:
            return "Nothing to sign."
        return "" if decision.can_sign else wording.sentence(decision.blocked_because)

    def _sign(self, pin: Pin) -> None:
        if self._decision is None:
            pin.wipe()
        else:
            self.signed.emit(self._decision, pin)


def _row(member: MemberView, roster: RosterView) -> RowItem:
    decides = member.member in roster.electors
    title = "You" if member.is_me else member.name
    detail = "Decides and admits machines" if decides else "Takes part"
    icon, tint = ("people", "info_fg") if decides else ("user", "muted")
    return RowItem(member.member, icon, title, detail, tone_icon=tint)


def _segment(item: ApprovalView) -> Segment:
    look = status.STEP[item.state]
    word = "yes" if item.state is StepState.DONE else look.word.lower()
    return Segment("You" if item.is_me else item.name, word, look)
