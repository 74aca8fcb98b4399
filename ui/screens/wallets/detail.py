"""One wallet: balance, receive address, custodians, history."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.views import (
    AccountView,
    HistoryItemView,
    MemberView,
    TokenView,
    WalletView,
)
from ui import object_names as names
from ui import status, wording
from ui.accounts import account_key
from ui.amounts import Sum
from ui.screens.wallets.movements import MovementsCard
from ui.screens.wallets.receive import ReceiveCard
from ui.screens.wallets.view_model import FAUCET_LARGE_UNITS, WalletsModel
from ui.status import Look
from ui.theme import Tone
from ui.widgets.amount import AmountLabel
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.chip import Chip
from ui.widgets.facts import Fact, Facts
from ui.widgets.segmented import Segment, SegmentedApprovals
from ui.widgets.table import DataTable, RowsModel
from ui.widgets.tabs import Tabs
from ui.widgets.text import Label

_ROW = 44
_LONG_UNIT = 8
_NO_TRANSFER = "No transfer yet. Receive funds at the address above, then start a transfer."


class WalletDetail(QWidget):
    """One wallet."""

    copied = Signal(str)
    request_opened = Signal(str)
    accelerated = Signal(str)

    def __init__(self, model: WalletsModel) -> None:
        super().__init__()
        self._model = model
        self.caption = Label("", "caption")
        self.amount = AmountLabel("", "amount")
        self.stale = Chip()
        self.fund = Button("", icon="drop", name=names.WALLET_FUND)
        self.update_button = Button("Refresh", icon="refresh", name=names.WALLET_REFRESH)
        self.accounts = row()
        self._tabs: Tabs | None = None
        self._offered: tuple[str, ...] = ()
        self.fund.clicked.connect(model.fund)
        self.update_button.clicked.connect(model.ask_chain_now)
        balance = Card("Balance", spacing=8)
        self.tokens = Facts()
        balance.add(
            self.amount,
            self.tokens,
            self.caption,
            row(self.stale, 1),
            row(self.update_button, self.fund, 1),
        )
        self.facts = Facts()
        details = Card("Quorum and keys", spacing=12)
        details.add(self.facts)
        self.people = SegmentedApprovals("Custodians")
        people = Card("Custodians", spacing=12)
        people.add(self.people)
        self.receive = ReceiveCard()
        self.receive.copied.connect(self.copied)
        self.rows = RowsModel(
            (
                Column("State", fits=True),
                Column("Amount", right=True, fits=True),
                Column("To", stretch=1),
                Column("Time", right=True, fits=True, spare=1),
            )
        )
        self.history = DataTable(self.rows, names.WALLET_HISTORY, "Transfers", row_height=_ROW)
        self.history.opened.connect(self.request_opened)
        self.no_history = Label(_NO_TRANSFER, "muted", wrap=True)
        past = Card("History", spacing=8)
        past.add(self.history, self.no_history)
        self.movements = MovementsCard()
        self.movements.accelerated.connect(self.accelerated)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addLayout(self.accounts)
        layout.addLayout(
            columns(column(balance, stretch=True), column(details, stretch=True), inner=True)
        )
        layout.addWidget(self.receive)
        layout.addWidget(people)
        layout.addWidget(past)
        layout.addWidget(self.movements)
        layout.addStretch(1)

    def show_wallet(self, wallet: WalletView, now: int, *, hide: bool) -> None:
        """Paint a wallet."""
        account = self._model.account
        self._offer_accounts(wallet)
        if account is not None:
            self._show_account(account, now, hide=hide)
        self.fund.setVisible(self._model.can_fund)
        for button in (self.fund, self.update_button):
            button.setEnabled(not self._model.hindrance)
        share = "Yes, sealed" if wallet.holds_share else "No"
        self.facts.set_facts(
            Fact("Signers", wording.quorum(wallet.threshold, len(wallet.custodians))),
            Fact("Approvals", str(wallet.approvals_needed)),
            Fact("Keys", wording.kinds(wallet.kinds)),
            Fact("Epoch", str(wallet.epoch)),
            Fact("Created", wording.moment(wallet.created_ms)[:10]),
            Fact("Share here", share),
        )
        self.people.set_segments([_custodian(person, now) for person in wallet.custodians])
        key = account_key(account) if account is not None else ""
        past = [item for item in wallet.history if item.account == key]
        self.rows.set_rows([_history_row(item, hide=hide) for item in past])
        self.history.setVisible(bool(past))
        self.history.setFixedHeight(36 + _ROW * min(len(past), 6) + 2)
        self.no_history.setVisible(not past)
        self.movements.show_movements(
            self._model.movements,
            self._model.movements_trouble,
            hide=hide,
            hastens=account is not None and "accelerate" in account.abilities,
        )

    def _offer_accounts(self, wallet: WalletView) -> None:
        """Offer the accounts of a wallet that has several."""
        keys = tuple(account_key(account) for account in wallet.accounts)
        if keys != self._offered:
            self._offered = keys
            if self._tabs is not None:
                self.accounts.removeWidget(self._tabs)
                self._tabs.deleteLater()
                self._tabs = None
            if len(keys) > 1:
                labels = [account.label or account.chain for account in wallet.accounts]
                self._tabs = Tabs(names.WALLET_ACCOUNTS, tuple(zip(keys, labels, strict=True)))
                self._tabs.chosen.connect(self._model.choose_account)
                self.accounts.addWidget(self._tabs)
        shown = self._model.account
        if self._tabs is not None and shown is not None:
            self._tabs.choose(account_key(shown))

    def _show_account(self, account: AccountView, now: int, *, hide: bool) -> None:
        self.amount.set_amount(account.balance, account.unit, masked=hide)
        as_of = wording.ago(account.balance_as_of_ms, now)
        self.caption.setText(f"{account.chain} {account.network} \u00b7 as of {as_of}")
        self.stale.set_look(Look("unplugged", account.balance_error, Tone.UNKNOWN))
        self.receive.show_account(account, hide=hide)
        self.tokens.setVisible(bool(account.tokens))
        self.tokens.set_facts(*(_token_fact(token, hide=hide) for token in account.tokens))
        unit = account.unit if len(account.unit) <= _LONG_UNIT else "units"
        self.fund.setText(f"Get {FAUCET_LARGE_UNITS} {unit} from faucet")
        self.fund.setAccessibleName(self.fund.text())


def _token_fact(token: TokenView, *, hide: bool) -> Fact:
    balance = Sum(token.balance or "unknown", token.unit, hide and bool(token.balance))
    return Fact.of_amount(token.unit, balance)


def _custodian(person: MemberView, now: int) -> Segment:
    look = status.presence(person)
    seen = wording.ago(person.last_seen_ms, now)
    detail = "holds a share" if person.able else "locked" if person.online else f"seen {seen}"
    return Segment("You" if person.is_me else person.name, detail, look)


def _history_row(item: HistoryItemView, *, hide: bool) -> Row:
    to = wording.masked(wording.shortened(item.to_address, 3), hide=hide)
    return Row(
        item.request,
        (
            Cell("", chip=status.history(item.state)),
            Cell.of_amount(Sum(item.amount, item.unit, hide)),
            Cell(to, "mono"),
            Cell(wording.moment(item.at_ms), "muted"),
        ),
        "Hidden by privacy mode" if hide else f"Transaction {item.transaction_id or 'not sent'}",
    )
