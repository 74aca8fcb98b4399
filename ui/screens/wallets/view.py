"""Wallets: the list on the left, the open one on the right."""

from console.application.views import WalletView
from ui import object_names as names
from ui.accounts import joined
from ui.amounts import Sum
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.wallets.detail import WalletDetail
from ui.screens.wallets.view_model import WalletsModel
from ui.widgets.buttons import Button
from ui.widgets.card import Card
from ui.widgets.columns import beside
from ui.widgets.rows import RowItem, RowList

_SIDE = 264


class WalletsScreen(Screen):
    """Balances, addresses, history; drafts start here."""

    NAME = "wallets"
    TITLE = "Wallets"
    HELP = (
        "No place holds a wallet's key: its custodians hold shares, and a quorum signs.",
        "Balances show when they were read from the chain. Ctrl+R refreshes them.",
        "Copied addresses leave the clipboard after 30 s.",
    )
    model: WalletsModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, WalletsModel(context))

    def build(self) -> None:
        """Lay out list and detail."""
        self.transfer = Button(
            "New transfer", "primary", icon="send", name=names.WALLET_NEW_TRANSFER
        )
        self.transfer.clicked.connect(self._new_transfer)
        self.tools.addWidget(self.transfer)
        self.list = RowList(names.WALLETS_LIST)
        self.list.opened.connect(lambda key: self.context.navigate("wallets", key))
        side = Card("All wallets", spacing=4)
        side.add(self.list)
        self.detail = WalletDetail(self.model)
        self.detail.copied.connect(self.context.copy)
        self.detail.request_opened.connect(lambda key: self.context.navigate("review", key))
        self.detail.accelerated.connect(self._hasten)
        self.content.addWidget(beside(side, self.detail, _SIDE))

    def render_head(self) -> None:
        """Name the open wallet."""
        wallet = self.model.wallet
        self.heading.setText(wallet.name if wallet else self.TITLE)
        self.transfer.setVisible(wallet is not None)

    def render_content(self) -> None:
        """Paint list and detail."""
        view, wallet = self.model.view, self.model.wallet
        if view is None or wallet is None:
            return
        self.list.set_items(
            [
                _row(item, chosen=item.wallet == wallet.wallet, hide=self.masked)
                for item in view.wallets
            ]
        )
        self.detail.show_wallet(wallet, self.context.now_ms(), hide=self.masked)

    def empty_text(self) -> EmptyText:
        """Return the text that says where wallets come from."""
        return EmptyText(
            "wallet",
            "No wallet yet",
            "A key ceremony creates a wallet: custodians generate its shares, and no complete "
            "key ever exists.",
            "New ceremony",
            lambda: self.context.navigate("ceremonies", "new"),
        )

    def _hasten(self, transaction_id: str) -> None:
        if self.model.wallet is not None:
            purpose = f"accelerate:{transaction_id}"
            subject = joined(self.model.wallet.wallet, self.model.account, purpose)
            self.context.navigate("new_transfer", subject)

    def _new_transfer(self) -> None:
        if self.model.wallet is not None:
            subject = joined(self.model.wallet.wallet, self.model.account)
            self.context.navigate("new_transfer", subject)


def _row(wallet: WalletView, *, chosen: bool, hide: bool) -> RowItem:
    account = wallet.accounts[0] if wallet.accounts else None
    balance = Sum(account.balance, account.unit, hide) if account and account.balance else None
    return RowItem(
        wallet.wallet,
        "wallet",
        wallet.name,
        balance.short if balance else "balance unknown",
        tone_icon="accent" if chosen else "muted",
        whole=True,
        detail_full=balance.full if balance else "",
    )
