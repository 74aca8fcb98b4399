"""Help for a screen and the list of shortcuts."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import object_names as names
from ui.widgets.buttons import Button
from ui.widgets.card import row
from ui.widgets.facts import Fact, Facts
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

SHORTCUTS = (
    Fact("Alt+1 \u2026 Alt+7", "Go to a section"),
    Fact("Ctrl+K", "Search screens, requests, wallets"),
    Fact("Ctrl+F", "Filter this page"),
    Fact("J  K", "Move in a list"),
    Fact("Enter", "Open the selected row"),
    Fact("Esc", "Go back, close a panel"),
    Fact("Ctrl+R", "Refresh from the node"),
    Fact("Ctrl+E", "Export, where there is something to export"),
    Fact("Ctrl+Enter", "Go to Approve, once it is armed"),
    Fact("Space", "Press the focused button"),
    Fact("Ctrl+Shift+H", "Mask amounts and addresses"),
    Fact("Ctrl+L", "Lock"),
    Fact("F1", "Help for this screen"),
    Fact("Ctrl+/", "This list"),
)


class HelpSheet(Sheet):
    """Sentences about one screen, or the shortcuts."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Help", width=560)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(12)
        self._facts = Facts(values_left=True)
        self._facts.set_facts(*SHORTCUTS)
        self._close = Button("Close", name=names.HELP_CLOSE)
        self._close.clicked.connect(self.close_sheet)
        self.card.add(self._lines, self._facts, row(1, self._close))

    def show_help(self, title: str, lines: Sequence[str]) -> None:
        """Explain a screen."""
        self.card.heading.setText(f"Help: {title}")
        self._fill(lines)
        self._facts.hide()
        self.open(self._close)

    def show_shortcuts(self) -> None:
        """List the shortcuts."""
        self.card.heading.setText("Keyboard shortcuts")
        self._fill(())
        self._facts.show()
        self.open(self._close)

    def _fill(self, lines: Sequence[str]) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line in lines:
            self._lines.addWidget(Label(line, wrap=True))
