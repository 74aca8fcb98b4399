"""The panel that shows a plan before it is proposed."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import object_names as names
from ui.announcing import announce
from ui.screens.recovery.plans import Confirmation, Point
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.chip import IconMark
from ui.widgets.choice import ChoiceLine
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_WIDTH = 600


class ConfirmSheet(Sheet):
    """Shows a plan; with choices, the plan of the chosen one. Esc and Cancel propose nothing.

    `confirmed` carries the key of the choice, or "".
    """

    confirmed = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Confirm", width=_WIDTH)
        self.setObjectName(names.RECOVERY_CONFIRM)
        self._plan: Callable[[str], Confirmation] | None = None
        self._boxes: dict[str, ChoiceLine] = {}
        self._question = Label("Whose share was lost?", "caption")
        self._choices = QVBoxLayout()
        self._choices.setSpacing(0)
        self._points = QVBoxLayout()
        self._points.setSpacing(12)
        self._holder = QWidget()
        self._holder.setLayout(column(self._question, self._choices, spacing=4))
        self._over = self._blocked = ""
        self.why = Label("", "caption", wrap=True)
        self.confirm = Button("", "primary", name=f"{names.RECOVERY_CONFIRM}.confirm")
        self.cancel = Button("Cancel", name=f"{names.RECOVERY_CONFIRM}.cancel")
        self.card.add(self._holder, self._points, self.why, row(self.cancel, 1, self.confirm))
        self.cancel.clicked.connect(self.close_sheet)
        self.confirm.clicked.connect(self._confirm)

    @property
    def chosen(self) -> str:
        """The key of the choice, or ''."""
        return next((key for key, box in self._boxes.items() if box.isChecked()), "")

    def ask(
        self, plan: Callable[[str], Confirmation], choices: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Open with the plan of the first choice, or of ''."""
        self._plan, self._over, self._blocked = plan, "", ""
        _empty(self._choices)
        self._boxes.clear()
        for key, title in choices:
            box = ChoiceLine(title, f"{names.RECOVERY_CONFIRM}.member.{key}")
            box.toggled.connect(self._show)
            self._boxes[key] = box
            self._choices.addWidget(box)
        self._holder.setVisible(bool(choices))
        for box in list(self._boxes.values())[:1]:
            box.setChecked(True)
        self._show()
        self.open(self.cancel)

    def follow(self, over: str, blocked: str = "") -> None:
        """While open, say why the plan is over for ever, or cannot be proposed now."""
        if self.isHidden():
            return
        if over and not self._over:
            announce(self, over)
            self.cancel.setFocus()
        self._over, self._blocked = over or self._over, blocked
        self._offer()

    def _offer(self) -> None:
        self.confirm.setVisible(not self._over)
        self.confirm.setEnabled(not self._blocked)
        self.cancel.setText("Close" if self._over else "Cancel")
        self.cancel.setAccessibleName(self.cancel.text())
        self.why.show_text(self._over or self._blocked)

    def _show(self) -> None:
        if self._plan is None:
            return
        self._offer()
        plan = self._plan(self.chosen)
        self.card.heading.setText(plan.title)
        self.confirm.setText(plan.action)
        self.confirm.setAccessibleName(plan.action)
        _empty(self._points)
        for point in plan.points:
            self._points.addWidget(_point(point))
        self.card.setAccessibleDescription(" ".join(point.text for point in plan.points))

    def _confirm(self) -> None:
        if self._over or self._blocked:
            return
        chosen = self.chosen
        self.close_sheet()
        self.confirmed.emit(chosen)


def _point(point: Point) -> QWidget:
    holder = QWidget()
    line = row(spacing=12)
    line.addWidget(IconMark(point.icon, "text2", 18), 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(Label(point.text, wrap=True), 1)
    holder.setLayout(line)
    return holder


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
