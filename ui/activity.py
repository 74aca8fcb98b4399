"""The list of what was asked of the node here, and what became of it."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from ui import object_names as names
from ui import wording
from ui.outcomes import Asked, Fate, Outcomes
from ui.widgets.buttons import Button
from ui.widgets.card import row
from ui.widgets.rows import RowItem, RowList
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_SHOWN = 12
_MARKS = {
    Fate.SENT: ("hourglass", "info_fg"),
    Fate.RECORDED: ("check-circle", "ok_fg"),
    Fate.REFUSED: ("x-octagon", "danger_fg"),
    Fate.UNKNOWN: ("question-dashed", "unknown_fg"),
    Fate.ABSENT: ("question-dashed", "warn_fg"),
}


class ActivitySheet(Sheet):
    """Newest first; a row opens its subject."""

    def __init__(self, window: QWidget, navigate: Callable[[str, str], None]) -> None:
        super().__init__(window, "What you asked the node", width=600)
        self._navigate = navigate
        self._shown: dict[str, Asked] = {}
        self.nothing = Label(
            "Nothing yet. What you ask the node in this window is listed here.", "muted", wrap=True
        )
        self.rows = RowList(names.ACTIVITY_LIST)
        self.rows.opened.connect(self._open)
        self._close = Button("Close", name=names.ACTIVITY_CLOSE)
        self._close.clicked.connect(self.close_sheet)
        self.card.add(self.nothing, self.rows, row(1, self._close))

    def ask(self, outcomes: Outcomes) -> None:
        """Open with the newest commands."""
        self.show_outcomes(outcomes)
        self.open(self._close)

    def show_outcomes(self, outcomes: Outcomes) -> None:
        """Paint the newest commands."""
        self._shown = {str(asked.number): asked for asked in outcomes.all[:_SHOWN]}
        self.rows.set_items([_row(asked) for asked in self._shown.values()])
        self.nothing.setVisible(not self._shown)

    def forget(self) -> None:
        """Close, and drop what is shown."""
        self.close_sheet()
        self._shown = {}
        self.rows.set_items(())

    def _open(self, key: str) -> None:
        asked = self._shown.get(key)
        if asked is not None:
            self.close_sheet()
            self._navigate(asked.subject.screen, asked.subject.key)


def _row(asked: Asked) -> RowItem:
    icon, tint = _MARKS[asked.fate]
    detail = f"{asked.sentence} \u00b7 {wording.clock(asked.at_ms)}"
    return RowItem(str(asked.number), icon, asked.subject.words, detail, tone_icon=tint, whole=True)
