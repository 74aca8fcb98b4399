"""The sheet that prepares a decision about the members, to compare and sign it first."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QGridLayout

from console.application.commands import Pin
from console.application.views import MemberView
from ui import object_names as names
from ui import wording
from ui.context import Context
from ui.screens.recovery.endorsing import EndorsePanel
from ui.screens.recovery.members import COMPARED, SIGN
from ui.screens.recovery.view_model import RecoveryModel
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column
from ui.widgets.fields import CheckLine
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_WIDTH = 680
_HOW = (
    "Choose who leaves, and who decides and admits machines from then on. The others see the "
    "decision on their Members page and sign it after comparing its code."
)
_PROBLEMS = "This decision cannot be signed."
_UNCHANGED = "Choose who leaves, or change who decides."


class DecisionPanel(Sheet):
    """Two ticks for each member, the code, tick and PIN. Another choice voids tick and PIN."""

    submitted = Signal(object)

    def __init__(self, context: Context, model: RecoveryModel) -> None:
        super().__init__(context.window, "Decide about the members", width=_WIDTH)
        self._model = model
        self._leaves: dict[str, CheckLine] = {}
        self._decides: dict[str, CheckLine] = {}
        self.card.body.setSpacing(12)
        name = names.DECISION_PANEL
        self._grid = QGridLayout()
        self._grid.setColumnStretch(0, 1)
        self.said = Label("", "", wrap=True)
        self.code = Label("", "code")
        self.problems = Banner(Tone.DANGER, f"{name}.problems")
        self.refusal = Banner(Tone.DANGER, f"{name}.refusal")
        cancel = Button("Cancel", name=f"{name}.cancel")
        self.sign = EndorsePanel(
            context.link, f"{name}.sign", cancel, action=SIGN, compared=COMPARED
        )
        self.sign.block_while(self._blocked)
        self.caption = Label("Short code", "caption")
        self.card.add(Label(_HOW, "secondary", wrap=True))
        self.card.body.addLayout(self._grid)
        self.card.add(self.said)
        self.card.body.addLayout(column(self.caption, self.code, spacing=4))
        self.card.add(self.problems, self.refusal, self.sign)
        self.sign.endorsed.connect(self._submit)
        cancel.clicked.connect(self.close_sheet)

    @property
    def leaving(self) -> tuple[str, ...]:
        """Who leaves, by id."""
        return tuple(sorted(m for m, box in self._leaves.items() if box.isChecked()))

    @property
    def deciding(self) -> tuple[str, ...]:
        """Who decides afterwards, by id."""
        return tuple(sorted(m for m, box in self._decides.items() if box.isChecked()))

    def ask(self, members: tuple[MemberView, ...]) -> None:
        """Open with what is in force."""
        for box in (*self._leaves.values(), *self._decides.values()):
            box.setParent(None)
        self._leaves.clear()
        self._decides.clear()
        view = self._model.view
        electors = view.roster.electors if view else ()
        for place, member in enumerate(members):
            self._add(place, member, decides=member.member in electors)
        self.sign.reset()
        first = next(iter(self._decides.values()), None)
        self.open(first or self.sign.compared)
        self._changed()

    def _add(self, place: int, member: MemberView, *, decides: bool) -> None:
        who = "You" if member.is_me else member.name
        stays = CheckLine(
            f"{who} decide{'' if member.is_me else 's'} from then on",
            f"{names.DECISION_DECIDES}.{member.member}",
        )
        stays.setChecked(decides)
        stays.toggled.connect(self._changed)
        self._decides[member.member] = stays
        self._grid.addWidget(stays, place, 0)
        if member.is_me:
            return
        leaves = CheckLine("Leaves", f"{names.DECISION_LEAVES}.{member.member}")
        leaves.setAccessibleName(f"{who} leaves the vault")
        leaves.toggled.connect(lambda on: self._leave(member.member, leaves=on))
        self._leaves[member.member] = leaves
        self._grid.addWidget(leaves, place, 1)

    def _leave(self, member: str, *, leaves: bool) -> None:
        box = self._decides[member]
        box.setEnabled(not leaves)
        if leaves:
            box.setChecked(False)
        self._changed()

    def _changed(self) -> None:
        self.sign.reset()
        self._model.read_decision(self.leaving, self.deciding)
        self.show_model()

    def show_model(self) -> None:
        """Paint the preview of what is chosen."""
        if self.isHidden():
            return
        model, preview = self._model, self._model.decision_preview
        changed = self._is_change()
        self.said.setVisible(changed)
        self.said.setText(model.decision_sentence(self.leaving, self.deciding))
        problem = model.decision_problem
        if problem is not None:
            self.problems.show_problem(problem)
        else:
            text = preview.problems[0] if preview and preview.problems and changed else ""
            self.problems.show_text(_PROBLEMS if text else "", wording.sentence(text))
        usable = changed and preview is not None and not preview.problems
        self.code.setText(preview.short_code if usable and preview else "")
        for part in (self.code, self.caption):
            part.setVisible(usable)
        self.refusal.show_problem(model.refusal)
        self.sign.offer(offered=usable)
        self.sign.show_state(working=model.working)

    def _is_change(self) -> bool:
        view = self._model.view
        now = set(view.roster.electors) if view else set()
        return bool(self.leaving) or set(self.deciding) != now

    def _blocked(self) -> str:
        preview = self._model.decision_preview
        if not self._is_change():
            return _UNCHANGED
        if preview is None:
            return "Reading the decision."
        return "Choose differently: the reason stands above." if preview.problems else ""

    def _submit(self, pin: Pin) -> None:
        self.submitted.emit(pin)

    def hideEvent(self, event: QHideEvent) -> None:
        """Clear what was typed."""
        super().hideEvent(event)
        self.sign.reset()
