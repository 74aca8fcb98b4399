"""Key ceremonies: the list, the proposal form, or one ceremony."""

from msgspec.structs import replace

from console.application.api import Change, ChangeKind, GetCeremonies, GetCeremony
from console.application.commands import (
    AcceptCeremony,
    CancelCeremony,
    ConfirmCeremonyCode,
    DeclineCeremony,
    Outcome,
    ProposeCeremony,
)
from console.application.views import CeremoniesView, CeremonyView
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

NEW = "new"


class CeremoniesModel(ViewModel):
    """The list without a subject, the form with `NEW`, else one ceremony."""

    WATCHES = frozenset({ChangeKind.CEREMONY, ChangeKind.RUN, ChangeKind.PEERS})
    view: CeremoniesView | None = None
    ceremony: CeremonyView | None = None
    _pages = 1

    async def load(self) -> LoadState:
        """Query what the subject names."""
        if self.subject in {"", NEW}:
            self.view = await self._list()
            nothing = not self.subject and not self.view.ceremonies
            return LoadState.EMPTY if nothing else LoadState.READY
        self.ceremony = await self.ask(GetCeremony(self.subject))
        return LoadState.READY

    async def _list(self) -> CeremoniesView:
        """Query the list, as many pages of it as were asked for."""
        first = await self.ask(GetCeremonies())
        known = first.ceremonies
        for _ in range(1, self._pages):
            if len(known) >= first.total:
                break
            page = await self.ask(GetCeremonies(offset=len(known)))
            known = (*known, *page.ceremonies)
        return replace(first, ceremonies=known)

    def show_older(self) -> None:
        """Ask for one page more."""
        self._pages += 1
        self.refresh()

    def forget(self) -> None:
        """Drop the former ceremony: its code must not show under another's name."""
        self.ceremony = None

    def on_change(self, change: Change) -> bool:
        """Return whether a change concerns the page; an open ceremony ignores the others."""
        everything = self.subject in {"", NEW} or change.kind is ChangeKind.PEERS
        return change.kind in self.WATCHES and (everything or change.subject in {"", self.subject})

    def propose(
        self,
        name: str,
        kinds: tuple[str, ...],
        threshold: int,
        approvals: int,
        custodians: tuple[str, ...],
    ) -> None:
        """Propose a key generation."""
        command = ProposeCeremony(
            wallet_name=name.strip(),
            kinds=kinds,
            threshold=threshold,
            custodians=custodians,
            approvals_needed=approvals,
        )
        self.do(command, self._proposed)

    def accept(self) -> None:
        """Accept the ceremony."""
        self.do(AcceptCeremony(self.subject), self._tell)

    def decline(self, reason: str) -> None:
        """Decline the ceremony."""
        self.do(DeclineCeremony(self.subject, reason), self._tell)

    def confirm(self) -> None:
        """Confirm the code that is on screen."""
        if self.ceremony is not None and self.ceremony.code:
            self.do(ConfirmCeremonyCode(self.subject, self.ceremony.code), self._tell)

    def cancel(self, reason: str) -> None:
        """Cancel the ceremony."""
        self.do(CancelCeremony(self.subject, reason), self._tell)

    def _proposed(self, outcome: Outcome) -> None:
        self._tell(outcome)
        self.context.navigate("ceremonies", outcome.subject)

    def _tell(self, outcome: Outcome) -> None:
        self.context.notify(outcome.message or "Recorded in the ledger.", Tone.OK)
