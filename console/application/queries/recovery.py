"""Shares, drills and machines for the Recovery screen."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from console.application.aggregates import Aggregates
from console.application.core import Core
from console.application.peers.machines import NOT_ELECTOR, read_entry, waiting
from console.application.peers.signed_statements import StatementRefused, verify_identity
from console.application.queries.keys import key_names
from console.application.queries.links import link_views
from console.application.queries.people import members_of, names_of, trouble_with
from console.application.queries.roster import roster_view
from console.application.views import (
    ActionView,
    ApprovalView,
    DrillView,
    MachinePreview,
    MachineView,
    RecoveryView,
    ShareState,
    ShareView,
    StepState,
    WalletSharesView,
)
from console.domain.errors import DomainError
from console.domain.events import MachineEndorsed
from console.domain.ids import MemberId
from console.domain.key_ceremony import OVER
from console.domain.roster import majority
from console.domain.short_code import short_code
from console.domain.verdicts import banned, quarantine
from console.domain.wallet import REFRESH_AFTER_MS, Wallet

MAX_DRILLS = 50


def recovery_view(core: Core, now_ms: int, own_sequence: int) -> RecoveryView:
    """Return the view of the Recovery screen."""
    aggregates = core.aggregates
    people = {*aggregates.members, *aggregates.former, *aggregates.candidates}
    machines = [
        _machine(core, member, first) for member in people for first in waiting(aggregates, member)
    ]
    wallets = sorted(aggregates.wallets.values(), key=lambda w: w.name)
    return RecoveryView(
        wallets=tuple(_wallet(core, wallet, now_ms) for wallet in wallets),
        machines=tuple(sorted(machines, key=lambda m: -m.proposed_at_ms)),
        members=members_of(core, own_sequence),
        roster=roster_view(core),
        links=link_views(core, now_ms),
    )


def machine_preview(core: Core, entry: str) -> MachinePreview:
    """Decode an entry line for the operator who is about to endorse it. Raises: Conflict."""
    machine = read_entry(entry)
    problems: tuple[str, ...] = ()
    try:
        core.machines.judge(machine)
    except DomainError as trouble:
        problems = (str(trouble),)
    return MachinePreview(
        member=machine.member,
        name=machine.name,
        address=machine.address,
        digest=machine.digest.hex(),
        short_code=machine.code,
        fingerprint=_fingerprint(machine.identity_key),
        replaces=machine.member in core.aggregates.members,
        problems=problems,
    )


def lost_shares(wallet: Wallet, aggregates: Aggregates) -> frozenset[MemberId]:
    """Return the custodians whose current machine is not the one that certified its share."""
    signed = dict(wallet.certificate)
    return frozenset(
        member
        for index, member in wallet.quorum.shares
        if member in aggregates.members
        and index in signed
        and not _signed_by(
            aggregates.members[member].identity_key, wallet.certificate_message, signed[index]
        )
    )


@lru_cache(maxsize=1024)
def _signed_by(identity_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_identity(identity_key, message, signature)
    except StatementRefused:
        return False
    return True


def _wallet(core: Core, wallet: Wallet, now_ms: int) -> WalletSharesView:
    aggregates = core.aggregates
    lost = lost_shares(wallet, aggregates) | core.exchange.lacking.of(wallet.wallet)
    frozen = quarantine(aggregates.verdicts, wallet.wallet, wallet.epoch)
    open_ceremony = next(
        (
            c.proposal.ceremony
            for c in aggregates.ceremonies.values()
            if c.proposal.wallet == wallet.wallet
            and c.epoch > wallet.epoch
            and c.state not in OVER
            and now_ms < c.proposal.expires_at_ms
        ),
        "",
    )
    custodian = core.me in wallet.quorum.custodians
    custodians, threshold = wallet.quorum.custodians, wallet.quorum.threshold
    blocked = "" if custodian else "Only a custodian of this wallet can do this"
    busy = blocked or ("Another ceremony of this wallet is open" if open_ceremony else "")
    missing = ", ".join(names_of(aggregates).get(m, m) for m in custodians if m in lost)
    waits = busy or (f"{missing} has no share yet: repair it first" if lost else "")
    alone = "With one custodian lost, fewer than the threshold remain: no repair is possible"
    return WalletSharesView(
        wallet=wallet.wallet,
        name=wallet.name,
        kinds=tuple(kind.value for kind in wallet.kinds),
        key_names=key_names(wallet.kinds, core.ports.key_uses),
        threshold=threshold,
        approvals_needed=wallet.policy.approvals_needed,
        epoch=wallet.epoch,
        epoch_began_ms=wallet.epoch_began_ms,
        refresh_due_ms=wallet.epoch_began_ms + REFRESH_AFTER_MS,
        quarantined_because=frozen.reason if frozen else "",
        shares=_shares(core, wallet, lost),
        drills=_drills(core, wallet),
        open_ceremony=open_ceremony,
        erased=_names(aggregates, (m for m in wallet.erasing if wallet.has_erased(m))),
        not_erased=_names(aggregates, (m for m in wallet.erasing if not wallet.has_erased(m))),
        repairable=tuple(sorted(custodians, key=lambda m: m not in lost)),
        refresh=_action(waits),
        repair=_action(busy or (alone if len(custodians) <= threshold else "")),
        reshare=_action(busy),
        drill=_action(blocked or (f"{missing} has no share yet: repair it first" if lost else "")),
    )


def _shares(core: Core, wallet: Wallet, lost: frozenset[MemberId]) -> tuple[ShareView, ...]:
    aggregates, health = core.aggregates, core.ports.network.health()
    shut_out = banned(aggregates.verdicts, wallet.wallet, wallet.epoch)
    proved = _proved(aggregates, wallet)
    views: list[ShareView] = []
    for member in wallet.quorum.custodians:
        state, detail = ShareState.SEALED, f"Sealed for epoch {wallet.epoch}"
        if member in lost:
            state, detail = ShareState.LOST, _why_lost(core, wallet, member)
        elif member in shut_out:
            verdict = shut_out[member]
            state = ShareState.BANNED
            detail = (
                f"Failed the check {verdict.check!r}: they do not sign together until a refresh"
            )
        elif member in proved:
            state, detail = ShareState.PROVED, "Signed in this epoch, and it verified"
        link = health.get(member)
        known = aggregates.members.get(member)
        views.append(
            ShareView(
                member=member,
                name=known.display_name if known else member,
                is_me=member == core.me,
                online=member == core.me or (link is not None and link.online),
                locked=member in core.exchange.locked,
                trouble=trouble_with(link),
                state=state,
                detail=detail,
                last_proved_ms=proved.get(member),
            )
        )
    return tuple(views)


def _why_lost(core: Core, wallet: Wallet, member: MemberId) -> str:
    if member in lost_shares(wallet, core.aggregates):
        return "Its machine was replaced and holds no share yet"
    if member != core.me:
        return "Its vault has no share that opens"
    return f"Missing: {core.exchange.lacking.own(wallet.wallet)}. {what_is_safe(wallet)}"


def what_is_safe(wallet: Wallet) -> str:
    """Return what a custodian without its share can rely on, and do."""
    threshold = wallet.quorum.threshold
    if len(wallet.quorum.custodians) > threshold:
        return f"Keys and funds are safe while {threshold} others hold theirs; repair it"
    return (
        f"Too few others hold theirs to sign, which takes {threshold}, or to repair it: restore "
        "this machine's shares from a backup, then lock and unlock"
    )


def _proved(aggregates: Aggregates, wallet: Wallet) -> dict[MemberId, int]:
    """Return when each custodian last signed in this epoch, in a drill or for a request.

    Of requests, only sessions that this member took part in count. For other signatures the
    sender names the signers, and nothing proves that.
    """
    seen = [(d.signers, d.at_ms) for d in wallet.drills if d.epoch == wallet.epoch]
    seen += [
        (attempt.signers, signed.at_ms)
        for request in aggregates.requests.values()
        if (request.proposal.wallet, request.proposal.epoch) == (wallet.wallet, wallet.epoch)
        for signed in request.signatures
        for attempt in request.attempts
        if attempt.session == signed.session and not attempt.failure
    ]
    newest: dict[MemberId, int] = {}
    for signers, at_ms in seen:
        for member in signers:
            newest[member] = max(at_ms, newest.get(member, 0))
    return newest


def _drills(core: Core, wallet: Wallet) -> tuple[DrillView, ...]:
    kinds = tuple(kind.value for kind in wallet.kinds)
    names = key_names(wallet.kinds, core.ports.key_uses)
    newest = sorted(wallet.drills, key=lambda d: -d.at_ms)[:MAX_DRILLS]
    return tuple(
        DrillView(
            at_ms=d.at_ms,
            epoch=d.epoch,
            kinds=kinds,
            key_names=names,
            signers=_names(core.aggregates, d.signers),
        )
        for d in newest
    )


def _machine(core: Core, member: MemberId, first: MachineEndorsed) -> MachineView:
    aggregates = core.aggregates
    state = aggregates.person(member)
    standing = aggregates.standing
    told = [v for v in state.endorsed if v.digest == first.digest] if state else [first]
    enrolled = member in aggregates.members
    admitted = enrolled and aggregates.members[member].identity_key == first.identity_key
    number = max(v.decided for v in told) if admitted else standing.number
    endorsed = {v.by: v for v in told if v.decided == number}
    electors = standing.admitting(member, number)
    if admitted:
        blocked = "It is admitted"
    elif core.me == member:
        blocked = "Others endorse your machine"
    elif core.me not in electors:
        blocked = NOT_ELECTOR[0].upper() + NOT_ELECTOR[1:]
    elif core.me in endorsed:
        blocked = "You have endorsed it"
    else:
        blocked = ""
    names = names_of(aggregates)
    return MachineView(
        member=member,
        name=first.display_name,
        address=first.address,
        digest=first.digest.hex(),
        short_code=short_code(first.digest),
        fingerprint=_fingerprint(first.identity_key),
        replaces=bool(state and state.former_keys) or (enrolled and not admitted),
        proposed_at_ms=min(v.at_ms for v in told),
        approvals=tuple(
            ApprovalView(
                member=m,
                name=names.get(m, m),
                is_me=m == core.me,
                state=StepState.DONE if m in endorsed else StepState.WAITING,
                at_ms=endorsed[m].at_ms if m in endorsed else None,
                reason="",
            )
            for m in names
            if m in electors
        ),
        approvals_needed=majority(len(electors)),
        admitted=admitted,
        can_approve=not blocked,
        approve_blocked_because=blocked,
    )


def _fingerprint(identity_key: bytes) -> str:
    return hashlib.sha256(identity_key).hexdigest()


def _names(aggregates: Aggregates, members: Iterable[MemberId]) -> tuple[str, ...]:
    names = names_of(aggregates)
    return tuple(names.get(member, member) for member in members)


def _action(blocked: str) -> ActionView:
    return ActionView(not blocked, blocked)
