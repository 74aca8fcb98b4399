"""Ceremonies as the window shows them."""

from collections.abc import Callable

from console.application.aggregates import Aggregates
from console.application.core import Core
from console.application.queries.keys import key_names
from console.application.queries.people import names_of
from console.application.queries.sessions import sessions_of
from console.application.views import (
    CeremonyStage,
    CeremonyView,
    CustodianView,
    ProtocolSessionView,
    StepState,
)
from console.domain import competing
from console.domain.events import KeyChangeProposed
from console.domain.ids import CeremonyId, MemberId
from console.domain.key_ceremony import OVER, CeremonyState, KeyCeremony
from console.domain.names import alike
from console.domain.wallet import Wallet

_STAGES = {
    CeremonyState.PROPOSED: CeremonyStage.AWAITING_ACCEPTANCE,
    CeremonyState.ACCEPTED: CeremonyStage.READY,
    CeremonyState.RUNNING: CeremonyStage.RUNNING,
    CeremonyState.SEALED: CeremonyStage.COMPARING,
    CeremonyState.CERTIFIED: CeremonyStage.COMPLETED,
    CeremonyState.DECLINED: CeremonyStage.DECLINED,
    CeremonyState.ABORTED: CeremonyStage.CANCELLED,
}
STALLED_MS = 120_000
"""After this time without a session, participants are told what they can do."""
_SAFETY = {
    CeremonyStage.COMPLETED: "The keys are certified by all custodians and in use.",
    CeremonyStage.COMPARING: (
        "Shares are sealed but not in use. Until all confirm, you can cancel and start again."
    ),
}
_NO_KEY = "No key exists yet. You can start again."
_CHANGE_SAFETY = {
    CeremonyStage.COMPLETED: "The new shares are certified and in use; the old ones are erased.",
    CeremonyStage.COMPARING: (
        "The new shares are sealed but not in use. The old ones stay valid until all confirm."
    ),
}
_SUPERSEDED = (
    "Another change of this wallet's shares was completed first. Nothing of this one is used: "
    "propose it again if it is still needed."
)
_OLD_SHARES = "The old shares stay valid. You can start again."


def ceremony_view(ceremony: KeyCeremony, core: Core, now_ms: int) -> CeremonyView:
    """Return one ceremony."""
    aggregates, host, me = core.aggregates, core.host, core.me
    proposal, names = ceremony.proposal, names_of(aggregates)
    wallet = aggregates.wallets.get(proposal.wallet)
    stage = ceremony_stage(ceremony, wallet, now_ms)
    if stage is CeremonyStage.COMPLETED and proposal.wallet not in aggregates.wallets:
        # Certified, but this member has not recorded the wallet yet: it cannot be used.
        stage = CeremonyStage.COMPARING
    run, past = sessions_of(host, proposal.ceremony, now_ms, names)
    takes_part = me in ceremony.indices
    changes = isinstance(proposal, KeyChangeProposed)
    accepted = any(event.member == me for event in ceremony.accepted)
    unfinished = ceremony.state not in OVER
    is_open = unfinished and stage is not CeremonyStage.EXPIRED
    return CeremonyView(
        ceremony=proposal.ceremony,
        purpose=ceremony.purpose.value,
        epoch=ceremony.epoch,
        repaired=proposal.repaired if isinstance(proposal, KeyChangeProposed) else "",
        leaving=_leaving(ceremony),
        wallet=proposal.wallet,
        wallet_name=proposal.wallet_name,
        kinds=tuple(kind.value for kind in proposal.kinds),
        key_names=key_names(proposal.kinds, core.ports.key_uses),
        threshold=ceremony.quorum.threshold,
        approvals_needed=proposal.approvals_needed,
        custodians=tuple(
            _custodian(ceremony, member, names, me) for member in ceremony.participants
        ),
        proposer=proposal.proposer,
        proposer_name=names.get(proposal.proposer, proposal.proposer),
        stage=stage,
        sentence=(
            _SUPERSEDED
            if unfinished and competing.is_superseded(ceremony, wallet)
            else _sentence(ceremony, stage, names, run, core.ceremony_saga.troubles.of)
            + _stalled(ceremony, stage, names, core, now_ms)
            + _alike(ceremony, core, now_ms)
        ),
        proposed_at_ms=proposal.proposed_at_ms,
        expires_at_ms=proposal.expires_at_ms,
        run=run,
        failed_runs=past,
        code=ceremony.sealed.code if ceremony.sealed else "",
        safety=(_CHANGE_SAFETY.get(stage, _OLD_SHARES) if changes else _SAFETY.get(stage, _NO_KEY)),
        can_accept=takes_part and is_open and not accepted,
        can_confirm=(
            takes_part and stage is CeremonyStage.COMPARING and not ceremony.has_confirmed(me)
        ),
        # One that is past its time is closed so, for everybody and for good.
        can_cancel=takes_part and unfinished,
    )


