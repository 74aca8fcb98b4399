"""The form: a transfer of coins or tokens, a contract call, or a message."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLayout, QWidget

from console.application.views import AccountView, WalletView
from ui import object_names as names
from ui import wording
from ui.amounts import Sum
from ui.screens.new_transfer.drafts import Mode, TransferFields
from ui.screens.new_transfer.import_field import ImportField
from ui.widgets.amount import AmountLabel
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.fields import CheckLine, text_area, text_field
from ui.widgets.tabs import Tabs
from ui.widgets.text import Label

_MODES = (
    (Mode.TRANSFER, "Transfer"),
    (Mode.CALL, "Contract call"),
    (Mode.MESSAGE, "Message"),
    (Mode.IMPORT, "Import"),
)
_PAYING = {Mode.TRANSFER, Mode.CALL}
_FEES = (("economy", "Economy"), ("normal", "Normal"), ("fast", "Fast"))
_DURABLE = "Stays valid while people decide (durable nonce)"
_MESSAGE_HINT = (
    "A text that the account signs, or an EIP-712 document as JSON. A signature on a message can "
    "move funds too: read the decoded fields."
)


class DraftForm(Card):
    """The fields that an account offers; shows immediately what is missing."""

    changed = Signal()
    entered = Signal()

    def __init__(self) -> None:
        super().__init__("Draft", spacing=12)
        self.from_label = Label("", "strong")
        self.available = AmountLabel("", "caption")
        self.modes = Tabs(names.TRANSFER_MODE, _MODES)
        self.fees = Tabs(names.TRANSFER_FEE, _FEES)
        self.fees.choose("normal")
        self.assets: Tabs | None = None
        self._asset_row = row()
        self._offered: tuple[str, ...] = ()
        self.to = text_field(
            names.TRANSFER_TO, "Destination address", "Destination address", mono=True, limit=128
        )
        self.amount = text_field(names.TRANSFER_AMOUNT, "Amount", "0.5", limit=100)
        self.memo = text_field(
            names.TRANSFER_MEMO, "Memo", "Optional, public on the chain", limit=200
        )
        self.function = text_field(
            names.TRANSFER_FUNCTION, "Function", "approve(address,uint256)", mono=True, limit=1024
        )
        self.arguments = text_area(names.TRANSFER_ARGUMENTS, "Values", "One value per line")
        self.message = text_area(names.TRANSFER_MESSAGE, "Message", "Text, or EIP-712 as JSON")
        self.imported = ImportField()
        self.open_file = Button("Open file", name=names.TRANSFER_IMPORT_FILE)
        self.open_file.clicked.connect(lambda: self.imported.choose_file(self))
        self.import_problem = Label("", "danger", wrap=True)
        self.imported.problem.connect(self.import_problem.setText)
        self.import_hint = Label("", "muted", wrap=True)
        self.durable = CheckLine(_DURABLE, names.TRANSFER_STAYS_VALID)
        self.durable.setChecked(True)
        self.to_caption = Label("To", "caption")
        self.amount_caption = Label("Amount", "caption")
        self.amount_problem = Label("", "danger", wrap=True)
        self.paste_problem = Label("", "danger", wrap=True)
        self.paste_problem.hide()
        self.everything = CheckLine("Everything, less the fee", names.TRANSFER_EVERYTHING)
        self.preview_button = Button("Preview", "primary", icon="eye", name=names.TRANSFER_PREVIEW)
        self.edit_button = Button("Edit", name=names.TRANSFER_EDIT)
        self._groups = self._lay_out()
        for field in (self.to, self.amount, self.memo, self.function):
            field.textChanged.connect(self.changed)
            field.returnPressed.connect(self.entered)
        for area in (self.arguments, self.message, self.imported):
            area.textChanged.connect(self.changed)
            area.textChanged.connect(lambda: self._tell(""))
            area.refused.connect(self._tell)
        for tabs in (self.modes, self.fees):
            tabs.chosen.connect(lambda _key: self.changed.emit())
        for line in (self.durable, self.everything):
            line.toggled.connect(lambda _on: self.changed.emit())

    def _lay_out(self) -> dict[str, QWidget]:
        groups = {
            "asset": _group(Label("What", "caption"), self._asset_row),
            "to": _group(self.to_caption, self.to),
            "amount": _group(self.amount_caption, self.amount, self.amount_problem),
            "everything": _group(self.everything),
            "function": _group(Label("Function", "caption"), self.function),
            "arguments": _group(Label("Values, one per line", "caption"), self.arguments),
            "message": _group(
                Label("Message", "caption"), self.message, Label(_MESSAGE_HINT, "muted", wrap=True)
            ),
            "import": _group(
                Label("Drafted by another program", "caption"),
                self.imported,
                row(self.open_file, 1),
                self.import_problem,
                self.import_hint,
            ),
            "memo": _group(Label("Memo", "caption"), self.memo),
            "fee": _group(Label("Fee", "caption"), self.fees),
            "durable": _group(self.durable),
        }
        self.add(
            column(
                Label("From", "caption"),
                self.from_label,
                _beside(Label("Available", "caption"), self.available),
                spacing=4,
            ),
            self.modes,
            *groups.values(),
            self.paste_problem,
            row(self.edit_button, 1, self.preview_button),
        )
        return groups

    def _tell(self, problem: str) -> None:
        """Show why nothing was pasted, "" for nothing."""
        self.paste_problem.setText(problem)
        self.paste_problem.setVisible(bool(problem))

    @property
    def draft(self) -> TransferFields:
        """The current draft."""
        return TransferFields(
            mode=Mode(self.modes.current),
            to_address=self.to.text(),
            amount=self.amount.text(),
            memo=self.memo.text() if not self._groups["memo"].isHidden() else "",
            asset=self.assets.current if self.assets is not None else "",
            fee_level=self.fees.current,
            durable=self.durable.isChecked() and not self._groups["durable"].isHidden(),
            function=self.function.text(),
            arguments=self.arguments.exact_text(),
            message=self.message.exact_text(),
            imported=self.imported.exact_text(),
            everything=self.everything.isChecked() and not self._groups["everything"].isHidden(),
        )

    @property
    def begun(self) -> bool:
        """Whether anything was typed."""
        draft = self.draft
        texts = (draft.to_address, draft.amount, draft.function, draft.arguments)
        return any(text.strip() for text in (*texts, draft.message, draft.imported, draft.memo))

    @property
    def excess(self) -> str:
        """Why a field that is shown is too long, or ''."""
        fields = (self.to, self.amount, self.memo, self.function)
        areas = (self.arguments, self.message, self.imported)
        shown = [part for part in (*fields, *areas) if part.isVisible()]
        return next((part.excess for part in shown if part.excess), "")

    def clear(self) -> None:
        """Empty the form, for another account."""
        for field in (self.to, self.amount, self.memo, self.function):
            field.clear()
        self.arguments.clear()
        self.message.clear()
        self.imported.clear()
        self.import_problem.setText("")
        self.everything.setChecked(False)
        self.modes.choose(Mode.TRANSFER)
        self.fees.choose("normal")
        self.durable.setChecked(True)
        if self.assets is not None:
            self.assets.choose("")

    def show_account(
        self, wallet: WalletView, account: AccountView, *, frozen: bool, hide: bool
    ) -> None:
        """Offer what the account supports; a frozen form shows the draft."""
        quorum = wording.quorum(wallet.threshold, len(wallet.custodians))
        name = account.label or account.chain
        self.from_label.setText(f"{wallet.name} \u00b7 {name} \u00b7 {quorum}")
        self._offer_assets(account)
        offered = {
            Mode.TRANSFER,
            Mode.IMPORT,
            *(mode for mode in Mode if mode in account.abilities),
        }
        self.modes.offer(offered)
        mode = Mode(self.modes.current)
        visible = {
            "asset": mode is Mode.TRANSFER and self.assets is not None,
            "to": mode in _PAYING,
            "amount": mode in _PAYING,
            "everything": mode is Mode.TRANSFER,
            "function": mode is Mode.CALL,
            "arguments": mode is Mode.CALL,
            "message": mode is Mode.MESSAGE,
            "import": mode is Mode.IMPORT,
            "memo": mode is Mode.TRANSFER and "memo" in account.abilities,
            "fee": mode in _PAYING,
            "durable": mode is Mode.TRANSFER and account.durable,
        }
        for key, group in self._groups.items():
            group.setVisible(visible[key])
            group.setEnabled(not frozen)
        self.modes.setEnabled(not frozen)
        self.to_caption.setText("Contract" if mode is Mode.CALL else "To")
        form = account.import_form
        self.import_hint.setText(f"{form}, as the other program exports it. It is decoded here.")
        self._show_amount(account, mode, hide=hide)

    def unit_of(self, account: AccountView) -> tuple[str, int]:
        """Return unit and decimals of the chosen asset."""
        chosen = self.assets.current if self.assets is not None else ""
        if Mode(self.modes.current) is Mode.TRANSFER:
            for token in account.tokens:
                if token.address == chosen:
                    return token.unit, token.decimals
        return account.unit, account.decimals

    def _show_amount(self, account: AccountView, mode: Mode, *, hide: bool) -> None:
        unit, _ = self.unit_of(account)
        chosen = self.assets.current if self.assets is not None and mode is Mode.TRANSFER else ""
        # By address: two tokens may have the same name.
        balances = {token.address: token.balance for token in account.tokens}
        balance = balances.get(chosen, "") if chosen else account.balance
        self.available.set_sum(Sum(balance or "unknown", unit, hide and bool(balance)))
        along = "to send along, optional" if mode is Mode.CALL else ""
        self.amount.setEnabled(not (mode is Mode.TRANSFER and self.everything.isChecked()))
        self.amount_caption.setText(f"Amount in {unit} {along}".strip())

    def _offer_assets(self, account: AccountView) -> None:
        """Offer the coin and the listed tokens, if there is a choice."""
        keys = ("", *(token.address for token in account.tokens))
        if keys == self._offered:
            return
        self._offered = keys
        if self.assets is not None:
            self._asset_row.removeWidget(self.assets)
            self.assets.deleteLater()
            self.assets = None
        if len(keys) > 1:
            units = (account.unit, *(token.unit for token in account.tokens))
            self.assets = Tabs(names.TRANSFER_ASSET, tuple(zip(keys, units, strict=True)))
            self.assets.chosen.connect(lambda _key: self.changed.emit())
            self._asset_row.addWidget(self.assets)


def _beside(name: Label, amount: AmountLabel) -> QLayout:
    """Return a line in which the amount has all the room beside its name."""
    line = row(name, spacing=4)
    line.addWidget(amount, 1)
    return line


def _group(*parts: QWidget | QLayout) -> QWidget:
    """Return fields that appear and disappear together."""
    group = QWidget()
    layout = column(*parts, spacing=4)
    group.setLayout(layout)
    return group
