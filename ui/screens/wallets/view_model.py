"""All wallets, and the open one."""

from console.application.api import (
    ChangeKind,
    CommandRefused,
    GetMovements,
    GetWallet,
    GetWallets,
    NodeUnreachable,
)
from console.application.commands import FundFromFaucet, Outcome
from console.application.views import AccountView, MovementsView, WalletsView, WalletView
from ui.accounts import find_account
from ui.problem import describe
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

FAUCET_LARGE_UNITS = 2


class WalletsModel(ViewModel):
    """The list and the open wallet; without a subject the first wallet is open."""

    WATCHES = frozenset({ChangeKind.WALLET, ChangeKind.REQUEST, ChangeKind.PEERS})
    view: WalletsView | None = None
    wallet: WalletView | None = None
    ask_chain = False
    account_key = ""
    movements: MovementsView | None = None
    movements_trouble = ""

    async def load(self) -> LoadState:
        """Query the list, then the open wallet, with its balance from the chain on demand."""
        self.view = await self.ask(GetWallets())
        if not self.view.wallets:
            self.wallet = None
            return LoadState.EMPTY
        chosen = self.subject or self.view.wallets[0].wallet
        refresh, self.ask_chain = self.ask_chain, False
        self.wallet = await self.ask(GetWallet(chosen, refresh=refresh))
        self._ask_movements()
        return LoadState.READY

    def forget(self) -> None:
        """Drop the former wallet: its address must not show under another's name."""
        self.wallet, self.movements, self.movements_trouble = None, None, ""

    def choose_account(self, key: str) -> None:
        """Show another account of the wallet."""
        if key != self.account_key:
            self.account_key = key
            self.movements, self.movements_trouble = None, ""
            self._ask_movements()
            self.changed.emit()

    @property
    def account(self) -> AccountView | None:
        """The shown account of the open wallet."""
        return find_account(self.wallet, self.account_key)

    def _ask_movements(self) -> None:
        """Query the chain separately, so that a slow node does not delay the page."""
        wallet, account = self.wallet, self.account
        if wallet is not None and account is not None:
            query = GetMovements(wallet.wallet, account.chain, account.path)
            self.tasks.start(self._load_movements(query))

    async def _load_movements(self, query: GetMovements) -> None:
        try:
            told, trouble = await self.ask(query), ""
        except (CommandRefused, NodeUnreachable) as error:
            told, trouble = None, describe(error).what
        wallet, account = self.wallet, self.account
        shown = (wallet.wallet if wallet else "", account.chain if account else "")
        if shown == (query.wallet, query.chain) and account and account.path == query.account:
            self.movements, self.movements_trouble = told or self.movements, trouble
            self.changed.emit()

    @property
    def can_fund(self) -> bool:
        """Whether there is a faucet: on a devnet only."""
        return self.account is not None and self.account.network == "devnet"

    def ask_chain_now(self) -> None:
        """Query the balance from the chain."""
        self.ask_chain = True
        self.refresh()

    def fund(self) -> None:
        """Request coins, and then each listed token, from the devnet's faucet."""
        wallet, account = self.wallet, self.account
        if wallet is None or account is None:
            return
        wanted = [("", account.decimals), *((t.address, t.decimals) for t in account.tokens)]
        self._fund_next(
            [
                FundFromFaucet(
                    wallet=wallet.wallet,
                    chain=account.chain,
                    base_units=FAUCET_LARGE_UNITS * 10**decimals,
                    account=account.path,
                    asset=asset,
                )
                for asset, decimals in wanted
            ]
        )

    def _fund_next(self, commands: list[FundFromFaucet]) -> None:
        first, *rest = commands

        def funded(outcome: Outcome) -> None:
            self.ask_chain = True
            if rest:
                self._fund_next(rest)
            else:
                self.context.notify(outcome.message or "The faucet has sent funds.", Tone.OK)

        self.do(first, funded)
