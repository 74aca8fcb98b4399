"""Members as the window shows them."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from console.application.aggregates import Aggregates
from console.application.core import Core
from console.application.ports.network import LinkTrouble, PeerHealth
from console.application.views import MemberView
from console.domain.ids import MemberId, WalletId

_TROUBLES = {
    LinkTrouble.NONE: "",
    LinkTrouble.ENDED: "Certificate ended",
    LinkTrouble.NOT_YET: "Certificate not yet valid",
    LinkTrouble.OTHER_KEY: "Unknown TLS key",
    LinkTrouble.OWN_ENDED: "Own certificate ended",
}


def trouble_with(link: PeerHealth | None) -> str:
    """Return in two or three words why a peer is not reached, or "" if that is not known."""
    return _TROUBLES[link.trouble] if link else ""


def names_of(aggregates: Aggregates) -> dict[MemberId, str]:
    """Return the display name of every member, and of who has left."""
    return {m.member: m.display_name for m in aggregates.everybody()}


def members_of(core: Core, own_sequence: int) -> tuple[MemberView, ...]:
    """Return the roster as an unlocked node sees it now."""
    health, locked = core.ports.network.health(), core.exchange.locked
    return member_views(core.aggregates, core.me, health, own_sequence, locked)


def custodians_of(
    core: Core, wallet: WalletId, custodians: Iterable[MemberId], own_sequence: int
) -> tuple[MemberView, ...]:
    """Return a wallet's custodians: who has left the vault, and whose share is missing, too."""
    people = {view.member: view for view in members_of(core, own_sequence)}
    lacking, former = core.exchange.lacking.of(wallet), core.aggregates.former
    views: list[MemberView] = []
    for member in custodians:
        if member in people:
            views.append(replace(people[member], lacks_share=member in lacking))
        elif member in former:
            views.append(
                MemberView(
                    member=member,
                    name=former[member].display_name,
                    online=False,
                    is_me=member == core.me,
                    last_seen_ms=None,
                    ledger_sequence=None,
                    trouble="Left the vault",
                )
            )
    return tuple(views)


def member_views(
    aggregates: Aggregates,
    me: MemberId,
    health: Mapping[MemberId, PeerHealth],
    own_sequence: int,
    locked: frozenset[MemberId] = frozenset(),
) -> tuple[MemberView, ...]:
    """Return the roster in order; this member's own node always counts as online and unlocked."""
    views: list[MemberView] = []
    for member, state in aggregates.members.items():
        link = health.get(member)
        views.append(
            MemberView(
                member=member,
                name=state.display_name,
                online=member == me or (link is not None and link.online),
                locked=member in locked,
                is_me=member == me,
                last_seen_ms=link.last_seen_ms if link else None,
                trouble=trouble_with(link),
                ledger_sequence=own_sequence if member == me else state.head_sequence or None,
            )
        )
    return tuple(views)
