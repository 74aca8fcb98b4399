"""What an operator filled in, and the question that it becomes for the node."""

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
    """What can be drafted."""

    TRANSFER = "transfer"
    CALL = "call"
    MESSAGE = "message"
    IMPORT = "import"


class Purpose(StrEnum):
    """What is built without a form."""

    SPEED_UP = "speed-up"
    CANCEL = "cancel"
    DURABLE = "durable"
    ACCELERATE = "accelerate"


MAX_TEXT = 200_000
"""Characters of one field; nothing that can be signed is longer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's fields, as typed. `arguments` has one value a line."""

    mode: Mode = Mode.TRANSFER
    to_address: str = ""
    amount: str = ""
    memo: str = ""
    asset: str = ""
    fee: str = "normal"
    lasting: bool = False
    function: str = ""
    arguments: str = ""
    message: str = ""
    imported: str = ""
    everything: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything that must be filled in is, and not more than a node takes."""
        if max(map(len, (self.arguments, self.message, self.imported))) > MAX_TEXT:
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
        """Ask the node to build it and to decode what it built."""
        to, chain, path = self.to_address.strip(), account.chain, account.path
        match self.mode:
            case Mode.TRANSFER:
                return PreviewTransfer(
                    wallet,
                    chain,
                    to,
                    self.amount,
                    self.memo.strip(),
                    path,
                    self.asset,
                    self.fee,
                    self.everything,
                    self.lasting,
                )
            case Mode.CALL:
                values = tuple(line.strip() for line in self.arguments.splitlines() if line.strip())
                function = self.function.strip()
                return PreviewCall(
                    wallet, chain, to, function, values, self.amount.strip(), path, self.fee
                )
            case Mode.MESSAGE:
                return PreviewMessage(wallet, chain, self.message, path)
            case Mode.IMPORT:
                return PreviewImport(wallet, chain, self.imported, path)


def purpose_query(
    purpose: str, wallet: str, account: AccountView
) -> tuple[Purpose, Query[TransferPreview]] | None:
    """Return what a page's purpose asks the node for; None if it is a form's."""
    word, _, request = purpose.partition(":")
    if word not in set(Purpose):
        return None
    kind = Purpose(word)
    if kind is Purpose.ACCELERATE:
        return kind, PreviewAcceleration(wallet, account.chain, request, account.path)
    if kind is Purpose.DURABLE:
        return kind, PreviewDurable(wallet, account.chain, account.path)
    return kind, PreviewReplacement(request, cancel=kind is Purpose.CANCEL)
