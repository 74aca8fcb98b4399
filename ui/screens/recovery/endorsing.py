"""The tick, the PIN and the armed button with which a member signs what it has compared."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.commands import Pin
from ui import wording
from ui.link import NodeLink
from ui.view_model import UNREACHABLE_NOW, WORKING
from ui.widgets.buttons import ArmedButton, Button
from ui.widgets.card import column, row
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import CheckLine, PinField
from ui.widgets.text import Label

COMPARED = "I compared this code with its owner over another channel"
CHECK_FIRST = "Compare the code and tick the confirmation first."
PIN_FIRST = "Enter your token PIN."
REPLACING = (
    "Once enough founders have endorsed it, the old machine is revoked immediately: no other node "
    "talks to it. Shares are not moved. The new machine holds none, so run a repair next in each "
    "wallet."
)
JOINING = (
    "A new member can take part, but holds no share. Shares are not moved: a reshare generates "
    "one for the new member."
)


class EndorsePanel(QWidget):
    """Arms only with tick and PIN. `endorsed` carries the PIN; the field is then empty."""

    endorsed = Signal(object)

    def __init__(
        self,
        link: NodeLink,
        name: str,
        *others: Button,
        action: str = "Endorse this machine",
        compared: str = COMPARED,
    ) -> None:
        super().__init__()
        self._link = link
        self._blocked: Callable[[], str] = lambda: ""
        self._working = False
        self.compared = CheckLine(compared, f"{name}.compared")
        self.pin = PinField(f"{name}.pin")
        self.pin.setMaximumWidth(320)
        self.caption = Label("Token PIN", "caption")
        self.caption.setBuddy(self.pin)
        self.token = Label("", "caption")
        self.why = Label("", "caption", wrap=True)
        self.approve = ArmedButton(action, name=f"{name}.approve")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.compared)
        layout.addLayout(column(self.caption, self.pin, self.token, spacing=4))
        layout.addWidget(self.why)
        layout.addLayout(row(*others, 1, self.approve))
        self.compared.toggled.connect(self.update_arming)
        self.pin.textChanged.connect(self.update_arming)
        self.approve.confirmed.connect(self._endorse)

    def block_while(self, blocked: Callable[[], str]) -> None:
        """Never arm while `blocked` returns a reason."""
        self._blocked = blocked

    def offer(self, *, offered: bool) -> None:
        """Show tick and PIN only if there is a machine to endorse."""
        for part in (self.compared, self.caption, self.pin, self.token):
            part.setVisible(offered)

    def show_state(self, *, working: bool) -> None:
        """Paint the token and what is missing."""
        self._working = working
        session = self._link.session
        if session is not None:
            left = session.vault.attempts_left
            tries = f" \u00b7 {wording.count(left, 'attempt')} left" if left is not None else ""
            self.token.setText(f"{session.vault.label}{tries}")
        self.update_arming()

    def reset(self) -> None:
        """Clear tick and PIN."""
        self.compared.setChecked(False)
        self.pin.forget()

    def update_arming(self) -> None:
        """Arm, or show what is missing."""
        missing = self._blocked() or self._missing()
        self.approve.block(missing)
        self.why.show_text(missing)

    def _missing(self) -> str:
        if not self._link.reachable:
            return UNREACHABLE_NOW
        if self._working:
            return WORKING
        if not self.compared.isChecked():
            return CHECK_FIRST
        return self.pin.excess if self.pin.text() else PIN_FIRST

    def _endorse(self) -> None:
        pin: Pin = self.pin.take()
        self.reset()
        self.endorsed.emit(pin)


class MachineFacts(QWidget):
    """Member, address, the code to compare, and the full fingerprint in groups of four."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts(values_left=True)
        self.code = Label("", "code")
        self.fingerprint = ChunkedAddress(14, per_row=8, what="Fingerprint")
        # Below each other: both are shown in full, however narrow the panel is.
        code = column(Label("Short code", "caption"), self.code, spacing=4)
        caption = Label("Fingerprint of its identity key, SHA-256", "caption")
        fingerprint = column(caption, self.fingerprint, spacing=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.facts)
        layout.addLayout(code)
        layout.addLayout(fingerprint)

    def show_machine(self, code: str, fingerprint: str, *facts: Fact) -> None:
        """Paint a machine."""
        self.facts.set_facts(*facts)
        self.code.setText(code)
        self.code.setAccessibleName(f"Short code {code}")
        self.fingerprint.set_address(fingerprint)