def _alike(ceremony: KeyCeremony, core: Core, now_ms: int) -> str:
    """Return a warning if people may take the wallet for another one, or ""."""
    if isinstance(ceremony.proposal, KeyChangeProposed) or is_over(ceremony, None, now_ms):
        return ""
    others = wallet_names(core.aggregates, now_ms, ceremony.proposal.ceremony)
    taken = alike(ceremony.proposal.wallet_name, others)
    return f" Its name can be taken for that of {taken!r}, which exists." if taken else ""


def wallet_names(
    aggregates: Aggregates, now_ms: int, but: CeremonyId | None = None
) -> tuple[str, ...]:
    """Return the names of all wallets, and of those that open ceremonies but one will make."""
    making = (
        c.proposal.wallet_name
        for c in aggregates.ceremonies.values()
        if c.proposal.ceremony != but
        and not is_over(c, aggregates.wallets.get(c.proposal.wallet), now_ms)
    )
    return (*(w.name for w in aggregates.wallets.values()), *making)


def ceremony_stage(ceremony: KeyCeremony, wallet: Wallet | None, now_ms: int) -> CeremonyStage:
    """Return the stage, with expiry judged now; `wallet` is the ceremony's, as it is here."""
    superseded = competing.is_superseded(ceremony, wallet)
    # A session under way ends by itself.
    late = (
        ceremony.state not in {*OVER, CeremonyState.RUNNING}
        and now_ms >= ceremony.proposal.expires_at_ms
    )
    if (superseded and ceremony.state not in OVER) or late:
        return CeremonyStage.EXPIRED
    return _STAGES[ceremony.state]


def is_over(ceremony: KeyCeremony, wallet: Wallet | None, now_ms: int) -> bool:
    """Return whether nobody has anything to do in a ceremony."""
    stage = ceremony_stage(ceremony, wallet, now_ms)
    return ceremony.state in OVER or stage is CeremonyStage.EXPIRED


def _leaving(ceremony: KeyCeremony) -> tuple[str, ...]:
    """Return the current custodians that hold no share afterwards."""
    if not isinstance(ceremony.proposal, KeyChangeProposed):
        return ()
    after = ceremony.quorum.custodians
    return tuple(m for m in ceremony.proposal.previous.custodians if m not in after)


def _custodian(
    ceremony: KeyCeremony, member: MemberId, names: dict[MemberId, str], me: MemberId
) -> CustodianView:
    accepted_ms = next((e.at_ms for e in ceremony.accepted if e.member == member), None)
    confirmed_ms = next((e.at_ms for e in ceremony.certifying if e.member == member), None)
    if confirmed_ms is None and ceremony.certified:
        confirmed_ms = ceremony.certified.at_ms
    declined = any(d.member == member for d in ceremony.declines)
    if declined:
        accepted = StepState.DENIED
    else:
        accepted = StepState.WAITING if accepted_ms is None else StepState.DONE
    if confirmed_ms is not None:
        confirmed = StepState.DONE
    else:
        confirmed = StepState.WAITING if ceremony.sealed else StepState.NOT_STARTED
    return CustodianView(
        member=member,
        name=names.get(member, member),
        is_me=member == me,
        accepted=accepted,
        accepted_ms=accepted_ms,
        confirmed=confirmed,
        confirmed_ms=confirmed_ms,
    )


