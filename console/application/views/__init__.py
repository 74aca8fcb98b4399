"""Views for windows: frozen, complete, free of secrets, decoded from verified events.

Times are UTC milliseconds; `None` means "has not happened". Amounts are text with all digits
and their unit apart, already exact.
"""

from console.application.views.ceremonies import (
    CeremoniesView,
    CeremonyStage,
    CeremonyView,
    CustodianView,
    KeyKindView,
)
from console.application.views.overview import (
    LedgerPage,
    LedgerRow,
    OverviewView,
    TaskView,
)
from console.application.views.recovery import (
    ActionView,
    DrillView,
    LinkView,
    MachinePreview,
    MachineView,
    RecoveryView,
    ShareState,
    ShareView,
    WalletSharesView,
)
from console.application.views.requests import (
    InboxView,
    PolicyCheckView,
    RequestRow,
    RequestStage,
    RequestView,
    TimelineItemView,
)
from console.application.views.roster import (
    DecisionPreview,
    DecisionView,
    FormerMemberView,
    RosterView,
)
from console.application.views.session import (
    MemberView,
    NodeState,
    SessionView,
    VaultView,
)
from console.application.views.steps import (
    ApprovalView,
    CellView,
    ProtocolSessionView,
    StepState,
)
from console.application.views.view import (
    View,
)
from console.application.views.wallets import (
    AccountView,
    DescriptionView,
    FieldView,
    HistoryItemView,
    MovementsView,
    MovementView,
    TokenView,
    TransferPreview,
    WalletsView,
    WalletView,
)

__all__ = [
    "AccountView",
    "ActionView",
    "ApprovalView",
    "CellView",
    "CeremoniesView",
    "CeremonyStage",
    "CeremonyView",
    "CustodianView",
    "DecisionPreview",
    "DecisionView",
    "DescriptionView",
    "DrillView",
    "FieldView",
    "FormerMemberView",
    "HistoryItemView",
    "InboxView",
    "KeyKindView",
    "LedgerPage",
    "LedgerRow",
    "LinkView",
    "MachinePreview",
    "MachineView",
    "MemberView",
    "MovementView",
    "MovementsView",
    "NodeState",
    "OverviewView",
    "PolicyCheckView",
    "ProtocolSessionView",
    "RecoveryView",
    "RequestRow",
    "RequestStage",
    "RequestView",
    "RosterView",
    "SessionView",
    "ShareState",
    "ShareView",
    "StepState",
    "TaskView",
    "TimelineItemView",
    "TokenView",
    "TransferPreview",
    "VaultView",
    "View",
    "WalletSharesView",
    "WalletView",
    "WalletsView",
]
