"""The line below a list that is longer than what is shown: how many are, and a way to more."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui import wording
from ui.widgets.buttons import Button
from ui.widgets.card import row
from ui.widgets.text import Label


class OlderLine(QWidget):
    """Hidden while everything is shown. `wanted` asks for the next page."""

    wanted = Signal()

    def __init__(self, name: str, many: str) -> None:
        super().__init__()
        self._many = many
        self.said = Label("", "muted")
        self.more = Button("Show older", name=name)
        self.more.clicked.connect(self.wanted)
        line = row(self.said, 1, self.more)
        line.setContentsMargins(16, 8, 16, 8)
        self.setLayout(line)
        self.hide()

    def show_count(self, shown: int, total: int) -> None:
        """Say that `shown` of `total` are here."""
        self.setVisible(shown < total)
        self.said.setText(
            f"{wording.number(shown)} of {wording.number(total)} {self._many} are shown, open ones "
            "first."
        )
