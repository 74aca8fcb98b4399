"""The overview: tasks for this operator, wallets and recent events."""

from console.application.core import Core
from console.application.node import Node
from console.application.peers.clocks import duration
from console.application.queries.ceremonies import ceremony_view, is_over
from console.application.queries.ledger import ledger_rows
from console.application.queries.links import certificate_tasks
from console.application.queries.people import members_of
from console.application.queries.recovery import recovery_view, what_is_safe
from console.application.queries.requests import CLOSED, request_row, request_stage
from console.application.queries.wallets import WalletQueryService
from console.application.views import OverviewView, RequestStage, ShareState, TaskView
from console.domain.ids import MemberId, RequestId
from console.domain.key_ceremony import OVER
from console.domain.times import MAX_CLOCK_SKEW_MS
from console.domain.values import CeremonyPurpose

_RECENT = 8
_MOST_ROWS = 100
"""Open requests that are decoded for the tasks: the newest."""
_MOST_TASKS = 50
"""Of each kind: more than anybody reads at once, and all are on screens of their own."""
_WORDS = {
    CeremonyPurpose.GENERATE: "key ceremony",
    CeremonyPurpose.REFRESH: "refresh of",
    CeremonyPurpose.REPAIR: "repair of a share in",
    CeremonyPurpose.RESHARE: "reshare of",
}


async def overview_view(node: Node) -> OverviewView:
    """Return the overview."""
    core, now = node.core, node.ports.clock.now_ms()
    head = await core.store.head()
    unfinished = [
        r
        for r in core.aggregates.requests.values()
        if request_stage(r, core.aggregates.wallets.get(r.proposal.wallet), now) not in CLOSED
    ]
    rows = [
        request_row(r, core.aggregates, core.transactions, core.me, now)
        for r in unfinished[-_MOST_ROWS:]
    ]
    recent, _ = await ledger_rows(core.store, 0, _RECENT, "")
    ceremonies = core.aggregates.ceremonies.values()
    approvals = [
        TaskView(
            title=f"Approve {row.amount} {row.unit} from {row.wallet_name}",
            detail=f"Requested by {row.proposer_name}",
            screen="review",
            subject=row.request,
            due_ms=row.expires_at_ms,
        )
        for row in rows
        if row.needs_me
    ]
    refused = [
        TaskView(
            title=f"The chain's node refuses {row.amount} {row.unit} from {row.wallet_name}",
            detail="Speed it up or cancel it",
            screen="review",
            subject=row.request,
            due_ms=None,
        )
        for row in rows
        if row.stage is RequestStage.REFUSED
        and core.me in core.aggregates.request(RequestId(row.request)).policy.quorum.custodians
    ]
    return OverviewView(
        tasks=(
            *_fork_tasks(core),
            *_clock_tasks(core),
            *_share_tasks(core)[:_MOST_TASKS],
            *certificate_tasks(core, now)[:_MOST_TASKS],
            *_ceremony_tasks(core, now)[:_MOST_TASKS],
            *approvals[:_MOST_TASKS],
            *refused[:_MOST_TASKS],
            *_recovery_tasks(core, now, head.sequence)[:_MOST_TASKS],
        ),
        wallets=WalletQueryService(core).views(head.sequence),
        members=members_of(core, head.sequence),
        recent=recent,
        open_requests=len(unfinished),
        open_ceremonies=sum(c.state not in OVER for c in ceremonies),
        ledger_sequence=head.sequence,
        ledger_verified_to=node.check.verified_to,
    )


def _fork_tasks(core: Core) -> tuple[TaskView, ...]:
    """Return the members that are not trusted before their machine is replaced."""
    return tuple(
        TaskView(
            title=f"{member.display_name} signed two different ledgers",
            detail="Nothing is signed with this member until its machine is replaced",
            screen="recovery",
            subject=member.member,
            due_ms=None,
        )
        for member in core.aggregates.members.values()
        if member.forked
    )


def _share_tasks(core: Core) -> tuple[TaskView, ...]:
    """Return the wallets of which this member's own share does not open."""
    return tuple(
        TaskView(
            title=f"This member\u2019s share of {wallet.name} is missing",
            detail=f"{what_is_safe(wallet)}.",
            screen="recovery",
            subject=wallet.wallet,
            due_ms=None,
        )
        for wallet in core.aggregates.wallets.values()
        if core.exchange.lacking.own(wallet.wallet)
    )


def _clock_tasks(core: Core) -> tuple[TaskView, ...]:
    """Return the clocks that are off: this machine's, or a peer's."""
    clocks, members = core.exchange.clocks, core.aggregates.members
    peers = [m for m in members if m != core.me]
    if clocks.is_off(peers):
        off = {core.me: clocks.own_ahead_ms(peers)}
    else:
        off = {m: ms for m in peers if abs(ms := clocks.ahead_ms(m)) > MAX_CLOCK_SKEW_MS}
    return tuple(
        TaskView(
            title=f"{_whose(core, name)} clock is {duration(ms)} {'ahead' if ms > 0 else 'behind'}",
            detail="Others refuse what is dated by it: set the machine's clock",
            screen="recovery",
            subject=name,
            due_ms=None,
        )
        for name, ms in off.items()
    )


def _whose(core: Core, member: MemberId) -> str:
    return (
        "This machine\u2019s"
        if member == core.me
        else (f"{core.aggregates.members[member].display_name}\u2019s")
    )


def _recovery_tasks(core: Core, now_ms: int, own_sequence: int) -> tuple[TaskView, ...]:
    """Return machines to endorse, shares to repair, and refreshes that are due."""
    view = recovery_view(core, now_ms, own_sequence)
    tasks = [
        TaskView(
            title=f"Endorse a machine of {machine.name}",
            detail="Compare its code with its owner first",
            screen="recovery",
            subject=machine.member,
            due_ms=None,
        )
        for machine in view.machines
        if machine.can_approve
    ]
    for wallet in view.wallets:
        lost = [share.name for share in wallet.shares if share.state is ShareState.LOST]
        if lost and wallet.repair.possible:
            title, due_ms = f"Repair the share of {', '.join(lost)} in {wallet.name}", None
        elif wallet.quarantined_because and wallet.refresh.possible:
            title, due_ms = f"Refresh {wallet.name}: its keys are quarantined here", None
        elif now_ms >= wallet.refresh_due_ms and wallet.refresh.possible:
            title, due_ms = f"Refresh the shares of {wallet.name}", wallet.refresh_due_ms
        else:
            continue
        tasks.append(
            TaskView(
                title=title,
                detail=f"Epoch {wallet.epoch}",
                screen="recovery",
                subject=wallet.wallet,
                due_ms=due_ms,
            )
        )
    return tuple(tasks)


def _ceremony_tasks(core: Core, now_ms: int) -> tuple[TaskView, ...]:
    tasks: list[TaskView] = []
    for ceremony in core.aggregates.ceremonies.values():
        if is_over(ceremony, core.aggregates.wallets.get(ceremony.proposal.wallet), now_ms):
            continue
        view = ceremony_view(ceremony, core, now_ms)
        if view.can_accept:
            title = f"Accept the {_WORDS[ceremony.purpose]} {view.wallet_name}"
        elif view.can_confirm:
            title = f"Compare the code of {view.wallet_name}"
        else:
            continue
        detail = f"Proposed by {view.proposer_name}"
        tasks.append(
            TaskView(
                title=title,
                detail=detail,
                screen="ceremonies",
                subject=view.ceremony,
                due_ms=view.expires_at_ms,
            )
        )
    return tuple(tasks)
