"""The members whose entries are here, each with Remove."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from console.client.set_up.messages import EntrySeen
from ui.first_run import names
from ui.widgets.buttons import Button
from ui.widgets.card import rule
from ui.widgets.navigation import Avatar
from ui.widgets.text import Label


class EntryList(QWidget):
    """Rows of name, identifier and address; `removed` carries the member."""

    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[EntrySeen, ...] = ()
        self.buttons: list[Button] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)

    def set_entries(self, entries: Sequence[EntrySeen]) -> None:
        """Show these entries in order."""
        if tuple(entries) == self._shown:
            return
        self._shown = tuple(entries)
        self.buttons = []
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for place, entry in enumerate(entries):
            if place:
                self._layout.addWidget(rule())
            self._layout.addWidget(self._row(entry))

    def _row(self, entry: EntrySeen) -> QWidget:
        shown = QWidget()
        line = QHBoxLayout(shown)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(initials(entry.name), 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(Label(entry.name, "strong", wrap=True))
        texts.addWidget(Label(f"{entry.member} \u00b7 {entry.address}", "caption", wrap=True))
        line.addLayout(texts, 1)
        remove = Button(
            "Remove",
            "ghost",
            icon="x",
            name=f"{names.INVITATION_REMOVE}.{entry.member}",
            accessible=f"Remove {entry.name}",
        )
        member = entry.member
        remove.clicked.connect(lambda: self.removed.emit(member))
        self.buttons.append(remove)
        line.addWidget(remove)
        return shown


def initials(name: str) -> Avatar:
    """Return a member's initials in a circle that does nothing."""
    avatar = Avatar(name, "")
    avatar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    avatar.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    avatar.setAccessibleName(name)
    avatar.setToolTip("")
    return avatar
