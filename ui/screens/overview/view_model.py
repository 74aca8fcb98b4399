"""The operator's tasks, and the state of the quorum."""

from console.application.api import ChangeKind, GetOverview
from console.application.views import OverviewView
from ui.view_model import LoadState, ViewModel


class OverviewModel(ViewModel):
    """The overview; never empty, because a new member still sees its quorum."""

    WATCHES = frozenset(
        {
            ChangeKind.SESSION,
            ChangeKind.CEREMONY,
            ChangeKind.WALLET,
            ChangeKind.REQUEST,
            ChangeKind.LEDGER,
            ChangeKind.PEERS,
        }
    )
    view: OverviewView | None = None

    async def load(self) -> LoadState:
        """Query the overview."""
        self.view = await self.ask(GetOverview())
        return LoadState.READY

    @property
    def ready(self) -> int:
        """How many members can sign now."""
        return sum(member.able for member in self.view.members) if self.view else 0

    @property
    def online(self) -> int:
        """How many members' machines answer, their vaults unlocked or not."""
        return sum(member.online for member in self.view.members) if self.view else 0

    @property
    def ledger_behind(self) -> int:
        """How many records were added since the last full verification."""
        return self.view.ledger_sequence - self.view.ledger_verified_to if self.view else 0
