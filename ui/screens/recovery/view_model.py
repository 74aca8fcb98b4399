"""The shares of all wallets, the machines to endorse, and the commands on both."""

from collections.abc import Callable
from enum import Enum, auto

from console.application.api import (
    ChangeKind,
    CommandRefused,
    GetRecovery,
    NodeUnreachable,
    PreviewMachine,
)
from console.application.commands import (
    ApproveMachine,
    ChangeAddress,
    ChangeLinkKey,
    Command,
    FinishLinkKey,
    Outcome,
    Pin,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    RunDrill,
    SetPeerAddress,
)
from console.application.views import (
    LinkView,
    MachinePreview,
    MachineView,
    RecoveryView,
    ShareState,
    WalletSharesView,
)
from ui.problem import Problem, describe
from ui.screens.recovery.resharing import Reshare
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

MACHINES = "machines"
_RESHARE = "reshare/"


class Page(Enum):
    """The three pages of the screen."""

    SHARES = auto()
    RESHARE = auto()
    MACHINES = auto()


def reshare_of(wallet: str) -> str:
    """Return the subject under which a wallet's reshare is planned."""
    return f"{_RESHARE}{wallet}"


class RecoveryModel(ViewModel):
    """A subject is a wallet, `MACHINES`, a member, a machine's digest, or a reshare.

    Without one the first wallet is open.
    """

    WATCHES = frozenset(
        {
            ChangeKind.SESSION,
            ChangeKind.CEREMONY,
            ChangeKind.WALLET,
            ChangeKind.REQUEST,
            ChangeKind.MEMBER,
            ChangeKind.PEERS,
            ChangeKind.RUN,
        }
    )
    view: RecoveryView | None = None
    preview: MachinePreview | None = None
    preview_problem: Problem | None = None
    entry = ""
    drilling = False

    async def load(self) -> LoadState:
        """Query the view; subjects only choose from it."""
        self.view = await self.ask(GetRecovery())
        if self.page is Page.MACHINES:
            return LoadState.READY
        if not self.view.wallets and not self.subject:
            return LoadState.EMPTY
        if self.wallet is None:
            raise CommandRefused(
                "not-found",
                "No wallet, member or machine of this name is known here.",
                "Keys and funds are safe. Nothing was changed.",
                "Go back and choose one from the list.",
            )
        return LoadState.READY

    def open(self, subject: str) -> None:
        """Show another part of the loaded view immediately, without a skeleton."""
        known = self.state is LoadState.READY
        before, self.subject = self.subject, subject
        found = self.page is Page.MACHINES or self.wallet is not None
        if not (known and found):
            self.subject = before
        super().open(subject)

    @property
    def page(self) -> Page:
        """The page that the subject names."""
        if self.subject.startswith(_RESHARE):
            return Page.RESHARE
        if self.subject == MACHINES:
            return Page.MACHINES
        if self.view is not None and self.subject:
            known = {item.member for item in self.view.members}
            for machine in self.view.machines:
                known |= {machine.member, machine.digest}
            return Page.MACHINES if self.subject in known else Page.SHARES
        return Page.SHARES

    @property
    def wallet(self) -> WalletSharesView | None:
        """The open wallet."""
        wallets = self.view.wallets if self.view else ()
        name = self.subject.removeprefix(_RESHARE)
        if not name:
            return wallets[0] if wallets else None
        return next((item for item in wallets if item.wallet == name), None)

    @property
    def machine(self) -> MachineView | None:
        """The open machine; of several, the first that waits for this member."""
        machines = self.view.machines if self.view else ()
        if self.subject != MACHINES:
            machines = tuple(m for m in machines if self.subject in {m.digest, m.member})
        waiting = [item for item in machines if item.can_approve]
        return next(iter((*waiting, *machines)), None)

    @property
    def waiting(self) -> int:
        """How many machines this member can endorse."""
        return sum(item.can_approve for item in self.view.machines) if self.view else 0

    def lost_share(self, member: str) -> WalletSharesView | None:
        """Return the first wallet in which a member's share needs a repair."""
        for wallet in self.view.wallets if self.view else ():
            for share in wallet.shares:
                if share.member == member and share.state is ShareState.LOST:
                    return wallet
        return None

    def do(self, command: Command, done: Callable[[Outcome], None] | None = None) -> None:
        """Execute a command, and remember whether it is a drill, which takes long."""
        if not self.working:
            self.drilling = isinstance(command, RunDrill)
        super().do(command, done)

    def propose_refresh(self, wallet: str) -> None:
        """Propose new shares for the same custodians."""
        self.do(ProposeRefresh(wallet), self._proposed)

    def propose_repair(self, wallet: str, member: str) -> None:
        """Propose to restore a member's share."""
        self.do(ProposeRepair(wallet, member), self._proposed)

    def propose_reshare(self, draft: Reshare) -> None:
        """Propose the planned reshare."""
        if draft.problem:
            return
        command = ProposeReshare(
            wallet=draft.wallet.wallet,
            threshold=draft.threshold,
            custodians=draft.custodians,
            approvals_needed=draft.approvals,
            dealers=draft.dealers,
        )
        self.do(command, self._proposed)

    def run_drill(self, wallet: str) -> None:
        """Run a drill: custodians prove that they can sign."""
        self.do(RunDrill(wallet), self._drilled)

    def read_entry(self, entry: str) -> None:
        """Decode an entry line; another line voids the preview."""
        self.entry, self.preview, self.preview_problem = entry.strip(), None, None
        self.refusal = None
        if self.entry:
            self.tasks.start(self._read(self.entry))
        self.changed.emit()

    def propose_machine(self, pin: Pin) -> None:
        """Endorse, as the first, exactly the machine that the preview showed."""
        if self.preview is None or self.preview.problems:
            pin.wipe()
            return
        self.do(ProposeMachine(self.entry, pin), self._endorsed)

    def approve_machine(self, machine: MachineView, pin: Pin) -> None:
        """Endorse exactly the machine that was on screen."""
        self.do(ApproveMachine(machine.member, machine.digest, pin), self._tell)

    def set_address(self, link: LinkView, address: str, done: Callable[[], None]) -> None:
        """Sign our own machine's address, or reach a peer there from this node alone."""

        def told(outcome: Outcome) -> None:
            done()
            self._tell(outcome)

        own = ChangeAddress(address)
        self.do(own if link.is_me else SetPeerAddress(link.member, address), told)

    def change_key(self) -> None:
        """Begin to change this machine's TLS key."""
        self.do(ChangeLinkKey(), self._tell)

    def finish_key(self) -> None:
        """Go over to the new TLS key without waiting for the others."""
        self.do(FinishLinkKey(), self._tell)

    async def _read(self, entry: str) -> None:
        preview, problem = None, None
        try:
            preview = await self.ask(PreviewMachine(entry))
        except (CommandRefused, NodeUnreachable) as error:
            problem = describe(error)
        if entry == self.entry:
            self.preview, self.preview_problem = preview, problem
            self.changed.emit()

    def _proposed(self, outcome: Outcome) -> None:
        self._tell(outcome)
        self.context.navigate("ceremonies", outcome.subject)

    def _drilled(self, outcome: Outcome) -> None:
        said = outcome.message or "The custodians proved that they can sign."
        self.context.notify(said, Tone.OK)

    def _endorsed(self, outcome: Outcome) -> None:
        member = self.preview.member if self.preview else MACHINES
        self._tell(outcome)
        self.context.navigate("recovery", member)

    def _tell(self, outcome: Outcome) -> None:
        self.context.notify(outcome.message or "Recorded in the ledger.", Tone.OK)
