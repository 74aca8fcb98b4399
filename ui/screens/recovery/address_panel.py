"""The panel in which an operator enters where a machine is reached."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from console.application.commands import address_problem
from console.application.views import LinkView
from ui import object_names as names
from ui.screens.recovery.view_model import RecoveryModel
from ui.theme import Tone
from ui.view_model import WORKING
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.fields import labelled, text_field
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_WIDTH = 600
MAX_ADDRESS = 255
_OWN = (
    "This is signed and told to all members: from then on their nodes call this machine there. "
    "Whoever is away hears it later, from any member. It does not change where this node itself "
    "listens: its settings file says that, and a change there takes effect when the node is "
    "started again. If two machines moved at once and do not find each other, enter the "
    "other\u2019s new address on one of them, on this page."
)
_PEER = (
    "For this node alone: it calls {name} there until {name} signs a new address. Ask {name} for "
    "the address over another channel. The machine is still known by its TLS key: at a wrong "
    "address no one else is spoken to. Leave it empty to use the address that {name} has signed."
)
_EMPTY = "Enter the address first."
_SAME = "This is the address already."


class AddressPanel(Sheet):
    """Address, its problem and its effect. `submitted` carries the link and the address."""

    submitted = Signal(object, str)

    def __init__(self, window: QWidget, model: RecoveryModel) -> None:
        super().__init__(window, "Change address", width=_WIDTH)
        self._model = model
        self._link: LinkView | None = None
        name = names.ADDRESS_PANEL
        self.address = text_field(
            f"{name}.address", "Address", "host.example.net:7443", mono=True, limit=MAX_ADDRESS
        )
        caption, field = labelled("Address, as host:port", self.address)
        self.effect = Label("", "secondary", wrap=True)
        self.why = Label("", "caption", wrap=True)
        self.refusal = Banner(Tone.DANGER, f"{name}.refusal")
        self.cancel = Button("Cancel", name=f"{name}.cancel")
        self.send = Button("", "primary", name=f"{name}.send")
        self.card.add(
            column(caption, field, spacing=4),
            self.effect,
            self.why,
            self.refusal,
            row(self.cancel, 1, self.send),
        )
        self.address.textChanged.connect(self.show_model)
        self.address.returnPressed.connect(self._send)
        self.send.clicked.connect(self._send)
        self.cancel.clicked.connect(self.close_sheet)

    def ask(self, link: LinkView) -> None:
        """Open for a machine."""
        self._link = link
        self._model.refusal = None
        mine = "your machine" if link.is_me else f"{link.name}\u2019s machine, for this node"
        self.card.heading.setText(f"Address of {mine}")
        self.effect.setText(_OWN if link.is_me else _PEER.format(name=link.name))
        self.send.setText("Sign and tell all" if link.is_me else "Use it here")
        self.address.setText(link.address if link.is_me else link.address_here)
        self.open(self.address)
        self.address.selectAll()
        self.show_model()

    def show_model(self) -> None:
        """Say what is missing, or arm the button."""
        if self.isHidden():
            return
        problem = self._problem()
        self.why.show_text(problem)
        self.send.setEnabled(not problem)
        self.send.setAccessibleDescription(problem)
        self.refusal.show_problem(self._model.refusal)

    def hideEvent(self, event: QHideEvent) -> None:
        """Clear what was typed."""
        super().hideEvent(event)
        self.address.clear()

    def _problem(self) -> str:
        link, text = self._link, self.address.text().strip()
        if self._model.working:
            return WORKING
        if link is None or self.address.excess:
            return self.address.excess
        if not text and (link.is_me or not link.address_here):
            return _EMPTY
        if text == (link.address if link.is_me else link.address_here):
            return _SAME
        if not text:
            return ""
        return address_problem(text)

    def _send(self) -> None:
        if self._link is not None and not self._problem():
            self.submitted.emit(self._link, self.address.text().strip())
