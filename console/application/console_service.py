"""ConsoleService: the node's interface, commands in, views and changes out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, cast

from msgspec.structs import replace

from console.application.actions.lifecycle import LifecycleActions
from console.application.actions.machines import MachineActions
from console.application.actions.operators import OperatorActions
from console.application.actions.roster import RosterActions
from console.application.api import (
    Change,
    GetCeremonies,
    GetCeremony,
    GetInbox,
    GetLedger,
    GetMovements,
    GetOverview,
    GetRecovery,
    GetRequest,
    GetSession,
    GetWallet,
    GetWallets,
    PreviewAcceleration,
    PreviewCall,
    PreviewDecision,
    PreviewDurable,
    PreviewImport,
    PreviewMachine,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
    Query,
    V_co,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveMachine,
    ApproveRequest,
    CancelCeremony,
    ChangeAddress,
    ChangeLinkKey,
    Command,
    ConfirmCeremonyCode,
    DeclineCeremony,
    DenyRequest,
    ExportLedger,
    FinishLinkKey,
    FundFromFaucet,
    Lock,
    Outcome,
    ProposeCeremony,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    ProposeTransfer,
    RetrySigning,
    RunDrill,
    SetPeerAddress,
    SignDecision,
    Unlock,
    VerifyLedger,
    WithdrawRequest,
)
from console.application.node import Node
from console.application.queries.ceremonies import ceremony_view, is_over
from console.application.queries.keys import key_kinds
from console.application.queries.ledger import ledger_rows
from console.application.queries.movements import movements
from console.application.queries.overview import overview_view
from console.application.queries.people import custodians_of, members_of
from console.application.queries.recovery import machine_preview, recovery_view
from console.application.queries.requests import (
    CLOSED,
    Here,
    request_row,
    request_stage,
    request_view,
)
from console.application.queries.roster import decision_preview
from console.application.queries.sentences import NodeFacts
from console.application.queries.session import session_view
from console.application.queries.transfer import (
    preview_acceleration,
    preview_call,
    preview_durable,
    preview_import,
    preview_message,
    preview_replacement,
    preview_transfer,
)
from console.application.queries.wallets import WalletQueryService
from console.application.refusals import EXPECTED, refusal
from console.application.views import (
    CeremoniesView,
    CeremonyView,
    DecisionPreview,
    InboxView,
    LedgerPage,
    MachinePreview,
    OverviewView,
    RecoveryView,
    RequestView,
    SessionView,
    View,
    WalletsView,
    WalletView,
)
from console.domain.ids import CeremonyId, RequestId, WalletId


class ConsoleService:
    """Implements `Console` inside the node's process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._actions = OperatorActions(node)
        self._answers: dict[type, Callable[[Any], Awaitable[View]]] = {
            GetSession: self._session,
            GetOverview: self._overview,
            GetCeremonies: self._ceremonies,
            GetCeremony: self._ceremony,
            GetWallets: self._wallets,
            GetWallet: self._wallet,
            GetRecovery: self._recovery,
            PreviewMachine: self._machine,
            PreviewDecision: self._decision,
            PreviewTransfer: lambda query: preview_transfer(node.core, query),
            GetMovements: lambda query: movements(node.core, query),
            PreviewAcceleration: lambda query: preview_acceleration(node.core, query),
            PreviewCall: lambda query: preview_call(node.core, query),
            PreviewMessage: lambda query: preview_message(node.core, query),
            PreviewImport: lambda query: preview_import(node.core, query),
            PreviewDurable: lambda query: preview_durable(node.core, query),
            PreviewReplacement: lambda query: preview_replacement(node.core, query),
            GetInbox: self._inbox,
            GetRequest: self._request,
            GetLedger: self._ledger,
        }
        actions, lifecycle = self._actions, LifecycleActions(node)
        machines = MachineActions(node)
        self._commands: dict[type, Callable[[Any], Coroutine[Any, Any, Outcome]]] = {
            Unlock: actions.unlock,
            Lock: actions.lock,
            ProposeCeremony: actions.propose_ceremony,
            ProposeRefresh: lifecycle.propose_refresh,
            ProposeRepair: lifecycle.propose_repair,
            ProposeReshare: lifecycle.propose_reshare,
            RunDrill: lifecycle.run_drill,
            ProposeMachine: lifecycle.propose_machine,
            ApproveMachine: lifecycle.approve_machine,
            SignDecision: RosterActions(node).sign_decision,
            ChangeAddress: machines.change_address,
            SetPeerAddress: machines.set_peer_address,
            ChangeLinkKey: machines.change_key,
            FinishLinkKey: machines.finish_key,
            AcceptCeremony: actions.accept_ceremony,
            DeclineCeremony: actions.decline_ceremony,
            ConfirmCeremonyCode: actions.confirm_code,
            CancelCeremony: actions.cancel_ceremony,
            ProposeTransfer: actions.propose_transfer,
            ApproveRequest: actions.approve,
            DenyRequest: actions.deny,
            WithdrawRequest: actions.withdraw,
            RetrySigning: actions.retry,
            FundFromFaucet: actions.fund,
            VerifyLedger: actions.verify_ledger,
            ExportLedger: actions.export_ledger,
        }

    async def execute(self, command: Command) -> Outcome:
        """Execute a command. Raises: CommandRefused."""
        try:
            return await self._node.finish(self._commands[type(command)](command))
        except EXPECTED as error:
            raise refusal(error) from None

    async def ask(self, query: Query[V_co]) -> V_co:
        """Return a query's view. Raises: CommandRefused."""
        try:
            view = await self._answers[type(query)](query)
        except EXPECTED as error:
            raise refusal(error) from None
        # The table pairs each query with the view that its type declares.
        return cast("V_co", view)

    def changes(self) -> AsyncIterator[Change]:
        """Yield changes from now on."""
        return self._node.changes()

    async def close(self) -> None:
        """Do nothing: the node keeps running."""

    async def _session(self, _query: GetSession) -> SessionView:
        return await session_view(self._node)

    async def _overview(self, _query: GetOverview) -> OverviewView:
        return await overview_view(self._node)

    async def _ceremonies(self, query: GetCeremonies) -> CeremoniesView:
        core, now = self._node.core, self._node.ports.clock.now_ms()
        ceremonies = sorted(
            core.aggregates.ceremonies.values(),
            key=lambda c: (
                is_over(c, core.aggregates.wallets.get(c.proposal.wallet), now),
                -c.proposal.proposed_at_ms,
            ),
        )
        shown = ceremonies[query.offset : query.offset + query.limit]
        head = await core.store.head()
        return CeremoniesView(
            ceremonies=tuple(ceremony_view(c, core, now) for c in shown),
            total=len(ceremonies),
            members=members_of(core, head.sequence),
            kinds=key_kinds(core.ports.schemes, core.ports.key_uses),
        )

    async def _ceremony(self, query: GetCeremony) -> CeremonyView:
        core = self._node.core
        ceremony = core.aggregates.ceremony(CeremonyId(query.ceremony))
        now = self._node.ports.clock.now_ms()
        return ceremony_view(ceremony, core, now)

    async def _wallets(self, _query: GetWallets) -> WalletsView:
        core = self._node.core
        head = await core.store.head()
        return WalletsView(WalletQueryService(core).views(head.sequence))

    async def _wallet(self, query: GetWallet) -> WalletView:
        core, wallet = self._node.core, WalletId(query.wallet)
        if query.refresh:
            await core.balances.refresh(wallet)
        return WalletQueryService(core).view(wallet, (await core.store.head()).sequence)

    async def _recovery(self, _query: GetRecovery) -> RecoveryView:
        core, now = self._node.core, self._node.ports.clock.now_ms()
        return recovery_view(core, now, (await core.store.head()).sequence)

    async def _machine(self, query: PreviewMachine) -> MachinePreview:
        return machine_preview(self._node.core, query.entry)

    async def _decision(self, query: PreviewDecision) -> DecisionPreview:
        return decision_preview(self._node.core, query.retires, query.electors)

    async def _inbox(self, query: GetInbox) -> InboxView:
        core, now = self._node.core, self._node.ports.clock.now_ms()
        requests = sorted(
            core.aggregates.requests.values(),
            key=lambda r: (
                request_stage(r, core.aggregates.wallets.get(r.proposal.wallet), now) in CLOSED,
                -r.proposal.proposed_at_ms,
            ),
        )
        shown = requests[query.offset : query.offset + query.limit]
        return InboxView(
            rows=tuple(
                request_row(r, core.aggregates, core.transactions, core.me, now) for r in shown
            ),
            total=len(requests),
        )

    async def _request(self, query: GetRequest) -> RequestView:
        core, now = self._node.core, self._node.ports.clock.now_ms()
        request = core.aggregates.request(RequestId(query.request))
        here = Here(
            aggregates=core.aggregates,
            transactions=core.transactions,
            reservations=core.reservations,
            host=core.host,
            me=core.me,
            now_ms=now,
        )
        name = request.proposal.request
        facts = NodeFacts(
            trouble=core.signing_saga.troubles.of(name),
            used_up=core.doubts.is_used_up(name),
            silence=core.broadcast_saga.troubles.of(name),
            silent_since_ms=core.broadcast_saga.silent_since_ms(name),
            asks_chain=core.broadcast_saga.follows(name),
        )
        view = request_view(request, here, facts)
        quorum, head = request.policy.quorum.custodians, (await core.store.head()).sequence
        return replace(view, custodians=custodians_of(core, request.proposal.wallet, quorum, head))

    async def _ledger(self, query: GetLedger) -> LedgerPage:
        core, check = self._node.core, self._node.check
        rows, total = await ledger_rows(core.store, query.before, query.limit, query.text)
        head = await core.store.head()
        return LedgerPage(
            rows=rows,
            total=total,
            head_sequence=head.sequence,
            head_hash=head.hash.hex(),
            verified_to=check.verified_to,
            verified_at_ms=check.at_ms,
            broken_because=check.broken_because,
        )
