"""Drafts: what an operator filled in, and the query that it becomes."""

from dataclasses import dataclass
from enum import StrEnum

from console.application.api import (
    PreviewAcceleration,
    PreviewCall,
    PreviewDurable,
    PreviewImport,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
    Query,
)
from console.application.views import AccountView, TransferPreview


class Mode(StrEnum):
    """The kinds of drafts."""

    TRANSFER = "transfer"
    CALL = "call"
    MESSAGE = "message"
    IMPORT = "import"


class Purpose(StrEnum):
    """The purposes that are built without a form."""

    SPEED_UP = "speed-up"
    REMAKE = "remake"
    CANCEL = "cancel"
    DURABLE = "durable"
    ACCELERATE = "accelerate"


MAX_TEXT = 200_000
"""Characters of one field; no message that can be signed is longer."""
MAX_IMPORT = 1 << 20
"""Characters of what another program drafted, with the transactions that it spends from."""


@dataclass(frozen=True, slots=True)
class TransferFields:
    """The form's fields, as typed. `arguments` has one value per line."""

    mode: Mode = Mode.TRANSFER
    to_address: str = ""
    amount: str = ""
    memo: str = ""
    asset: str = ""
    fee_level: str = "normal"
    durable: bool = False
    function: str = ""
    arguments: str = ""
    message: str = ""
    imported: str = ""
    everything: bool = False

    @property
    def complete(self) -> bool:
        """Whether all required fields are filled in, within the node's limits."""
        if max(map(len, (self.arguments, self.message))) > MAX_TEXT:
            return False
        if len(self.imported) > MAX_IMPORT:
            return False
        match self.mode:
            case Mode.TRANSFER:
                return bool(self.to_address.strip() and (self.amount.strip() or self.everything))
            case Mode.CALL:
                return bool(self.to_address.strip() and self.function.strip())
            case Mode.MESSAGE:
                return bool(self.message.strip())
            case Mode.IMPORT:
                return bool(self.imported.strip())

    def query(self, wallet: str, account: AccountView) -> Query[TransferPreview]:
        """Return the query that builds and decodes the draft."""
        to, chain, path = self.to_address.strip(), account.chain, account.path
        match self.mode:
            case Mode.TRANSFER:
                return PreviewTransfer(
                    wallet=wallet,
                    chain=chain,
                    to_address=to,
                    amount=self.amount,
                    memo=self.memo,
                    account=path,
                    asset=self.asset,
                    fee_level=self.fee_level,
                    everything=self.everything,
                    durable=self.durable,
                )
            case Mode.CALL:
                # As they were typed: a blank may belong to a text, and an empty line may be one.
                values = tuple(self.arguments.split("\n")) if self.arguments else ()
                function = self.function.strip()
                return PreviewCall(
                    wallet=wallet,
                    chain=chain,
                    to_address=to,
                    function=function,
                    arguments=values,
                    amount=self.amount.strip(),
                    account=path,
                    fee_level=self.fee_level,
                )
            case Mode.MESSAGE:
                return PreviewMessage(wallet=wallet, chain=chain, text=self.message, account=path)
            case Mode.IMPORT:
                return PreviewImport(wallet=wallet, chain=chain, text=self.imported, account=path)


def purpose_query(
    purpose: str, wallet: str, account: AccountView
) -> tuple[Purpose, Query[TransferPreview]] | None:
    """Return the query of a page's purpose; None if it needs a form."""
    word, _, request = purpose.partition(":")
    if word not in set(Purpose):
        return None
    kind = Purpose(word)
    if kind is Purpose.ACCELERATE:
        return kind, PreviewAcceleration(
            wallet=wallet, chain=account.chain, transaction_id=request, account=account.path
        )
    if kind is Purpose.DURABLE:
        return kind, PreviewDurable(wallet, account.chain, account.path)
    return kind, PreviewReplacement(request, cancel=kind is Purpose.CANCEL)
