"""The roster as the window shows it: who belongs to the vault, who decides, and what is open."""

from console.application.core import Core
from console.application.queries.people import names_of
from console.application.views import (
    ApprovalView,
    DecisionPreview,
    DecisionView,
    FormerMemberView,
    RosterView,
    StepState,
)
from console.domain.errors import DomainError
from console.domain.ids import MemberId
from console.domain.roster import Decision, deciding_on, signatures_needed


def roster_view(core: Core) -> RosterView:
    """Return who decides, who has left, and the decisions that wait for signatures."""
    aggregates = core.aggregates
    standing, names = aggregates.standing, names_of(aggregates)
    electors = standing.electors_at(standing.number)
    open_ = aggregates.roster.open_after(standing)
    return RosterView(
        carried=tuple(d.digest.hex() for d in standing.decisions),
        electors=tuple(m for m in names if m in electors),
        decides=core.me in electors,
        decisions=tuple(_decision(core, decision) for decision in open_),
        former=tuple(
            FormerMemberView(member=m, name=names[m], decision=standing.retired[m])
            for m in aggregates.former
        ),
    )


def decision_preview(
    core: Core, retires: tuple[str, ...], electors: tuple[str, ...]
) -> DecisionPreview:
    """Return the decision that would follow, for the operator who is about to sign it first.

    Raises: Conflict if it is none.
    """
    decision = core.decisions.drafted(
        frozenset(map(MemberId, retires)), frozenset(map(MemberId, electors))
    )
    return DecisionPreview(
        digest=decision.digest.hex(),
        short_code=decision.code,
        signatures_needed=signatures_needed(core.aggregates.standing, decision),
        problems=_problems(core, decision),
    )


def _problems(core: Core, decision: Decision) -> tuple[str, ...]:
    try:
        core.decisions.judge(decision)
    except DomainError as trouble:
        return (str(trouble),)
    return ()


def _decision(core: Core, decision: Decision) -> DecisionView:
    aggregates = core.aggregates
    names = names_of(aggregates)
    signed = aggregates.roster.signatures(decision)
    deciding = deciding_on(aggregates.standing, decision)
    blocked = (
        "You have signed it" if core.me in signed else next(iter(_problems(core, decision)), "")
    )
    return DecisionView(
        digest=decision.digest.hex(),
        short_code=decision.code,
        retires=decision.retires,
        electors=decision.electors,
        proposed_at_ms=min(s.at_ms for s in signed.values()),
        approvals=tuple(
            ApprovalView(
                member=m,
                name=names[m],
                is_me=m == core.me,
                state=StepState.DONE if m in signed else StepState.WAITING,
                at_ms=signed[m].at_ms if m in signed else None,
                reason="",
            )
            for m in names
            if m in deciding
        ),
        signatures_needed=signatures_needed(aggregates.standing, decision),
        can_sign=not blocked,
        blocked_because=blocked,
    )
