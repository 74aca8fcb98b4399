"""The decision on a request: confirmations and PIN in a card, the buttons always in sight."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from console.application.views import RequestView
from ui import object_names as names
from ui import wording
from ui.amounts import Sum
from ui.screen import MARGIN, MAX_WIDTH
from ui.screens.review.view_model import ReviewModel
from ui.widgets.amount import AmountLabel
from ui.widgets.buttons import ArmedButton, Button
from ui.widgets.card import Card, column
from ui.widgets.fields import CheckLine, PinField
from ui.widgets.text import Label

_HEIGHT = 76


class DecisionBar(QWidget):
    """Amount, code and buttons beside each other; nothing moves while the button arms."""

    def __init__(self, why: Label, *buttons: Button) -> None:
        super().__init__()
        self.setProperty("pane", "foot")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumHeight(_HEIGHT)
        self.amount = AmountLabel("", "total")
        self.code = Label("", "mono")
        why.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        bounded = QWidget()
        bounded.setMaximumWidth(MAX_WIDTH)
        line = QHBoxLayout(bounded)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addLayout(column(self.amount, self.code, spacing=2), 3)
        line.addWidget(why, 4)
        for button in buttons:
            line.addWidget(button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 8, MARGIN, 8)
        layout.addWidget(bounded)
        self.hide()

    def show_request(self, view: RequestView) -> None:
        """Paint what the buttons decide on. Privacy mode never applies here."""
        self.amount.set_sum(Sum(view.description.amount, view.description.unit))
        self.code.setText(view.short_code)
        self.code.setAccessibleName(f"Short code {view.short_code}")


class DecisionCard(Card):
    """Two confirmations, the PIN, and an armed button; no single key approves."""

    denied = Signal()
    withdrawn = Signal()

    def __init__(self, model: ReviewModel) -> None:
        super().__init__("Confirm on this console", spacing=8)
        self._model = model
        self.check_1 = CheckLine(
            "The amount and wallet match the instruction I received", names.REVIEW_CHECK_1
        )
        self.check_2 = CheckLine("", names.REVIEW_CHECK_2)
        self.pin = PinField(names.REVIEW_PIN)
        self.pin_caption = Label("Token PIN", "caption")
        self.pin_caption.setBuddy(self.pin)
        self.token = Label("", "caption")
        self.why = Label("", "caption", wrap=True)
        self.approve = ArmedButton("Approve and sign share", name=names.REVIEW_APPROVE)
        self.deny = Button("Deny\u2026", "danger", name=names.REVIEW_DENY)
        self.withdraw = Button("Withdraw", name=names.REVIEW_WITHDRAW)
        self.bar = DecisionBar(self.why, self.deny, self.withdraw, self.approve)
        self.add(self.check_1, self.check_2, self.pin_caption, self.pin, self.token)
        self.check_1.toggled.connect(self.update_arming)
        self.check_2.toggled.connect(self.update_arming)
        self.pin.textChanged.connect(self.update_arming)
        self.approve.confirmed.connect(self._approve)
        self.deny.clicked.connect(self.denied)
        self.withdraw.clicked.connect(self.withdrawn)

    def show_request(self, view: RequestView) -> None:
        """Paint the decisions that this member can take."""
        session = self._model.context.link.session
        decides = view.can_approve or view.can_deny or view.can_withdraw
        self.setVisible(view.can_approve)
        self.bar.show_request(view)
        self.bar.setVisible(decides)
        self.check_2.set_sentence(
            f"I compared the code {view.short_code} and the bold address groups by voice with "
            f"{view.proposer_name}"
        )
        self.approve.setVisible(view.can_approve)
        self.deny.setVisible(view.can_deny)
        self.withdraw.setVisible(view.can_withdraw)
        if session is not None:
            left = session.vault.attempts_left
            tries = f" \u00b7 {wording.count(left, 'attempt')} left" if left is not None else ""
            self.token.setText(f"{session.vault.label}{tries}")
        self.update_arming()

    def reset(self) -> None:
        """Clear ticks and PIN."""
        self.check_1.setChecked(False)
        self.check_2.setChecked(False)
        self.pin.forget()

    def update_arming(self) -> None:
        """Arm, or show what is missing."""
        checks = self.check_1.isChecked() and self.check_2.isChecked()
        missing = self._model.missing(checks=checks, pin=bool(self.pin.text()))
        missing = missing or self.pin.excess
        self.approve.block(missing)
        self.why.setText(missing)
        hindered = bool(self._model.hindrance or self._model.expired)
        self.deny.setEnabled(not hindered)
        self.withdraw.setEnabled(not hindered)

    def _approve(self) -> None:
        self.update_arming()
        if not self.approve.armed:
            # What was possible when the button armed is no longer.
            return
        self._model.approve(self.pin.take())
        self.reset()
