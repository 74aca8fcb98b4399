"""Machines that members endorse: the list, and the open one with the code to compare."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.commands import Pin
from console.application.views import ApprovalView, MachineView, StepState
from ui import object_names as names
from ui import status, wording
from ui.context import Context
from ui.screens.recovery.endorsing import JOINING, REPLACING, EndorsePanel, MachineFacts
from ui.screens.recovery.links import LinksCard
from ui.screens.recovery.side import INSET, side_card
from ui.screens.recovery.view_model import RecoveryModel
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.card import Card, column, row
from ui.widgets.chip import Chip, IconMark
from ui.widgets.columns import beside
from ui.widgets.facts import Fact
from ui.widgets.rows import RowItem, RowList
from ui.widgets.segmented import Segment, SegmentedApprovals
from ui.widgets.text import Label

_SIDE = 296
_DAY_MS = 24 * 3_600_000
_ON_IT = (
    "On the new machine, \u201cJoin a vault\u201d generates its keys. It asks for the "
    "founders\u2019 entries: give it those of this page."
)
_BACK = (
    "It then has one entry of its own. Bring it here by any means, open or paste it, and compare "
    "its code with the owner."
)
_STEPS = (
    ("monitor", _ON_IT),
    ("inbox", _BACK),
    (
        "people",
        "More than half of the other members must endorse it, each after comparing the code.",
    ),
    ("x-octagon", REPLACING),
    ("user", JOINING),
)


class MachinesPage(QWidget):
    """List on the left, the open machine on the right; endorsing happens here."""

    opened = Signal(str)
    endorsed = Signal(object, object)
    repair_wanted = Signal(str)

    def __init__(self, context: Context, model: RecoveryModel) -> None:
        super().__init__()
        self._model = model
        self._machine: MachineView | None = None
        self._wallet = ""
        self.list = RowList(names.MACHINES_LIST, inset=INSET)
        self.list.opened.connect(self.opened)
        self.no_machine = Label("No machine was endorsed yet.", "muted", wrap=True)
        self.no_machine.setContentsMargins(INSET, 0, INSET, INSET)
        side = side_card("All machines", self.list, self.no_machine)
        self.lost = Banner(Tone.WARN, names.MACHINE_LOST, action="Open shares")
        self.lost.acted.connect(lambda: self.repair_wanted.emit(self._wallet))
        self.links = LinksCard()
        self.about, self.decision = self._about(), self._decision(context)
        guide = _guide()
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(16)
        for part in (self.lost, self.about, self.decision, self.links, guide):
            right.addWidget(part)
        right.addStretch(1)
        detail = QWidget()
        detail.setLayout(right)
        self.setLayout(column(beside(side, detail, _SIDE)))

    def _about(self) -> Card:
        card = Card("Machine", spacing=12)
        self.state = Chip()
        card.head.addWidget(self.state)
        self.facts = MachineFacts()
        self.approvals = SegmentedApprovals("Endorsements")
        self.said = Label("", "secondary", wrap=True)
        card.add(self.facts, self.approvals, self.said)
        return card

    def _decision(self, context: Context) -> Card:
        card = Card("Endorse this machine", spacing=8)
        self.effect = Label("", "secondary", wrap=True)
        self.endorse = EndorsePanel(context.link, names.MACHINE_ENDORSE)
        self.endorse.block_while(self._blocked)
        self.endorse.endorsed.connect(self._endorse)
        card.add(self.effect, self.endorse)
        return card

    def reset(self) -> None:
        """Clear tick and PIN."""
        self.endorse.reset()

    def show_model(self, now: int) -> None:
        """Paint list and detail."""
        model = self._model
        machines = model.view.machines if model.view else ()
        machine = model.machine
        self.list.set_items([_row(item, chosen=item is machine) for item in machines])
        self.no_machine.setVisible(not machines)
        if (machine.digest if machine else "") != (self._machine.digest if self._machine else ""):
            # A tick is for one machine only, even if a newer one replaces it.
            self.reset()
        self._machine = machine
        self.about.setVisible(machine is not None)
        self.decision.setVisible(machine is not None and machine.can_approve)
        self._show_lost(machine)
        if machine is not None:
            self._show_machine(machine, now)
        self.endorse.show_state(working=model.working)
        links = model.view.links if model.view else ()
        self.links.show_links(links, now, blocked=bool(model.hindrance))

    def _show_lost(self, machine: MachineView | None) -> None:
        wallet = self._model.lost_share(machine.member) if machine and machine.admitted else None
        self._wallet = wallet.wallet if wallet else ""
        if machine is None or wallet is None:
            self.lost.show_text("")
            return
        self.lost.show_text(
            f"{machine.name}\u2019s share in {wallet.name} is lost.",
            "Funds are safe, but one share fewer can sign. Run a repair next.",
        )

    def _show_machine(self, machine: MachineView, now: int) -> None:
        done = sum(item.state is StepState.DONE for item in machine.approvals)
        quorum = wording.quorum(done, machine.approvals_needed)
        self.about.heading.setText(
            f"New machine of {machine.name}" if machine.replaces else f"New member {machine.name}"
        )
        waiting = Look(status.WAITING.icon, f"Waiting \u00b7 {quorum}", status.WAITING.tone)
        self.state.set_look(status.ADMITTED if machine.admitted else waiting)
        proposed = wording.moment(machine.proposed_at_ms)
        self.facts.show_machine(
            machine.short_code,
            machine.fingerprint,
            Fact("Member", f"{machine.name} ({machine.member})"),
            Fact(
                "Machine", "replaces another" if machine.replaces else "the first of a new member"
            ),
            Fact("Address", machine.address),
            Fact("Proposed", f"{proposed}, {wording.ago(machine.proposed_at_ms, now)}"),
        )
        self.approvals.set_segments([_segment(item, now) for item in machine.approvals])
        self.said.show_text(_sentence(machine, quorum))
        self.effect.setText(REPLACING if machine.replaces else JOINING)

    def _blocked(self) -> str:
        machine = self._machine
        if machine is None or not machine.can_approve:
            reason = wording.sentence(machine.approve_blocked_because) if machine else ""
            return reason or "Nothing to endorse."
        return ""

    def _endorse(self, pin: Pin) -> None:
        if self._machine is None:
            pin.wipe()
        else:
            self.endorsed.emit(self._machine, pin)


def _guide() -> Card:
    card = Card("How to add a machine", spacing=12)
    for icon, text in _STEPS:
        line = row(spacing=12)
        line.addWidget(IconMark(icon, "text2", 18), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Label(text, "secondary", wrap=True), 1)
        card.add(line)
    return card


def _row(machine: MachineView, *, chosen: bool) -> RowItem:
    done = sum(item.state is StepState.DONE for item in machine.approvals)
    quorum = wording.quorum(done, machine.approvals_needed)
    state = "Admitted" if machine.admitted else f"Waiting \u00b7 {quorum}"
    icon = status.ADMITTED.icon if machine.admitted else status.WAITING.icon
    tint = "ok_fg" if machine.admitted else "info_fg"
    detail = f"{state} \u00b7 {machine.short_code}"
    return RowItem(
        machine.digest, icon, machine.name, detail, tone_icon=tint, chosen=chosen, whole=True
    )


def _segment(item: ApprovalView, now: int) -> Segment:
    look = status.STEP[item.state]
    word = "yes" if item.state is StepState.DONE else look.word.lower()
    detail = word
    if item.at_ms is not None:
        today = now - item.at_ms < _DAY_MS
        at = wording.clock(item.at_ms) if today else wording.moment(item.at_ms)[:10]
        detail = f"{word}, {at}"
    return Segment("You" if item.is_me else item.name, detail, look)


def _sentence(machine: MachineView, quorum: str) -> str:
    done = [item.name for item in machine.approvals if item.state is StepState.DONE]
    people = wording.listed(done) or "nobody yet"
    if machine.admitted:
        return f"Admitted: {people} endorsed it."
    said = f"{quorum} approvals: {people}."
    return f"{said} {wording.sentence(machine.approve_blocked_because)}".strip()
