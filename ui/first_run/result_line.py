"""The result of a test: icon, word and what was found."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui import wording
from ui.announcing import announce
from ui.status import Look
from ui.theme import Tone
from ui.widgets.chip import Chip
from ui.widgets.text import Label

WORKS = Look("check-circle", "Works", Tone.OK)
FAILS = Look("x-circle", "Does not work", Tone.DANGER)
WAITS = Look("hourglass", "Testing", Tone.INFO)


class ResultLine(QWidget):
    """Hidden while there is no result."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.mark, self.found = Chip(), Label("", "secondary", wrap=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.found, 1, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def show_waiting(self, text: str) -> None:
        """Show that a test runs."""
        self._show(WAITS, text)

    def show_result(self, *, works: bool, found: str) -> None:
        """Show a result."""
        self._show(WORKS if works else FAILS, wording.sentence(found))

    def clear(self) -> None:
        """Show nothing."""
        self.hide()

    def _show(self, look: Look, text: str) -> None:
        self.mark.set_look(look)
        self.found.setText(text)
        self.setAccessibleName(f"{look.word}. {text}")
        self.show()
        announce(self, f"{look.word}. {text}")
