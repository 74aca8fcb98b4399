"""The node's interface: commands go in, views and change notices come out."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, ClassVar, Generic, Protocol, TypeVar

import msgspec

from console.application.commands import Command, Outcome
from console.application.views import (
    CeremoniesView,
    CeremonyView,
    DecisionPreview,
    InboxView,
    LedgerPage,
    MachinePreview,
    MovementsView,
    OverviewView,
    RecoveryView,
    RequestView,
    SessionView,
    TransferPreview,
    View,
    WalletsView,
    WalletView,
)

Offset = Annotated[int, msgspec.Meta(ge=0)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=500)]
"""Rows of one answer: whatever a ledger holds, an answer fits into a message."""

V_co = TypeVar("V_co", bound=View, covariant=True)


class Query(msgspec.Struct, Generic[V_co], frozen=True, tag_field="ask"):
    """A query; `VIEW` is the type of its result."""

    VIEW: ClassVar[type[View]] = View


class GetSession(Query[SessionView], frozen=True, tag="session"):
    """Answered in every state of the node."""

    VIEW: ClassVar[type[View]] = SessionView


class GetOverview(Query[OverviewView], frozen=True, tag="overview"):
    VIEW: ClassVar[type[View]] = OverviewView


class GetCeremonies(Query[CeremoniesView], frozen=True, tag="ceremonies"):
    """A page of all ceremonies: those that are open first, then the newest."""

    VIEW: ClassVar[type[View]] = CeremoniesView
    offset: Offset = 0
    limit: PageSize = 50


class GetCeremony(Query[CeremonyView], frozen=True, tag="ceremony"):
    VIEW: ClassVar[type[View]] = CeremonyView
    ceremony: str


class GetWallets(Query[WalletsView], frozen=True, tag="wallets"):
    VIEW: ClassVar[type[View]] = WalletsView


class GetWallet(Query[WalletView], frozen=True, tag="wallet"):
    """With `refresh`, the balance is first read from the chain."""

    VIEW: ClassVar[type[View]] = WalletView
    wallet: str
    refresh: bool = False


class GetMovements(Query[MovementsView], frozen=True, tag="movements"):
    """An account's newest movements, from its chain; `account` is a path."""

    VIEW: ClassVar[type[View]] = MovementsView
    wallet: str
    chain: str
    account: str = ""


class PreviewTransfer(Query[TransferPreview], frozen=True, kw_only=True, tag="preview-transfer"):
    """Build a transfer and decode it again. `amount` is decimal text in the large unit.

    `account` is the path of the account that pays, "" for the chain's first.
    """

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    to_address: str
    amount: str
    memo: str = ""
    account: str = ""
    asset: str = ""
    """A listed token's address; "" for the chain's own coin."""
    fee_level: str = msgspec.field(default="normal", name="fee")
    """"economy", "normal" or "fast"."""
    everything: bool = False
    """Send the complete balance less the fee; `amount` is ignored then."""
    durable: bool = msgspec.field(default=False, name="lasting")
    """Build bytes that do not expire while people decide, where a chain's transactions expire."""


class PreviewCall(Query[TransferPreview], frozen=True, kw_only=True, tag="preview-call"):
    """Build a call of a contract's function, written like `approve(address,uint256)`."""

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    to_address: str
    function: str
    arguments: tuple[str, ...]
    amount: str = ""
    account: str = ""
    fee_level: str = msgspec.field(default="normal", name="fee")


class PreviewMessage(Query[TransferPreview], frozen=True, kw_only=True, tag="preview-message"):
    """Build and decode a message to be signed."""

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    text: str
    account: str = ""


class PreviewAcceleration(
    Query[TransferPreview], frozen=True, kw_only=True, tag="preview-acceleration"
):
    """Build a transaction that spends a waiting one, with a fee that pays for both (CPFP)."""

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    transaction_id: str
    account: str = ""
    fee_level: str = msgspec.field(default="fast", name="fee")


