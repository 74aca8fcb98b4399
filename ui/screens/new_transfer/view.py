"""New transfer: a form on the left, what its bytes say on the right."""

from ui import object_names as names
from ui import wording
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.new_transfer.view_model import NewTransferModel
from ui.theme import Tone
from ui.widgets.amount import AmountLabel
from ui.widgets.banner import Banner, DangerList
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import text_field
from ui.widgets.text import Label


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
        self.to = text_field(
            names.TRANSFER_TO, "Destination address", "Destination address", mono=True, limit=128
        )
        self.amount = text_field(names.TRANSFER_AMOUNT, "Amount", "0.5", limit=100)
        self.memo = text_field(
            names.TRANSFER_MEMO, "Memo", "Optional, public on the chain", limit=200
        )
        self.amount_caption = Label("Amount", "caption")
        self.memo_caption = Label("Memo", "caption")
        self.amount_problem = Label("", "danger", wrap=True)
        self.available = Label("", "caption")
        self.preview_button = Button("Preview", "primary", icon="eye", name=names.TRANSFER_PREVIEW)
        self.edit_button = Button("Edit", name=names.TRANSFER_EDIT)
        form = Card("Draft", spacing=12)
        self.from_label = Label("", "strong")
        form.add(
            column(Label("From", "caption"), self.from_label, self.available, spacing=4),
            column(Label("To", "caption"), self.to, spacing=4),
            column(self.amount_caption, self.amount, self.amount_problem, spacing=4),
            column(self.memo_caption, self.memo, spacing=4),
            row(self.edit_button, 1, self.preview_button),
        )
        self.content.addLayout(
            columns(
                column(form, spacing=16, stretch=True),
                column(self._preview_card(), spacing=16, stretch=True),
                (5, 7),
            )
        )
        for field in (self.to, self.amount, self.memo):
            field.textChanged.connect(self._typed)
            field.returnPressed.connect(self._preview)
        self.preview_button.clicked.connect(self._preview)
        self.edit_button.clicked.connect(self.model.edit)
        self.request_button.clicked.connect(lambda: self.model.request(self.memo.text()))

    def _preview_card(self) -> Card:
        self.hint = Label(
            "Fill in the draft and press Preview. The node builds the transaction and shows here "
            "what its bytes say.",
            "muted",
            wrap=True,
        )
        self.flags = DangerList()
        self.problems = Banner(Tone.WARN, "transfer.problems")
        self.shown_amount = AmountLabel("", "amount")
        self.shown_caption = Label("", "caption")
        self.shown_address = ChunkedAddress()
        self.address_caption = Label("Destination address, decoded", "caption")
        self.facts = Facts()
        self.digest_caption = Label("SHA-256 of the bytes to be signed", "caption")
        self.digest = ChunkedAddress(14, per_row=8)
        self.request_button = Button(
            "Request approval", "primary", icon="send", name=names.TRANSFER_REQUEST
        )
        card = Card("Decoded from the bytes to be signed", spacing=12)
        card.add(
            self.hint,
            self.flags,
            self.problems,
            column(self.shown_caption, self.shown_amount, spacing=4),
            self.address_caption,
            self.shown_address,
            self.facts,
            self.digest_caption,
            self.digest,
            row(1, self.request_button),
        )
        return card

    def open(self, subject: str) -> None:
        """Start with an empty form for another wallet."""
        if subject != self.model.subject:
            for field in (self.to, self.amount, self.memo):
                field.clear()
        super().open(subject)

    def back(self) -> bool:
        """Go back to the wallet."""
        self.context.navigate("wallets", self.model.wallet_id)
        return True

    def empty_text(self) -> EmptyText:
        """Say that this wallet has no account."""
        return EmptyText("wallet", "No account", "This wallet has no account on a chain yet.")

    def render_content(self) -> None:
        """Paint form and preview."""
        model, account = self.model, self.model.account
        if account is None or model.wallet is None:
            return
        quorum = wording.quorum(model.wallet.threshold, len(model.wallet.custodians))
        name = account.label or account.chain
        self.from_label.setText(f"{model.wallet.name} \u00b7 {name} \u00b7 {quorum}")
        for part in (self.memo_caption, self.memo):
            part.setVisible(model.takes_memo)
        balance = wording.masked(account.balance, hide=self.masked) or "unknown"
        self.available.setText(f"Available {balance} {account.unit}")
        self.amount_caption.setText(f"Amount in {account.unit}")
        frozen = model.preview is not None or model.previewing
        for field in (self.to, self.amount, self.memo):
            field.setEnabled(not frozen)
        self.edit_button.setVisible(model.preview is not None)
        self.preview_button.setVisible(model.preview is None)
        self._render_preview()
        self._typed()

    def _render_preview(self) -> None:
        preview = self.model.preview
        self.hint.setVisible(preview is None)
        for part in (
            self.shown_amount,
            self.shown_caption,
            self.address_caption,
            self.facts,
            self.digest_caption,
            self.request_button,
            self.shown_address,
            self.digest,
        ):
            part.setVisible(preview is not None)
        self.flags.set_flags("", ())
        self.problems.show_text("")
        if preview is None:
            return
        described = preview.description
        self.flags.set_flags("Look twice before you ask for this", described.red_flags)
        self.problems.show_text(
            "This transfer cannot be requested" if preview.problems else "",
            "\n".join(preview.problems),
        )
        self.shown_caption.setText(f"{described.action} on {described.chain} {described.network}")
        self.shown_amount.set_amount(described.amount, described.unit, masked=self.masked)
        self.shown_address.set_address(described.to_address, masked=self.masked)
        after = wording.masked(preview.balance_after, hide=self.masked)
        valid = wording.span(preview.valid_for_s * 1000) if preview.valid_for_s else "not limited"
        self.facts.set_facts(
            Fact("Network fee", f"{described.fee} {described.fee_unit}"),
            Fact("Fee ceiling", preview.fee_ceiling),
            Fact("Balance after", f"{after} {described.unit}"),
            Fact("Valid for", valid),
            *(Fact(field.label, field.value) for field in described.fields),
        )
        self.digest.set_address(described.digest)
        self.request_button.setEnabled(not preview.problems and not self.model.working)

    def _typed(self) -> None:
        problem = self.model.amount_problem(self.amount.text())
        self.amount_problem.show_text(problem)
        complete = bool(self.to.text().strip() and self.amount.text().strip())
        self.preview_button.setEnabled(complete and not problem and not self.model.previewing)

    def _preview(self) -> None:
        if self.preview_button.isVisible() and self.preview_button.isEnabled():
            self.model.make_preview(self.to.text(), self.amount.text(), self.memo.text())
