"""Links to the members' machines: addresses, versions and certificates, and what is wrong."""

from console.application.core import Core
from console.application.peers.clocks import duration
from console.application.queries.people import names_of
from console.application.views import LinkView, TaskView
from console.domain.ids import MemberId
from console.domain.quotas import DAY_MS
from console.version import VERSION

WARN_BEFORE_MS = 90 * DAY_MS
_OWN = (
    "Restart this machine\u2019s node: it renews the certificate by itself, with the same key. "
    "If this stays, its directory cannot be written"
)


def link_views(core: Core, now_ms: int) -> tuple[LinkView, ...]:
    """Return every member's link, this node's own with what the others know of it."""
    return tuple(_link(core, member, now_ms) for member in core.aggregates.members)


def certificate_tasks(core: Core, now_ms: int) -> tuple[TaskView, ...]:
    """Return the certificates that end within 90 days, or have ended."""
    return tuple(
        TaskView(
            title=link.warning,
            detail=link.advice,
            screen="recovery",
            subject=link.member,
            due_ms=link.certificate_ends_ms,
        )
        for link in link_views(core, now_ms)
        if link.warning
    )


def _link(core: Core, member: MemberId, now_ms: int) -> LinkView:
    state, is_me = core.aggregates.members[member], member == core.me
    network, names = core.ports.network, names_of(core.aggregates)
    health = network.health().get(member)
    if is_me:
        ends_ms: int | None = network.keys.own().ends_ms
    else:
        ends_ms = health.certificate_ends_ms if health else None
    version = VERSION if is_me else core.exchange.versions.get(member, "")
    warning = _warning("This machine" if is_me else state.display_name, ends_ms, now_ms)
    untold = core.machines.link_keys.untold if is_me else ()
    return LinkView(
        member=member,
        name=state.display_name,
        is_me=is_me,
        online=is_me or (health is not None and health.online),
        address=state.address,
        address_here=state.links.set_here,
        version=version,
        version_differs=version not in {"", VERSION},
        certificate_ends_ms=ends_ms,
        warning=warning,
        advice=(_OWN if is_me else _ask(state.display_name)) if warning else "",
        new_key=state.links.coming is not None,
        untold=tuple(names[peer] for peer in untold) if state.links.coming else (),
    )


def _warning(whose: str, ends_ms: int | None, now_ms: int) -> str:
    if ends_ms is None or ends_ms - now_ms > WARN_BEFORE_MS:
        return ""
    if ends_ms <= now_ms:
        return f"{whose}\u2019s certificate has ended"
    return f"{whose}\u2019s certificate ends in {duration(ends_ms - now_ms)}"


def _ask(name: str) -> str:
    return (
        f"Ask {name} to start that machine\u2019s node, or to update it: it then renews its "
        "certificate by itself"
    )
