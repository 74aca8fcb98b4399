"""All requests: waiting for me, waiting for the team, and done."""

from console.application.api import ChangeKind, GetInbox
from console.application.views import InboxView, RequestRow
from ui.status import OPEN_REQUESTS
from ui.view_model import LoadState, ViewModel

MINE, TEAM, DONE = "mine", "team", "done"


class ApprovalsModel(ViewModel):
    """The inbox, and the part of it that is shown."""

    WATCHES = frozenset({ChangeKind.REQUEST, ChangeKind.RUN})
    view: InboxView | None = None
    tab = MINE
    text = ""
    _pages = 1

    async def load(self) -> LoadState:
        """Query the inbox, as many pages of it as were asked for."""
        pages = [await self.ask(GetInbox())]
        for _ in range(1, self._pages):
            known = sum(len(page.rows) for page in pages)
            if known >= pages[0].total:
                break
            pages.append(await self.ask(GetInbox(offset=known)))
        rows = tuple(row for page in pages for row in page.rows)
        self.view = InboxView(rows, pages[0].total)
        return LoadState.READY if self.view.rows else LoadState.EMPTY

    def part(self, tab: str) -> tuple[RequestRow, ...]:
        """Return the requests of one tab."""
        rows = self.view.rows if self.view else ()
        if tab == MINE:
            return tuple(row for row in rows if row.needs_me)
        if tab == TEAM:
            return tuple(row for row in rows if row.stage in OPEN_REQUESTS and not row.needs_me)
        return tuple(row for row in rows if row.stage not in OPEN_REQUESTS)

    @property
    def shown(self) -> tuple[RequestRow, ...]:
        """The requests of the chosen tab that match the filter."""
        wanted = self.text.casefold()
        return tuple(
            row
            for row in self.part(self.tab)
            if wanted
            in f"{row.wallet_name} {row.to_address} {row.proposer_name} {row.short_code}".casefold()
        )

    def choose(self, tab: str) -> None:
        """Show another tab."""
        self.tab = tab
        self.changed.emit()

    def show_older(self) -> None:
        """Ask for one page more."""
        self._pages += 1
        self.refresh()

    def filter(self, text: str) -> None:
        """Show only requests with this text."""
        self.text = text.strip()
        self.changed.emit()
