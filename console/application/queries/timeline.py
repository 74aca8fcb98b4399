"""A request's timeline, from its proposal to its confirmation, with the steps to come."""

from console.application.ports.chain import MESSAGE_ID
from console.application.views import (
    ProtocolSessionView,
    RequestStage,
    StepState,
    TimelineItemView,
)
from console.domain.ids import MemberId
from console.domain.request_chain import REPLACED
from console.domain.signing_request import SigningRequest

_ENDS = {
    RequestStage.DENIED: "Denied",
    RequestStage.WITHDRAWN: "Withdrawn",
    RequestStage.EXPIRED: "Expired",
}


def timeline(
    request: SigningRequest,
    names: dict[MemberId, str],
    run: ProtocolSessionView | None,
    stage: RequestStage,
    *,
    outdated: bool = False,
    doubtful: bool = False,
) -> tuple[TimelineItemView, ...]:
    """Return the lines in order.

    `outdated`: the wallet's shares were changed before. `doubtful`: a signature may exist.
    """
    items = [*_people(request, names), *_attempts(request, names, run)]
    if stage in _ENDS or stage is RequestStage.FAILED:
        items.append(
            TimelineItemView(
                title=_stop_title(request, stage, outdated=outdated, doubtful=doubtful),
                detail="",
                state=StepState.FAILED,
                at_ms=None,
            )
        )
        return tuple(items)
    signed, sent, final = request.signed, request.broadcast, request.confirmed
    refused = None if final else request.refused
    told = refused or sent
    items.append(
        TimelineItemView(
            title="Signature verified and recorded",
            detail=f"by {', '.join(names.get(m, m) for m in signed.signers)}" if signed else "",
            state=StepState.DONE if signed else StepState.NOT_STARTED,
            at_ms=signed.at_ms if signed else None,
        )
    )
    if signed is not None and signed.transaction_id.startswith(MESSAGE_ID):
        # A message is not broadcast.
        return tuple(items)
    waiting = StepState.WAITING if signed else StepState.NOT_STARTED
    items.extend(
        (
            TimelineItemView(
                title="Broadcast",
                detail=refused.reason if refused else "" if sent else "not started",
                state=StepState.LATE if refused else StepState.DONE if sent else waiting,
                at_ms=told.at_ms if told else None,
            ),
            TimelineItemView(
                title="Confirmed by the chain",
                detail=f"block {final.block}" if final else "",
                state=StepState.DONE
                if final
                else (StepState.WAITING if sent else StepState.NOT_STARTED),
                at_ms=final.at_ms if final else None,
            ),
        )
    )
    return tuple(items)


def _people(request: SigningRequest, names: dict[MemberId, str]) -> list[TimelineItemView]:
    proposal = request.proposal
    items = [
        TimelineItemView(
            title="Request created",
            detail=names.get(proposal.proposer, proposal.proposer),
            state=StepState.DONE,
            at_ms=proposal.proposed_at_ms,
        )
    ]
    items.extend(
        TimelineItemView(
            title="Approved",
            detail=names.get(a.member, a.member),
            state=StepState.DONE,
            at_ms=a.at_ms,
        )
        for a in request.approvals
    )
    left = request.policy.approvals_needed - len(request.approvals)
    if left > 0:
        state = StepState.WAITING
        items.append(
            TimelineItemView(title="Approvals", detail=f"{left} to go", state=state, at_ms=None)
        )
    return items


def _attempts(
    request: SigningRequest, names: dict[MemberId, str], run: ProtocolSessionView | None
) -> list[TimelineItemView]:
    items: list[TimelineItemView] = []
    for number, attempt in enumerate(request.attempts, start=1):
        signers = ", ".join(names.get(m, m) for m in attempt.signers)
        title = f"Attempt {number}: {signers}"
        if attempt.failure:
            failed = StepState.FAILED if attempt.blamed else StepState.LATE
            items.append(
                TimelineItemView(
                    title=title, detail=attempt.failure, state=failed, at_ms=attempt.started_ms
                )
            )
        elif request.signed:
            items.append(
                TimelineItemView(
                    title=title, detail="complete", state=StepState.DONE, at_ms=attempt.started_ms
                )
            )
        else:
            detail = f"round {run.round} of {len(run.rounds)}" if run else ""
            items.append(
                TimelineItemView(
                    title=title, detail=detail, state=StepState.WAITING, at_ms=attempt.started_ms
                )
            )
    if not items and not request.signed:
        items.append(
            TimelineItemView(
                title="Signing", detail="not started", state=StepState.NOT_STARTED, at_ms=None
            )
        )
    return items


def _stop_title(
    request: SigningRequest, stage: RequestStage, *, outdated: bool, doubtful: bool
) -> str:
    if stage is RequestStage.FAILED:
        if request.failed is not None and request.failed.reason.startswith(REPLACED):
            return "The chain confirmed another request in its place"
        return "Failed: the funds did not move"
    signed = "a signature may exist" if doubtful else "nothing was signed"
    if outdated:
        return f"The wallet's shares were changed: {signed}"
    return f"{_ENDS[stage]}: {signed}"
