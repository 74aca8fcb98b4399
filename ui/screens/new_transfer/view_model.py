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
from ui.accounts import account_key, find_account, joined, split
from ui.problem import Problem, describe
from ui.screens.new_transfer.drafts import Mode, Purpose, TransferFields, purpose_query
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

FRESH_S = 600
"""How long a preview may be proposed: fees, nonces and coins change."""
TOO_OLD = Problem(
    "preview-too-old",
    "The preview is too old to be requested.",
    "Nothing was requested; keys and funds are safe.",
    "Preview it again.",
)


class NewTransferModel(ViewModel):
    """The preview of a draft; the form is in the view, and any edit voids the preview."""

    WATCHES = frozenset({ChangeKind.WALLET})
    wallet: WalletView | None = None
    preview: TransferPreview | None = None
    previewing = False
    asked = False
    """Whether approval was requested: the form is then frozen."""
    _built_for = ""
    _question = 0
    _built_ms = 0

    async def load(self) -> LoadState:
        """Query the wallet; build immediately what needs no form."""
        self.wallet = await self.ask(GetWallet(self.wallet_id))
        if self.purpose is not None and self._built_for != self.subject:
            self.build_purpose()
        return LoadState.READY if self.account else LoadState.EMPTY

    def forget(self) -> None:
        """Reset for another wallet; a preview in progress is dropped."""
        self.wallet, self.preview, self._built_for = None, None, ""
        self.previewing, self._question = False, self._question + 1

    @property
    def account(self) -> AccountView | None:
        """The account that pays: only the one that the page names."""
        wanted = split(self.subject).account
        found = find_account(self.wallet, wanted)
        return found if found and wanted in {"", account_key(found)} else None

    @property
    def wallet_id(self) -> str:
        """The page's wallet."""
        return split(self.subject).wallet

    @property
    def purpose(self) -> Purpose | None:
        """The page's purpose without a form, or ''."""
        word = split(self.subject).purpose.partition(":")[0]
        return Purpose(word) if word in set(Purpose) else None

    @property
    def replaced(self) -> str:
        """The request to be replaced, or ''."""
        word, _, request = split(self.subject).purpose.partition(":")
        return request if word in {Purpose.SPEED_UP, Purpose.REMAKE, Purpose.CANCEL} else ""

    def subject_for(self, purpose: Purpose) -> str:
        """Return the subject of the same account with another purpose."""
        return joined(self.wallet_id, self.account, purpose)

    def amount_problem(self, draft: TransferFields, unit: str, decimals: int) -> str:
        """Return what is wrong with a typed amount, or ''."""
        without = draft.mode in {Mode.MESSAGE, Mode.IMPORT} or draft.everything
        if not draft.amount.strip() or without:
            return ""
        try:
            amount = parse_amount(draft.amount, unit, decimals)
        except InvalidAmount as error:
            return str(error)
        zero = not amount.base_units and draft.mode is Mode.TRANSFER
        return "The amount is zero." if zero else ""

    def make_preview(self, draft: TransferFields) -> None:
        """Build the draft and decode it again."""
        if self.account is not None:
            self._ask_for(draft.query(self.wallet_id, self.account))

    def build_purpose(self) -> None:
        """Build the page's purpose, without a form."""
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
        """Propose exactly the bytes that were shown."""
        if self.preview is None or self.preview.problems:
            return
        if self.context.now_ms() - self._built_ms > 1000 * lifetime_s(self.preview):
            self.preview, self.refusal = None, TOO_OLD
            self.changed.emit()
        else:
            chain = self.preview.description.chain
            path = self.account.path if self.account else ""
            command = ProposeTransfer(
                wallet=self.wallet_id,
                chain=chain,
                transaction=self.preview.transaction,
                note=note.strip(),
                account=path,
            )
            self.do(command, self._requested)

    def _ask_for(self, query: Query[TransferPreview]) -> None:
        if not self.previewing:
            self.previewing, self.refusal = True, None
            self._question += 1
            self.changed.emit()
            self.tasks.start(self._make_preview(query, self._question))

    async def _make_preview(self, query: Query[TransferPreview], question: int) -> None:
        preview = refusal = None
        try:
            preview = await self.ask(query)
        except (CommandRefused, NodeUnreachable) as error:
            refusal = describe(error)
        finally:
            if question == self._question:
                self.previewing = False
        if question == self._question:
            # A preview of a page that was left is shown on no other page.
            self.preview, self.refusal = preview, refusal
            self._built_ms = self.context.now_ms()
            self.changed.emit()

    def _requested(self, outcome: Outcome) -> None:
        self.preview, self.asked = None, True
        self.context.notify(outcome.message or "Approval requested.", Tone.OK)
        self.context.navigate("review", outcome.subject)


def lifetime_s(preview: TransferPreview) -> int:
    """Return for how long a preview may be proposed."""
    return FRESH_S if preview.valid_for_s is None else min(preview.valid_for_s, FRESH_S)
