"""What needs this operator now, and how the vault stands."""

from console.application.core import Core
from console.application.node import Node
from console.application.queries.ceremonies import ceremony_view
from console.application.queries.ledger import ledger_rows
from console.application.queries.people import member_views
from console.application.queries.requests import request_row
from console.application.views import OverviewView, RequestStage, TaskView
from console.domain.key_ceremony import OVER

_RECENT = 8
_OPEN = {
    RequestStage.AWAITING_APPROVAL,
    RequestStage.APPROVED,
    RequestStage.SIGNING,
    RequestStage.SIGNED,
    RequestStage.BROADCAST,
}


async def overview_view(node: Node) -> OverviewView:
    """Return the overview."""
    core, now = node.core, node.ports.clock.now_ms()
    head = await core.store.head()
    rows = [
        request_row(r, core.aggregates, core.signing, core.me, now)
        for r in core.aggregates.requests.values()
    ]
    recent, _ = await ledger_rows(core.store, 0, _RECENT, "")
    ceremonies = core.aggregates.ceremonies.values()
    approvals = [
        TaskView(
            title=f"Approve {row.amount} {row.unit} from {row.wallet_name}",
            detail=f"Requested by {row.proposer_name}",
            screen="review",
            subject=row.request,
            due_ms=row.expires_ms,
        )
        for row in rows
        if row.needs_me
    ]
    return OverviewView(
        tasks=(*_ceremony_tasks(core, now), *approvals),
        wallets=tuple(core.wallets.view(w, head.sequence) for w in core.aggregates.wallets),
        members=member_views(core.aggregates, core.me, core.ports.network.health(), head.sequence),
        recent=recent,
        open_requests=sum(row.stage in _OPEN for row in rows),
        open_ceremonies=sum(c.state not in OVER for c in ceremonies),
        ledger_sequence=head.sequence,
        ledger_verified_to=node.check.verified_to,
    )


def _ceremony_tasks(core: Core, now_ms: int) -> tuple[TaskView, ...]:
    tasks: list[TaskView] = []
    for ceremony in core.aggregates.ceremonies.values():
        view = ceremony_view(ceremony, core.aggregates, core.host, core.me, now_ms)
        if view.can_accept:
            title = f"Accept the key ceremony {view.wallet_name}"
        elif view.can_confirm:
            title = f"Compare the code of {view.wallet_name}"
        else:
            continue
        detail = f"Proposed by {view.proposer_name}"
        tasks.append(TaskView(title, detail, "ceremonies", view.ceremony, view.expires_ms))
    return tuple(tasks)
