"""One ceremony: the participants, the live rounds, the code to compare."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.views import (
    CeremonyStage,
    CeremonyView,
    CustodianView,
    ProtocolSessionView,
    StepState,
)
from console.domain.values import CeremonyPurpose
from ui import object_names as names
from ui import status, wording
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import CheckLine
from ui.widgets.round_matrix import RoundMatrix
from ui.widgets.segmented import Segment, SegmentedApprovals
from ui.widgets.text import Label
from ui.widgets.timeline import Timeline, TimelineItem

_STEPS = ("Proposed", "Accepted by all", "Shares generated", "Code compared", "Wallet active")
_NEXT_STEPS = (*_STEPS[:2], "New shares generated", _STEPS[3], "New epoch active")
_AGREEMENT = {
    CeremonyPurpose.GENERATE: "Accepting signs your agreement to this wallet, threshold and list "
    "of custodians with your token.",
    CeremonyPurpose.REFRESH: "Accepting signs your agreement, with your token, to new shares for "
    "the same custodians. The old shares stay valid until all have certified the new ones.",
    CeremonyPurpose.REPAIR: "Accepting signs your agreement, with your token, to restore the lost "
    "share and to refresh all shares. The old shares stay valid until all have certified the new "
    "ones.",
    CeremonyPurpose.RESHARE: "Accepting signs your agreement, with your token, to this threshold "
    "and list of custodians. The old shares stay valid until all have certified the new ones.",
}
_START = "The rounds start when all custodians have accepted."
_REACHED = {
    CeremonyStage.AWAITING_ACCEPTANCE: 1,
    CeremonyStage.READY: 2,
    CeremonyStage.RUNNING: 2,
    CeremonyStage.COMPARING: 3,
    CeremonyStage.COMPLETED: 5,
}
_STOPPED = {CeremonyStage.DECLINED, CeremonyStage.CANCELLED, CeremonyStage.EXPIRED}


class CeremonyDetail(QWidget):
    """The runbook of one ceremony."""

    accepted = Signal()
    declined = Signal()
    confirmed = Signal()
    cancelled = Signal()
    wallet_opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._working = False
        self.sentence = Banner(Tone.INFO, "ceremony.sentence")
        self.matrix = RoundMatrix()
        self.no_run = Label("", "muted", wrap=True)
        self.failed = Label("", "caption", wrap=True)
        self.rounds = Card("Rounds", spacing=12)
        self.rounds.add(self.matrix, self.no_run, self.failed)
        self.people = SegmentedApprovals()
        people = Card("Who takes part", spacing=12)
        people.add(self.people)
        self.steps = Timeline()
        steps = Card("Steps", spacing=8)
        steps.add(self.steps)
        self.facts = Facts()
        facts = Card("Plan", spacing=12)
        facts.add(self.facts)
        self.safety = Label("", wrap=True)
        self.cancel = Button("Cancel ceremony\u2026", "danger", name=names.CEREMONY_CANCEL)
        abort = Card("If this stops now", spacing=12)
        abort.add(self.safety, row(self.cancel, 1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.sentence)
        layout.addLayout(
            columns(
                column(
                    self._decision(), self._code(), self.rounds, people, spacing=16, stretch=True
                ),
                column(steps, facts, abort, spacing=16, stretch=True),
            )
        )
        self.cancel.clicked.connect(self.cancelled)

    def _decision(self) -> Card:
        self.decision = Card("Take part in this ceremony?", spacing=12)
        self.accept = Button("Accept", "primary", icon="check", name=names.CEREMONY_ACCEPT)
        self.decline = Button("Decline\u2026", "danger", name=names.CEREMONY_DECLINE)
        self.agreement = Label("", "secondary", wrap=True)
        self.decision.add(self.agreement, row(self.decline, 1, self.accept))
        self.accept.clicked.connect(self.accepted)
        self.decline.clicked.connect(self.declined)
        return self.decision

    def _code(self) -> Card:
        self.code_card = Card("Compare this code", spacing=12)
        self.words = Label("", "code", wrap=True)
        self.words.setAccessibleName("Verification code")
        self.compared = CheckLine(
            "I heard every custodian read the same words and group", names.CEREMONY_COMPARED
        )
        self.confirm = Button(
            "The code is the same", "primary", icon="check", name=names.CEREMONY_CONFIRM_CODE
        )
        self.open_wallet = Button("Open wallet", icon="wallet", name=names.CEREMONY_OPEN_WALLET)
        self.code_help = Label(
            "Read it aloud on a call in which you know every voice. One different word means that "
            "an attacker is between you: cancel, and none of these shares can be used.",
            "secondary",
            wrap=True,
        )
        self.code_card.add(
            self.code_help, self.words, self.compared, row(self.open_wallet, 1, self.confirm)
        )
        self.compared.toggled.connect(lambda on: self.confirm.setEnabled(on and not self._working))
        self.confirm.setEnabled(False)
        self.confirm.clicked.connect(self.confirmed)
        self.open_wallet.clicked.connect(self.wallet_opened)
        return self.code_card

    def show_ceremony(
        self, view: CeremonyView, people: dict[str, str], *, working: bool, expired: bool
    ) -> None:
        """Paint a ceremony; `people` maps members to names."""
        self._working = working
        people |= {person.member: person.name for person in view.custodians}
        self.sentence.set_tone(status.CEREMONY[view.stage].tone)
        self.sentence.show_text(view.sentence)
        self.decision.setVisible(view.can_accept)
        self.agreement.setText(f"{_agreement(view)} {_START}")
        self.accept.setEnabled(not working and not expired)
        self.decline.setEnabled(not working and not expired)
        self._show_code(view, working=working)
        self._show_rounds(view)
        self.people.set_segments([_segment(person, view) for person in view.custodians])
        self.steps.set_items(_steps(view))
        self.facts.set_facts(*_plan(view, people))
        self.safety.setText(view.safety)
        self.cancel.setVisible(view.can_cancel)
        self.cancel.setEnabled(not working)

    def _show_code(self, view: CeremonyView, *, working: bool) -> None:
        completed = view.stage is CeremonyStage.COMPLETED
        self.code_card.setVisible(bool(view.code))
        self.code_card.heading.setText(
            "Code of this ceremony" if completed else "Compare this code"
        )
        self.code_help.setVisible(not completed)
        self.words.setText(view.code)
        if not view.can_confirm:
            self.compared.setChecked(False)
        self.compared.setVisible(view.can_confirm)
        self.confirm.setVisible(view.can_confirm)
        self.confirm.setEnabled(self.compared.isChecked() and not working)
        self.open_wallet.setVisible(completed)

    def _show_rounds(self, view: CeremonyView) -> None:
        people = {person.member: person.name for person in view.custodians}
        self.matrix.set_run(view.run, people)
        waiting = "The rounds start when all custodians have accepted."
        stopped = "This ceremony stopped before its rounds started."
        words = stopped if view.stage in _STOPPED else waiting
        self.no_run.show_text("" if view.run else words)
        if view.run is not None:
            run = view.run
            self.rounds.heading.setText(
                f"{run.protocol} \u00b7 attempt {run.attempt} \u00b7 {run.unit} {run.round} of "
                f"{len(run.rounds)}"
            )
        else:
            self.rounds.heading.setText("Rounds")
        lines = [f"Attempt {run.attempt} ended: {run.failure}" for run in view.failed_runs]
        self.failed.show_text("\n".join(lines))


def _segment(person: CustodianView, view: CeremonyView) -> Segment:
    comparing = view.stage in {CeremonyStage.COMPARING, CeremonyStage.COMPLETED}
    state = person.confirmed if comparing else person.accepted
    at = person.confirmed_ms if comparing else person.accepted_ms
    verb = "confirmed" if comparing else "accepted"
    look = status.STEP[state]
    word = verb if state is StepState.DONE else look.word.lower()
    detail = f"{wording.clock(at)} \u00b7 {word}" if at else word
    return Segment("You" if person.is_me else person.name, detail, Look(look.icon, word, look.tone))


def _changes(view: CeremonyView) -> bool:
    return view.purpose != CeremonyPurpose.GENERATE


def _agreement(view: CeremonyView) -> str:
    try:
        return _AGREEMENT[CeremonyPurpose(view.purpose)]
    except ValueError:
        return _AGREEMENT[CeremonyPurpose.GENERATE]


def _plan(view: CeremonyView, people: dict[str, str]) -> list[Fact]:
    after = wording.holders(view)
    facts = [
        Fact("Purpose", status.purpose(view.purpose).word),
        Fact("To sign", wording.quorum(view.threshold, after)),
        Fact("To approve", wording.quorum(view.approvals_needed, after)),
        Fact("Keys", "\n".join(view.key_names)),
        Fact("Epoch", f"{view.epoch} begins" if _changes(view) else f"{view.epoch}, the first"),
    ]
    if view.repaired:
        facts.append(Fact("Its share is restored", people.get(view.repaired, view.repaired)))
    if view.purpose == CeremonyPurpose.RESHARE:
        leaving = wording.listed([people.get(member, member) for member in view.leaving])
        facts.append(Fact("Leaving", f"{leaving}, must erase" if leaving else "nobody"))
    return [
        *facts,
        Fact("Proposed by", f"{view.proposer_name}, {wording.moment(view.proposed_at_ms)}"),
        Fact("Open until", f"{wording.moment(view.expires_at_ms)}"),
    ]


def _progress(run: ProtocolSessionView | None) -> str:
    return f"{run.unit} {run.round} of {len(run.rounds)}" if run else "not started"


def _steps(view: CeremonyView) -> list[TimelineItem]:
    titles = _NEXT_STEPS if _changes(view) else _STEPS
    accepted = sum(person.accepted is StepState.DONE for person in view.custodians)
    confirmed = sum(person.confirmed is StepState.DONE for person in view.custodians)
    people = len(view.custodians)
    details = (
        f"{view.proposer_name} \u00b7 {wording.clock(view.proposed_at_ms)}",
        wording.quorum(accepted, people),
        _progress(view.run),
        wording.quorum(confirmed, people) if view.code else "not started",
        "now" if view.stage is CeremonyStage.COMPLETED else "not started",
    )
    if view.stage in _STOPPED:
        look = status.CEREMONY[view.stage]
        first = TimelineItem(status.STEP[StepState.DONE], titles[0], details[0])
        kept = "the old shares stay valid" if _changes(view) else "no key exists"
        return [first, TimelineItem(look, look.word, kept)]
    reached = _REACHED[view.stage]
    items = []
    for place, (title, detail) in enumerate(zip(titles, details, strict=True)):
        state = StepState.DONE if place < reached else StepState.NOT_STARTED
        state = StepState.WAITING if place == reached else state
        items.append(TimelineItem(status.STEP[state], title, detail))
    return items
