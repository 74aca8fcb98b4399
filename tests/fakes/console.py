"""A node in memory, for the window's tests and pictures; its troubles can be switched on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from msgspec.structs import replace

from console.application import api, commands, views
from console.application.api import Change, ChangeKind, CommandRefused, NodeUnreachable
from console.application.commands import Command, Outcome
from console.application.views import CeremonyStage, NodeState, RequestStage, View
from console.client import Profile
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario

V = TypeVar("V", bound=View)
PIN = b"123456"
PROFILES = tuple(
    Profile(member, name, Path("members") / member) for member, name in scenario.PEOPLE.items()
)
REFUSED = CommandRefused(
    "ledger-unavailable",
    "The ledger cannot be written now.",
    "Keys and funds are safe. Nothing was signed or sent.",
    "Free some disk space and try again.",
)
WRONG_PIN = CommandRefused(
    "wrong-pin",
    "The token refused the PIN.",
    "Keys and funds are safe. Nothing was decided.",
    "Type the PIN again. 7 attempts are left.",
)


_WITH_PIN = (
    commands.Unlock,
    commands.ApproveRequest,
    commands.ProposeMachine,
    commands.ApproveMachine,
    commands.SignDecision,
)


@dataclass
class FakeConsole:
    """Implements `Console`. `calm()` takes every trouble away again."""

    me: str = "ana"
    session: views.SessionView = field(default_factory=scenario.session)
    unreachable: bool = False
    refusal: CommandRefused | None = None
    silent: bool = False
    hangs_after: bool = False
    """Whether commands are carried out, but never answered."""
    empty: bool = False
    broken_because: str = ""
    asked: list[api.Query[View]] = field(default_factory=list)
    executed: list[Command] = field(default_factory=list)
    pins: list[bytes] = field(default_factory=list)
    requests: dict[str, views.RequestView] = field(default_factory=dict)
    ceremonies: dict[str, views.CeremonyView] = field(default_factory=dict)
    wallets: dict[str, views.WalletView] = field(default_factory=dict)
    inbox: views.InboxView = field(default_factory=scenario.inbox)
    preview_problems: tuple[str, ...] = ()
    preview_warnings: tuple[str, ...] = ()
    movements_refused: bool = False
    previewed: list[api.Query[views.TransferPreview]] = field(default_factory=list)
    recovery: views.RecoveryView = field(default_factory=recovery.recovery)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _listeners: list[asyncio.Queue[Change]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill in the scenario."""
        self.requests = {
            scenario.request_name(stage): scenario.request(stage) for stage in RequestStage
        }
        self.ceremonies = {
            scenario.ceremony_name(stage): scenario.ceremony(stage) for stage in CeremonyStage
        }
        for purpose in CeremonyPurpose:
            if purpose is not CeremonyPurpose.GENERATE:
                self.ceremonies[scenario.change_name(purpose)] = scenario.change(purpose)
        self.wallets = {
            scenario.WALLET: scenario.wallet(),
            scenario.RESERVE: scenario.wallet(
                scenario.RESERVE, "Reserve", history=(), balance="140.000\u2009000\u2009000"
            ),
        }

    def unlocked(self) -> "FakeConsole":
        """Be ready from the start."""
        self.session = scenario.session(NodeState.READY, self.me)
        return self

    def calm(self) -> None:
        """Take every trouble away."""
        self.unreachable = self.silent = self.empty = self.hangs_after = False
        self.refusal = None

    def announce(self, kind: ChangeKind, subject: str = "", done: int = 0, total: int = 0) -> None:
        """Tell all listeners that something moved."""
        for queue in self._listeners:
            queue.put_nowait(Change(kind=kind, subject=subject, done=done, total=total))

    async def ask(self, query: api.Query[V]) -> V:
        """Answer from the scenario."""
        self.asked.append(cast("api.Query[View]", query))
        if self.unreachable:
            raise NodeUnreachable
        if isinstance(query, api.GetSession):
            return cast("V", self.session)
        if self.silent:
            await self._hang()
        if self.refusal is not None:
            raise self.refusal
        return cast("V", self._answer(cast("api.Query[View]", query)))

    async def execute(self, command: Command) -> Outcome:
        """Carry out a command on the scenario."""
        self.executed.append(command)
        if self.unreachable:
            raise NodeUnreachable
        if self.silent:
            await self._hang()
        if isinstance(command, _WITH_PIN):
            pin = bytes(command.pin.reveal())
            self.pins.append(pin)
            if pin != PIN:
                raise WRONG_PIN
        if self.refusal is not None:
            raise self.refusal
        outcome = self._carry_out(command)
        if self.hangs_after:
            await self._hang()
        return outcome

    async def changes(self) -> AsyncIterator[Change]:
        """Yield what `announce` tells."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    async def close(self) -> None:
        """End the calls that hang, as a closed connection does."""
        self._closed.set()
        self._closed = asyncio.Event()

    async def _hang(self) -> None:
        await self._closed.wait()
        raise NodeUnreachable

    def _answer(self, query: api.Query[View]) -> View:
        match query:
            case api.GetOverview():
                return self._overview()
            case api.GetCeremonies(offset=offset, limit=limit):
                known = () if self.empty else tuple(self.ceremonies.values())
                return views.CeremoniesView(
                    ceremonies=known[offset : offset + limit],
                    total=len(known),
                    members=self.session.members,
                    kinds=tuple(views.KeyKindView(*kind) for kind in scenario.KEYS.items()),
                )
            case api.GetCeremony(ceremony=name):
                return self.ceremonies[name]
            case api.GetWallets():
                return views.WalletsView(() if self.empty else tuple(self.wallets.values()))
            case api.GetWallet(wallet=name):
                return self.wallets[name]
            case api.GetMovements():
                if self.movements_refused:
                    raise api.CommandRefused("chain", "The chain does not answer", "Safe.", "Wait.")
                return views.MovementsView(scenario.movements(query.chain))
            case api.GetRecovery():
                return recovery.recovery(self.me, empty=True) if self.empty else self.recovery
            case api.PreviewMachine(entry=entry):
                return recovery.preview(entry)
            case api.PreviewDecision(retires=leaving, electors=deciding):
                return recovery.decision_preview(leaving, deciding)
            case (
                api.PreviewTransfer()
                | api.PreviewCall()
                | api.PreviewMessage()
                | api.PreviewImport()
                | api.PreviewAcceleration()
                | api.PreviewDurable()
                | api.PreviewReplacement()
            ):
                return self._preview(query)
            case api.GetInbox(offset=offset, limit=limit):
                rows = () if self.empty else self.inbox.rows
                return views.InboxView(rows[offset : offset + limit], len(rows))
            case api.GetRequest(request=name):
                return self.requests[name]
            case api.GetLedger(before=before, limit=limit, text=text):
                return self._ledger(before, limit, text)
        raise AssertionError(query)

    def _overview(self) -> views.OverviewView:
        waiting = scenario.request()
        tasks = (
            views.TaskView(
                title="Approve 1.25 SOL from Treasury",
                detail="Requested by Ben Okafor \u00b7 code K7Q4-M2VD",
                screen="review",
                subject=waiting.request,
                due_ms=waiting.expires_at_ms,
            ),
            views.TaskView(
                title="Accept the ceremony for Operations",
                detail="2 of 3 custodians accepted",
                screen="ceremonies",
                subject=scenario.ceremony_name(CeremonyStage.AWAITING_ACCEPTANCE),
                due_ms=scenario.NOW_MS + 23 * scenario.HOUR,
            ),
            views.TaskView(
                title="Endorse a machine of Ben Okafor",
                detail="1 of 3 members endorsed",
                screen="recovery",
                subject="ben",
                due_ms=None,
            ),
        )
        size = scenario.LEDGER_SIZE
        return views.OverviewView(
            tasks=() if self.empty else tasks,
            wallets=() if self.empty else tuple(self.wallets.values()),
            members=self.session.members,
            recent=tuple(scenario.record(size - n) for n in range(6)),
            open_requests=0 if self.empty else 5,
            open_ceremonies=0 if self.empty else 4,
            ledger_sequence=size,
            ledger_verified_to=size - 12,
        )

    def _preview(self, query: api.Query[views.TransferPreview]) -> views.TransferPreview:
        self.previewed.append(query)
        transfer = isinstance(query, api.PreviewTransfer)
        amount, memo = (query.amount, query.memo) if transfer else ("0", "")
        description = scenario.description(amount, memo or "none")
        return views.TransferPreview(
            transaction=b"transaction",
            description=description,
            fee_ceiling="0.000\u2009010\u2009000",
            balance_after="11.232\u2009900\u2009000",
            problems=self.preview_problems,
            valid_for_s=90,
            warnings=self.preview_warnings,
            effects=(views.FieldView("This wallet", f"-{amount} {description.unit}"),),
        )

    def _ledger(self, before: int, limit: int, text: str) -> views.LedgerPage:
        size = 0 if self.empty else scenario.LEDGER_SIZE
        every = range(size, 0, -1)
        if text:
            words = [f"{s} {n} {m}".casefold() for n, s, m in scenario.EVENTS]
            every_match = [n for n in every if text.casefold() in words[n % len(words)]]
        else:
            every_match = list(every)
        start = [n for n in every_match if not before or n < before][:limit]
        return views.LedgerPage(
            rows=tuple(scenario.record(n) for n in start),
            total=len(every_match),
            head_sequence=size,
            head_hash=scenario.digest(f"record{size}"),
            verified_to=max(size - 12, 0),
            verified_at_ms=scenario.NOW_MS - 2 * scenario.HOUR,
            broken_because=self.broken_because,
        )

    def _carry_out(self, command: Command) -> Outcome:
        match command:
            case commands.Unlock():
                self.session = scenario.session(NodeState.READY, self.me)
                self.announce(ChangeKind.SESSION)
            case commands.Lock():
                self.session = scenario.session(NodeState.LOCKED, self.me)
                self.announce(ChangeKind.SESSION)
            case commands.ApproveRequest(request=name):
                self.requests[name] = scenario.request(RequestStage.SIGNING, request=name)
            case commands.ExportLedger():
                return Outcome("ledger-1.jsonl", "Exported to ledger-1.jsonl")
            case commands.DenyRequest(request=name):
                self.requests[name] = scenario.request(RequestStage.DENIED, request=name)
            case commands.ProposeTransfer():
                return Outcome(scenario.request_name(RequestStage.AWAITING_APPROVAL))
            case commands.ProposeCeremony():
                return Outcome(scenario.ceremony_name(CeremonyStage.AWAITING_ACCEPTANCE))
            case commands.ProposeRefresh():
                return Outcome(scenario.change_name(CeremonyPurpose.REFRESH))
            case commands.ProposeRepair():
                return Outcome(scenario.change_name(CeremonyPurpose.REPAIR))
            case commands.ProposeReshare():
                return Outcome(scenario.change_name(CeremonyPurpose.RESHARE))
            case commands.RunDrill(wallet=name):
                self._drill(name)
            case commands.ApproveMachine(member=member):
                self.endorse(member)
            case commands.SignDecision():
                signed = recovery.decision(signed=("ana", "ben", "dara"))
                self.recovery = replace(self.recovery, roster=recovery.roster(signed))
                self.announce(ChangeKind.MEMBER, "eli")
            case commands.AcceptCeremony(ceremony=name):
                self.ceremonies[name] = scenario.ceremony(CeremonyStage.RUNNING, ceremony=name)
            case commands.ConfirmCeremonyCode(ceremony=name):
                self.ceremonies[name] = scenario.ceremony(CeremonyStage.COMPLETED, ceremony=name)
            case _:
                pass
        return Outcome("", "")

    def _drill(self, name: str) -> None:
        known = self.recovery
        proof = recovery.drill(0, ("ana", "ben"))
        wallets = tuple(
            replace(wallet, drills=(proof, *wallet.drills)) if wallet.wallet == name else wallet
            for wallet in known.wallets
        )
        self.recovery = replace(known, wallets=wallets)
        self.announce(ChangeKind.WALLET, name)

    def endorse(self, member: str) -> None:
        """Show this member's endorsement of another's machine."""
        known = self.recovery
        machines = tuple(
            recovery.machine(member, endorsed=("ana", "dara"))
            if machine.member == member
            else machine
            for machine in known.machines
        )
        self.recovery = replace(known, machines=machines)
        self.announce(ChangeKind.MEMBER, member)
