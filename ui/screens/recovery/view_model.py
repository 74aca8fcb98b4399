"""The shares of all wallets, the machines to endorse, and the commands on both."""

from collections.abc import Callable, Sequence
from enum import Enum, auto

from console.application.api import (
    ChangeKind,
    CommandRefused,
    GetRecovery,
    NodeUnreachable,
    PreviewDecision,
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
    SignDecision,
)
from console.application.views import (
    DecisionPreview,
    DecisionView,
    LinkView,
    MachinePreview,
    MachineView,
    RecoveryView,
    ShareState,
    WalletSharesView,
)
from ui.problem import Problem, describe
from ui.screens.recovery import plans
from ui.screens.recovery.resharing import Reshare
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

MACHINES = "machines"
MEMBERS = "members"
_RESHARE = "reshare/"


class Page(Enum):
    """The pages of the screen."""

    SHARES = auto()
    RESHARE = auto()
    MACHINES = auto()
    MEMBERS = auto()


_WITHOUT_WALLETS = {Page.MACHINES, Page.MEMBERS}


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
    decision_preview: DecisionPreview | None = None
    decision_problem: Problem | None = None
    entry = ""
    _chosen: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    drilling = False

    async def load(self) -> LoadState:
        """Query the view; subjects only choose from it."""
        self.view = await self.ask(GetRecovery())
        if self.page in _WITHOUT_WALLETS:
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
        found = self.page in _WITHOUT_WALLETS or self.wallet is not None
        if not (known and found):
            self.subject = before
        super().open(subject)

    @property
    def page(self) -> Page:
        """The page that the subject names."""
        if self.subject.startswith(_RESHARE):
            return Page.RESHARE
        if self.subject in {MACHINES, MEMBERS}:
            return Page.MACHINES if self.subject == MACHINES else Page.MEMBERS
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

    @property
    def decision(self) -> DecisionView | None:
        """The open decision about the members: first one that waits for this member."""
        decisions = self.view.roster.decisions if self.view else ()
        waiting = [item for item in decisions if item.can_sign]
        return next(iter((*waiting, *decisions)), None)

    @property
    def undecided(self) -> int:
        """How many decisions this member can sign."""
        return sum(item.can_sign for item in self.view.roster.decisions) if self.view else 0

    def decision_sentence(self, leaving: Sequence[str], deciding: Sequence[str]) -> str:
        """Return what a decision does, with people's names."""
        view = self.view
        known = {m.member: m.name for m in view.members} if view else {}
        return plans.decision(
            [known.get(m, m) for m in leaving], [known.get(m, m) for m in deciding]
        )

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

    def read_decision(self, leaving: tuple[str, ...], deciding: tuple[str, ...]) -> None:
        """Ask for the code of a decision; another choice voids the one before."""
        self._chosen = (leaving, deciding)
        self.decision_preview, self.decision_problem, self.refusal = None, None, None
        if deciding:
            self.tasks.start(self._read_decision(leaving, deciding))
        self.changed.emit()

    async def _read_decision(self, leaving: tuple[str, ...], deciding: tuple[str, ...]) -> None:
        preview, problem = None, None
        try:
            preview = await self.ask(PreviewDecision(leaving, deciding))
        except (CommandRefused, NodeUnreachable) as error:
            problem = describe(error)
        if (leaving, deciding) == self._chosen:
            self.decision_preview, self.decision_problem = preview, problem
            self.changed.emit()

    def sign_chosen(self, pin: Pin) -> None:
        """Sign, as the first, exactly the decision that the preview showed."""
        preview = self.decision_preview
        if preview is None or preview.problems:
            pin.wipe()
            return
        leaving, deciding = self._chosen
        self._sign_decision(leaving, deciding, preview.digest, pin)

    def sign_decision(self, decision: DecisionView, pin: Pin) -> None:
        """Sign exactly the decision that was on screen."""
        self._sign_decision(decision.retires, decision.electors, decision.digest, pin)

    def _sign_decision(
        self, leaving: tuple[str, ...], deciding: tuple[str, ...], digest: str, pin: Pin
    ) -> None:
        command = SignDecision(retires=leaving, electors=deciding, digest=digest, pin=pin)
        self.do(command, self._decided)

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

    def _decided(self, outcome: Outcome) -> None:
        self._tell(outcome)
        self.context.navigate("recovery", MEMBERS)

    def _tell(self, outcome: Outcome) -> None:
        self.context.notify(outcome.message or "Recorded in the ledger.", Tone.OK)
