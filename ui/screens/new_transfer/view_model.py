"""A draft, its preview decoded from bytes, and the request for approval."""

from console.application.api import (
    ChangeKind,
    CommandRefused,
    GetWallet,
    NodeUnreachable,
    Query,
)
from console.application.commands import Outcome, ProposeTransfer
from console.application.views import AccountView, TransferPreview, WalletView
from console.domain.values import InvalidAmount, parse_amount
from ui.accounts import find_account, joined, split
from ui.problem import describe
from ui.screens.new_transfer.drafts import Draft, Mode, Purpose, purpose_query
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel


class NewTransferModel(ViewModel):
    """The form lives in the view; what was decoded lives here, and any edit voids it."""

    WATCHES = frozenset({ChangeKind.WALLET})
    wallet: WalletView | None = None
    preview: TransferPreview | None = None
    previewing = False
    asked = False
    """Whether approval was asked for: what is typed then is no draft any more."""
    _built_for = ""

    async def load(self) -> LoadState:
        """Ask for the wallet; build at once what needs no form."""
        self.wallet = await self.ask(GetWallet(self.wallet_id))
        if self.purpose is not None and self._built_for != self.subject:
            self.build_purpose()
        return LoadState.READY if self.wallet.accounts else LoadState.EMPTY

    def forget(self) -> None:
        """Start over for another wallet."""
        self.wallet, self.preview, self._built_for = None, None, ""

    @property
    def account(self) -> AccountView | None:
        """The account that pays."""
        return find_account(self.wallet, split(self.subject).account)

    @property
    def wallet_id(self) -> str:
        """The wallet that the page is about."""
        return split(self.subject).wallet

    @property
    def purpose(self) -> Purpose | None:
        """What the page builds without a form."""
        word = split(self.subject).purpose.partition(":")[0]
        return Purpose(word) if word in set(Purpose) else None

    @property
    def replaced(self) -> str:
        """The request whose place is to be taken, or ''."""
        return split(self.subject).purpose.partition(":")[2]

    def subject_for(self, purpose: Purpose) -> str:
        """Name the same account with another purpose."""
        return joined(self.wallet_id, self.account, purpose)

    def amount_problem(self, draft: Draft, unit: str, decimals: int) -> str:
        """Say what is wrong with a typed amount, or ''."""
        if not draft.amount.strip() or draft.mode in {Mode.MESSAGE, Mode.IMPORT}:
            return ""
        try:
            amount = parse_amount(draft.amount, unit, decimals)
        except InvalidAmount as error:
            return str(error)
        zero = not amount.base_units and draft.mode is Mode.TRANSFER
        return "The amount is zero." if zero else ""

    def make_preview(self, draft: Draft) -> None:
        """Build what was drafted and decode it again."""
        if self.account is not None:
            self._ask_for(draft.query(self.wallet_id, self.account))

    def build_purpose(self) -> None:
        """Build what the page is for, without a form."""
        if self.account is None:
            return
        self._built_for = self.subject
        wanted = purpose_query(split(self.subject).purpose, self.wallet_id, self.account)
        if wanted is not None:
            self.preview = None
            self._ask_for(wanted[1])

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

    def _ask_for(self, query: Query[TransferPreview]) -> None:
        if not self.previewing:
            self.previewing, self.refusal = True, None
            self.changed.emit()
            self.tasks.start(self._make_preview(query))

    async def _make_preview(self, query: Query[TransferPreview]) -> None:
        subject = self.subject
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
        self.preview, self.asked = None, True
        self.context.notify(outcome.message or "Approval requested.", Tone.OK)
        self.context.navigate("review", outcome.subject)
