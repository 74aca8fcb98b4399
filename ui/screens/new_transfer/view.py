"""New transfer: the form on the left, the decoded bytes on the right."""

from ui import object_names as names
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.new_transfer.drafts import Purpose
from ui.screens.new_transfer.form import DraftForm
from ui.screens.new_transfer.preview_card import PreviewCard
from ui.screens.new_transfer.view_model import NewTransferModel
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.text import Label

_TITLES = {
    Purpose.SPEED_UP: "Speed up",
    Purpose.REMAKE: "Make it again",
    Purpose.CANCEL: "Cancel on the chain",
    Purpose.DURABLE: "Set up a durable nonce",
    Purpose.ACCELERATE: "Speed up a payment",
}
_EXPLAINED = {
    Purpose.SPEED_UP: (
        "The same transaction with a higher fee replaces the waiting one. The chain takes one of "
        "the two, never both."
    ),
    Purpose.REMAKE: (
        "The same transaction with a higher fee uses the same coins or the same nonce as the one "
        "that may be signed. The chain takes one of the two, never both."
    ),
    Purpose.CANCEL: (
        "A transaction that moves nothing replaces the waiting one, for a higher fee. If the chain "
        "takes the first one instead, this one is void."
    ),
    Purpose.DURABLE: (
        "A small account of this wallet holds a nonce that does not expire, so that a transfer "
        "stays valid while people decide. The rent remains the wallet's."
    ),
    Purpose.ACCELERATE: (
        "The payment's coins are sent to this wallet again, for a fee that pays for both "
        "transactions: miners include them together."
    ),
}


class NewTransferScreen(Screen):
    """Draft, preview, request. Editing voids a preview; a request cannot be edited."""

    NAME = "new_transfer"
    TITLE = "New transfer"
    HELP = (
        "Preview builds the transaction and decodes it again.",
        "What you see on the right is read from those bytes, not from the form.",
        "Request approval freezes exactly these bytes.",
        "To change anything later, withdraw the request and start again.",
    )
    model: NewTransferModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, NewTransferModel(context))

    def build(self) -> None:
        """Lay out form and preview."""
        self.back_button.show()
        self.form = DraftForm()
        self.purpose_card = Card(_TITLES[Purpose.SPEED_UP], spacing=12)
        self.purpose_text = Label("", "secondary", wrap=True)
        self.again_button = Button("Build again", icon="refresh", name=names.TRANSFER_AGAIN)
        self.purpose_card.add(self.purpose_text, row(self.again_button, 1))
        self.durable_button = Button(
            "Set up a durable nonce", icon="plus", name=names.TRANSFER_DURABLE
        )
        self.form.add(row(self.durable_button, 1))
        self.preview_card = PreviewCard()
        self.content.addLayout(
            columns(
                column(self.form, self.purpose_card, spacing=16, stretch=True),
                column(self.preview_card, spacing=16, stretch=True),
                (5, 7),
            )
        )
        self.form.changed.connect(self._edited)
        self.form.entered.connect(self._preview)
        self.form.preview_button.clicked.connect(self._preview)
        self.form.edit_button.clicked.connect(self.model.edit)
        self.again_button.clicked.connect(self.model.build_purpose)
        self.durable_button.clicked.connect(self._set_up_durable)
        self.preview_card.request_button.clicked.connect(
            lambda: self.model.request(self.form.draft.memo)
        )

    def open(self, subject: str) -> None:
        """Open with an empty form for another account, and after each request."""
        if subject != self.model.subject or self.model.asked:
            self.form.clear()
            self.model.asked = False
        super().open(subject)

    @property
    def unsaved(self) -> str:
        """Return that a draft was begun; one that became a request is none any more."""
        begun = self.form.begun and not self.model.asked
        return "There is a draft of a transfer." if begun else ""

    def back(self) -> bool:
        """Go back to the wallet, or to the request that is replaced."""
        if self.model.replaced:
            self.context.navigate("review", self.model.replaced)
        else:
            self.context.navigate("wallets", self.model.wallet_id)
        return True

    def empty_text(self) -> EmptyText:
        """Return the text for a wallet without account."""
        return EmptyText(
            "wallet",
            "No account yet",
            "This node follows no chain for this wallet\u2019s keys. Add the chain to the settings "
            "of the node, and start the node again.",
            "Back to the wallet",
            lambda: self.context.navigate("wallets", self.model.wallet_id),
        )

    def render_content(self) -> None:
        """Paint form and preview."""
        model, account = self.model, self.model.account
        if account is None or model.wallet is None:
            return
        frozen = model.preview is not None or model.previewing
        self.form.setVisible(model.purpose is None)
        self.purpose_card.setVisible(model.purpose is not None)
        if model.purpose is not None:
            self.purpose_card.heading.setText(_TITLES[model.purpose])
            self.purpose_text.setText(_EXPLAINED[model.purpose])
            self.again_button.setEnabled(not model.previewing and not model.hindrance)
        self.form.show_account(model.wallet, account, frozen=frozen, hide=self.masked)
        self.form.edit_button.setVisible(model.preview is not None)
        self.form.preview_button.setVisible(model.preview is None)
        lasts = "lasting" in account.abilities
        self.durable_button.setVisible(lasts and model.preview is None)
        unit, _ = self.form.unit_of(account)
        self.preview_card.show_preview(
            model.preview, unit, hide=self.masked, working=bool(model.hindrance)
        )
        self._typed()

    def _edited(self) -> None:
        """Follow a choice in the form, which may show other fields."""
        account, wallet = self.model.account, self.model.wallet
        if account is not None and wallet is not None and self.model.preview is None:
            frozen = self.model.previewing
            self.form.show_account(wallet, account, frozen=frozen, hide=self.masked)
        self._typed()

    def _typed(self) -> None:
        account = self.model.account
        problem = ""
        if account is not None:
            unit, decimals = self.form.unit_of(account)
            problem = self.model.amount_problem(self.form.draft, unit, decimals)
        self.form.amount_problem.show_text(problem)
        free = not self.model.previewing and not self.model.hindrance
        ready = self.form.draft.complete and not problem and free and not self.form.excess
        self.form.preview_button.setEnabled(ready)

    def _preview(self) -> None:
        button = self.form.preview_button
        if button.isVisible() and button.isEnabled():
            self.model.make_preview(self.form.draft)

    def _set_up_durable(self) -> None:
        self.context.navigate("new_transfer", self.model.subject_for(Purpose.DURABLE))