def _stalled(
    ceremony: KeyCeremony,
    stage: CeremonyStage,
    names: dict[MemberId, str],
    core: Core,
    now_ms: int,
) -> str:
    """Return what a participant can do when the member that leads the sessions does not.

    All take part in a session, its leader too: without that member nobody else could lead it.
    """
    proposal = ceremony.proposal
    last_ms = max((e.at_ms for e in ceremony.accepted), default=proposal.proposed_at_ms)
    last_ms = max(last_ms, *(a.started_ms for a in ceremony.attempts), 0)
    idle = stage is CeremonyStage.READY and now_ms >= last_ms + STALLED_MS
    if not idle or core.me == proposal.proposer or core.me not in ceremony.indices:
        return ""
    name = names.get(proposal.proposer, proposal.proposer)
    health = core.ports.network.health()
    away = [
        names.get(m, m)
        for m in ceremony.participants
        if m != core.me and not (m in health and health[m].online)
    ]
    reach = f" {', '.join(away)} cannot be reached from here." if away else ""
    return (
        f" {name} proposed it and starts it, but nothing has begun for "
        f"{(now_ms - last_ms) // 60_000} min.{reach} If {name} cannot, cancel it; any of you may "
        "then propose another."
    )


def _ready(ceremony: KeyCeremony, trouble: str) -> str:
    """Return what keeps a ceremony from running that all have accepted."""
    failed = ceremony.attempts[-1].failure if ceremony.attempts else ""
    if any(attempt.blamed for attempt in ceremony.attempts):
        return f"Stopped: {failed}. It is not tried again: cancel it and decide with whom to go on."
    if trouble:
        return f"All accepted, but no session has begun: {trouble}. It is tried again by itself."
    return f"Starting again: {failed}." if failed else "All accepted. Starting."


def _sentence(
    ceremony: KeyCeremony,
    stage: CeremonyStage,
    names: dict[MemberId, str],
    run: ProtocolSessionView | None,
    trouble_of: Callable[[str], str],
) -> str:
    custodians = ceremony.participants

    def missing(done: set[MemberId]) -> str:
        return ", ".join(names.get(m, m) for m in custodians if m not in done)

    match stage:
        case CeremonyStage.AWAITING_ACCEPTANCE:
            done = {e.member for e in ceremony.accepted}
            return f"{len(done)} of {len(custodians)} accepted. Waiting for {missing(done)}."
        case CeremonyStage.READY:
            return _ready(ceremony, trouble_of(ceremony.proposal.ceremony))
        case CeremonyStage.RUNNING:
            return run.sentence if run else "The ceremony is running."
        case CeremonyStage.COMPARING:
            done = {e.member for e in ceremony.certifying}
            return f"{len(done)} of {len(custodians)} confirmed. Waiting for {missing(done)}."
        case CeremonyStage.COMPLETED:
            return f"Completed: {len(custodians)} members certified the keys."
        case CeremonyStage.DECLINED:
            event = ceremony.declined
            return f"{names.get(event.member, '')} declined: {event.reason}" if event else ""
        case CeremonyStage.CANCELLED:
            abort, proposer = ceremony.aborted, ceremony.proposal.proposer
            if abort is None:
                name = names.get(proposer, proposer)
                return (
                    f"{name} signed two different ceremonies under one id. Neither goes on; both "
                    "are kept in the ledger as proof."
                )
            return f"{names.get(abort.member, '')} cancelled: {abort.reason}"
        case CeremonyStage.EXPIRED:
            return "Its time is over. Close it and propose it again."
