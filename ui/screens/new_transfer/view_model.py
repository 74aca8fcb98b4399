"""A draft, its preview decoded from bytes, and the request for approval."""

from console.application.api import (
    ChangeKind,
    CommandRefused,
    GetWallet,
    NodeUnreachable,
    PreviewTransfer,
)
from console.application.commands import Outcome, ProposeTransfer
from console.application.views import AccountView, TransferPreview, WalletView
from console.domain.values import InvalidAmount, parse_amount
from ui.accounts import find_account, split
from ui.problem import describe
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel


class NewTransferModel(ViewModel):
    """The form lives in the view; what was decoded lives here, and any edit voids it."""

    WATCHES = frozenset({ChangeKind.WALLET})
    wallet: WalletView | None = None
    preview: TransferPreview | None = None
    previewing = False

    async def load(self) -> LoadState:
        """Ask for the wallet."""
        self.wallet = await self.ask(GetWallet(self.wallet_id))
        return LoadState.READY if self.wallet.accounts else LoadState.EMPTY

    def forget(self) -> None:
        """Start over for another wallet."""
        self.wallet, self.preview = None, None

    @property
    def account(self) -> AccountView | None:
        """The account that pays."""
        return find_account(self.wallet, split(self.subject)[1])

    @property
    def wallet_id(self) -> str:
        """The wallet that the page is about."""
        return split(self.subject)[0]

    @property
    def takes_memo(self) -> bool:
        """Whether transfers of the account carry a memo."""
        return self.account is not None and self.account.chain == "solana"

    def amount_problem(self, text: str) -> str:
        """Say what is wrong with a typed amount, or ''."""
        account = self.account
        if account is None or not text.strip():
            return ""
        try:
            amount = parse_amount(text, account.unit, account.decimals)
        except InvalidAmount as error:
            return str(error)
        return "" if amount.base_units else "The amount is zero."

    def make_preview(self, to_address: str, amount: str, memo: str) -> None:
        """Build the transfer and decode it again."""
        if not self.previewing and self.account is not None:
            self.previewing, self.refusal = True, None
            self.changed.emit()
            self.tasks.start(self._make_preview(to_address.strip(), amount, memo.strip()))

    def edit(self) -> None:
        """Void the preview; the form can be changed again."""
        self.preview = None
        self.changed.emit()

    def request(self, note: str) -> None:
        """Ask for approval of exactly the bytes that were shown."""
        if self.preview is not None and not self.preview.problems:
            chain = self.preview.description.chain
            path = self.account.path if self.account else ""
            command = ProposeTransfer(
                self.wallet_id, chain, self.preview.transaction, note.strip(), account=path
            )
            self.do(command, self._requested)

    async def _make_preview(self, to_address: str, amount: str, memo: str) -> None:
        account, subject = self.account, self.subject
        if account is None:
            return
        query = PreviewTransfer(
            self.wallet_id, account.chain, to_address, amount, memo, account.path
        )
        try:
            preview = await self.ask(query)
        except (CommandRefused, NodeUnreachable) as error:
            self.refusal = describe(error)
        else:
            if subject == self.subject:
                self.preview = preview
        finally:
            self.previewing = False
        self.changed.emit()

    def _requested(self, outcome: Outcome) -> None:
        self.preview = None
        self.context.notify(outcome.message or "Approval requested.", Tone.OK)
        self.context.navigate("review", outcome.subject)
