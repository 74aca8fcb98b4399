"""The actions on a wallet's shares: a button and a sentence each."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from console.application.views import ActionView, ShareState, WalletSharesView
from ui import object_names as names
from ui import wording
from ui.widgets.buttons import Button
from ui.widgets.card import Card, row
from ui.widgets.text import Label

REFRESH, REPAIR, DRILL, RESHARE = "refresh", "repair", "drill", "reshare"
_WIDTH = 164


class ActionLine(QWidget):
    """A button; beside it what it does, or why it cannot be done now."""

    def __init__(self, text: str, icon: str, name: str, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence
        self.button = Button(text, icon=icon, name=name)
        self.button.setFixedWidth(_WIDTH)
        self.why = Label(sentence, "caption", wrap=True)
        self.why.setMinimumHeight(36)
        line = row(spacing=12)
        line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.why, 1)
        self.setLayout(line)

    def show_action(self, action: ActionView, *, working: bool, primary: bool) -> None:
        """Enable or disable, and show why."""
        self.button.set_kind("primary" if primary else "secondary")
        self.button.setEnabled(action.possible and not working)
        text = self._sentence if action.possible else wording.sentence(action.because)
        self.why.setText(text)
        self.button.setAccessibleDescription(text)


class ActionsCard(Card):
    """Refresh, drill, repair and reshare; the most urgent one is the primary button."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__("Actions", spacing=12)
        self.refresh = ActionLine(
            "Refresh shares", "refresh", names.RECOVERY_REFRESH, "New shares for all; no new keys."
        )
        self.repair = ActionLine(
            "Repair\u2026", "wrench", names.RECOVERY_REPAIR, "Restore a lost share."
        )
        self.drill = ActionLine(
            "Run drill",
            "shield-check",
            names.RECOVERY_DRILL,
            "Prove that the shares can sign; nothing is sent.",
        )
        self.reshare = ActionLine(
            "Reshare\u2026",
            "exchange",
            names.RECOVERY_RESHARE,
            "Other custodians, or another threshold.",
        )
        self._lines = {
            REFRESH: self.refresh,
            REPAIR: self.repair,
            DRILL: self.drill,
            RESHARE: self.reshare,
        }
        for key, line in self._lines.items():
            line.button.clicked.connect(lambda _=False, key=key: self.asked.emit(key))
            self.add(line)
        self.body.addStretch(1)

    def show_wallet(self, wallet: WalletSharesView, *, working: bool) -> None:
        """Paint what is possible."""
        lost = [share.name for share in wallet.shares if share.state is ShareState.LOST]
        actions = {
            REFRESH: wallet.refresh,
            REPAIR: wallet.repair,
            DRILL: wallet.drill,
            RESHARE: wallet.reshare,
        }
        first = REPAIR if lost else REFRESH
        for key, line in self._lines.items():
            line.show_action(actions[key], working=working, primary=key == first)
        if lost and wallet.repair.possible:
            self.repair.why.setText(f"Restore the lost share of {wording.listed(lost)}.")