class PreviewImport(Query[TransferPreview], frozen=True, kw_only=True, tag="preview-import"):
    """Decode what another program drafted, in hexadecimal or base 64."""

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    text: str
    account: str = ""


class PreviewDurable(Query[TransferPreview], frozen=True, tag="preview-durable"):
    """Build what durable transfers need on a chain: on Solana, a durable nonce account."""

    VIEW: ClassVar[type[View]] = TransferPreview
    wallet: str
    chain: str
    account: str = ""


class PreviewReplacement(Query[TransferPreview], frozen=True, tag="preview-replacement"):
    """Build the replacement of a broadcast request: the same for a higher fee, or cancelled."""

    VIEW: ClassVar[type[View]] = TransferPreview
    request: str
    cancel: bool = False
    fee_level: str = msgspec.field(default="fast", name="fee")


class GetRecovery(Query[RecoveryView], frozen=True, tag="recovery"):
    """Shares of all wallets, machines to endorse, and the possible actions."""

    VIEW: ClassVar[type[View]] = RecoveryView


class PreviewMachine(Query[MachinePreview], frozen=True, tag="preview-machine"):
    """Decode an entry line that `quorate init` printed, before a member endorses it."""

    VIEW: ClassVar[type[View]] = MachinePreview
    entry: str


class PreviewDecision(Query[DecisionPreview], frozen=True, tag="preview-decision"):
    """Return a decision about the roster as it would be signed, by members' ids."""

    VIEW: ClassVar[type[View]] = DecisionPreview
    retires: tuple[str, ...]
    electors: tuple[str, ...]


class GetInbox(Query[InboxView], frozen=True, tag="inbox"):
    """A page of all requests: those that are open first, then the newest."""

    VIEW: ClassVar[type[View]] = InboxView
    offset: Offset = 0
    limit: PageSize = 200


class GetRequest(Query[RequestView], frozen=True, tag="request"):
    VIEW: ClassVar[type[View]] = RequestView
    request: str


class GetLedger(Query[LedgerPage], frozen=True, tag="ledger"):
    """`before` 0 starts at the newest record; `text` filters names, members and streams."""

    VIEW: ClassVar[type[View]] = LedgerPage
    before: Offset = 0
    limit: PageSize = 100
    text: str = ""


class ChangeKind(StrEnum):
    """The kind of a change notice; a window then queries again what it shows."""

    SESSION = "session"
    CEREMONY = "ceremony"
    WALLET = "wallet"
    REQUEST = "request"
    MEMBER = "member"
    """A machine was endorsed or replaced; `subject` is the member."""
    LEDGER = "ledger"
    PEERS = "peers"
    RUN = "run"
    """A protocol session changed; `subject` is its ceremony or request."""
    LEDGER_VERIFICATION = "ledger-verification"
    """`done` of `total` records are verified."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change notice; `subject` names what changed. It has no content that could leak or age."""

    kind: ChangeKind
    subject: str = ""
    done: int = 0
    total: int = 0


class CommandRefused(Exception):
    """The node refused. The parts state what an operator needs to know, and a support code.

    `code` is stable (for example "wrong-pin"). `what` says what happened, `safe` whether keys
    and funds are safe, `next_step` what to do.
    """

    def __init__(self, code: str, what: str, safe: str, next_step: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.safe = safe
        self.next_step = next_step


class NodeUnreachable(Exception):
    """The local node does not reply. Nothing is lost: the node keeps its ledger and shares."""


class Console(Protocol):
    """A node's interface for the window, the command line and automation."""

    async def execute(self, command: Command) -> Outcome:
        """Execute a command. Raises: CommandRefused, NodeUnreachable."""
        ...

    async def ask(self, query: Query[V_co]) -> V_co:
        """Return a query's view. Raises: CommandRefused, NodeUnreachable."""
        ...

    def changes(self) -> AsyncIterator[Change]:
        """Yield changes from now on, until cancelled. Raises: NodeUnreachable."""
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...
