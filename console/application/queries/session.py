"""The node's state for the sign-in screen and the frame."""

from console.application.node import Node
from console.application.queries.people import member_views
from console.application.views import MemberView, NodeState, SessionView, VaultView


async def session_view(node: Node) -> SessionView:
    """Return the node's state; works while locked and while halted."""
    status = await node.ports.vault.status()
    ready = node.state is NodeState.READY
    sequence = (await node.core.store.head()).sequence if ready else 0
    health = node.ports.network.health()
    members: tuple[MemberView, ...]
    if ready:
        members = member_views(node.core.aggregates, node.me, health, sequence)
    else:
        members = tuple(
            MemberView(
                member=m.member,
                name=m.display_name,
                online=m.member == node.me,
                is_me=m.member == node.me,
                last_seen_ms=None,
                ledger_sequence=None,
            )
            for m in node.roster
        )
    me = node.core.aggregates.members.get(node.me) if ready else None
    unlocked_ms = me.last_unlocked_ms if me else None
    networks = sorted({adapter.network.value for adapter in node.ports.chains.values()})
    return SessionView(
        state=node.state,
        member=node.me,
        member_name=node.name,
        network=" and ".join(networks),
        chains=tuple(chain.value for chain in node.ports.chains),
        version=node.version,
        vault=VaultView(
            kind=status.kind,
            label=status.label,
            model=status.model,
            serial=status.serial,
            present=status.present,
            unlocked=status.unlocked,
            attempts_left=status.attempts_left,
            retry_after_s=status.retry_after_s,
            backing=status.backing,
        ),
        members=members,
        ledger_sequence=sequence,
        ledger_verified_to=node.check.verified_to if ready else 0,
        last_unlocked_ms=unlocked_ms,
        halted_because=node.halted_because,
        opening_done=node.opening[0],
        opening_total=node.opening[1],
        followers=node.followers,
    )
