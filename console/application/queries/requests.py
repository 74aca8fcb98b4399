"""Signing requests for the window, always decoded from the bytes to be signed."""

from dataclasses import dataclass

import msgspec

from console.application.aggregates import Aggregates
from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import MESSAGE_ID
from console.application.queries.descriptions import described, description_view
from console.application.queries.people import names_of
from console.application.queries.sentences import NodeFacts, Sentences, may_be_signed
from console.application.queries.sessions import sessions_of
from console.application.queries.timeline import timeline
from console.application.queries.twins import told_of_twins, twins
from console.application.sessions.host import SessionHost
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.application.views import (
    ApprovalView,
    PolicyCheckView,
    RequestRow,
    RequestStage,
    RequestView,
    StepState,
)
from console.domain.errors import DomainError, NotYetPossible
from console.domain.events import RequestProposed
from console.domain.ids import MemberId
from console.domain.policy import may_approve
from console.domain.short_code import short_code
from console.domain.signing_request import RequestState, SigningRequest
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount
from console.domain.wallet import Wallet

_STAGES = {
    RequestState.PROPOSED: RequestStage.AWAITING_APPROVAL,
    RequestState.APPROVED: RequestStage.APPROVED,
    RequestState.SIGNING: RequestStage.SIGNING,
    RequestState.SIGNED: RequestStage.SIGNED,
    RequestState.BROADCAST: RequestStage.BROADCAST,
    RequestState.REFUSED: RequestStage.REFUSED,
    RequestState.CONFIRMED: RequestStage.CONFIRMED,
    RequestState.DENIED: RequestStage.DENIED,
    RequestState.WITHDRAWN: RequestStage.WITHDRAWN,
    RequestState.FAILED: RequestStage.FAILED,
}
_CLOSED = {
    RequestStage.SIGNING: "The request is being signed",
    RequestStage.SIGNED: "The request is signed",
    RequestStage.BROADCAST: "The request is signed and broadcast",
    RequestStage.REFUSED: "The request is signed",
    RequestStage.CONFIRMED: "The request is signed and confirmed",
    RequestStage.DENIED: "The request was denied",
    RequestStage.WITHDRAWN: "The request was withdrawn",
    RequestStage.EXPIRED: "The request has expired",
    RequestStage.FAILED: "The request has failed",
}
CLOSED = frozenset(
    {
        RequestStage.CONFIRMED,
        RequestStage.DENIED,
        RequestStage.WITHDRAWN,
        RequestStage.EXPIRED,
        RequestStage.FAILED,
    }
)
"""Stages in which nobody has anything to do."""
_OUTDATED = "The wallet's shares were changed since; propose it again"
_SENT = {RequestStage.BROADCAST, RequestStage.REFUSED}
_OPEN = {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED}
"""The stages in which people decide: while signing runs, shares are given already."""
_UNDECIDED = {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED, RequestStage.SIGNING}


def request_stage(request: SigningRequest, wallet: Wallet | None, now_ms: int) -> RequestStage:
    """Return the stage, with expiry judged now; `wallet` is the request's, as it is here."""
    stage = _STAGES[request.state]
    outdated = wallet is not None and request.is_outdated(wallet.epoch)
    late = stage in _UNDECIDED and now_ms >= request.proposal.expires_at_ms
    return RequestStage.EXPIRED if late or outdated else stage


def request_row(
    request: SigningRequest,
    aggregates: Aggregates,
    transactions: Transactions,
    me: MemberId,
    now_ms: int,
) -> RequestRow:
    """Return a row of the inbox."""
    proposal, names = request.proposal, names_of(aggregates)
    description = described(transactions, proposal)
    wallet = aggregates.wallet(proposal.wallet)
    stage = request_stage(request, wallet, now_ms)
    return RequestRow(
        request=proposal.request,
        wallet_name=wallet.name,
        amount=description.amount.text(),
        unit=description.amount.unit,
        to_address=description.to_address,
        chain=proposal.chain.value,
        stage=stage,
        approvals_done=len(request.approvals),
        approvals_needed=request.policy.approvals_needed,
        proposer_name=names.get(proposal.proposer, proposal.proposer),
        proposed_at_ms=proposal.proposed_at_ms,
        expires_at_ms=proposal.expires_at_ms,
        needs_me=stage is RequestStage.AWAITING_APPROVAL and not _blocked(request, me, stage),
        short_code=short_code(proposal.intent_digest),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What a member reads its requests with, and when."""

    aggregates: Aggregates
    transactions: Transactions
    reservations: Reservations
    host: SessionHost
    me: MemberId
    now_ms: int


def request_view(request: SigningRequest, here: Here, known: NodeFacts) -> RequestView:
    """Return a request in full."""
    transactions, me, now_ms = here.transactions, here.me, here.now_ms
    proposal, names = request.proposal, names_of(here.aggregates)
    wallet = here.aggregates.wallet(proposal.wallet)
    description = described(transactions, proposal)
    stage = request_stage(request, wallet, now_ms)
    outdated = request.is_outdated(wallet.epoch)
    run, past = sessions_of(here.host, proposal.request, now_ms, names)
    blocked = _OUTDATED if outdated else _blocked(request, me, stage)
    custodian = me in request.policy.quorum.custodians
    tell = Sentences(me, transactions, here.reservations, names, now_ms)
    doubtful = may_be_signed(request, me)
    can_deny, can_withdraw = _closing(request, wallet, me, stage, now_ms)
    idle = bool(request.attempts or known.trouble) and (run is None or run.ended)
    fee = description.fee
    view = RequestView(
        request=proposal.request,
        wallet=proposal.wallet,
        wallet_name=wallet.name,
        threshold=wallet.quorum.threshold,
        stage=stage,
        sentence=tell.of(request, stage, known, outdated=outdated),
        description=description_view(description),
        short_code=short_code(proposal.intent_digest),
        intent_digest=proposal.intent_digest.hex(),
        note=proposal.note,
        proposer=proposal.proposer,
        proposer_name=names.get(proposal.proposer, proposal.proposer),
        proposed_at_ms=proposal.proposed_at_ms,
        expires_at_ms=proposal.expires_at_ms,
        approvals=_approvals(request, names, me),
        approvals_done=len(request.approvals),
        approvals_needed=request.policy.approvals_needed,
        checks=_checks(transactions, proposal, wallet),
        timeline=timeline(request, names, run, stage, outdated=outdated, doubtful=doubtful),
        run=run,
        past_runs=past,
        transaction_id=_transaction_id(request).removeprefix(MESSAGE_ID),
        signature=request.signed.signatures[0].hex() if request.signed else "",
        fee_ceiling=Amount(proposal.fee_ceiling, fee.unit, fee.decimals).text(),
        can_approve=not blocked,
        approve_blocked_because=blocked,
        can_deny=can_deny,
        can_withdraw=can_withdraw,
        can_retry=custodian and stage in {RequestStage.APPROVED, RequestStage.SIGNING} and idle,
        can_replace=custodian and stage in _SENT and _replaces(transactions, proposal),
        may_be_signed=doubtful,
    )
    view = _with_bytes(view, request, transactions, known)
    if stage in _UNDECIDED:
        second = _paid_once(request, description, here)
        return msgspec.structs.replace(view, checks=(*view.checks, *second))
    remakes = me in wallet.quorum.custodians and not known.used_up
    again = remakes and here.reservations.held_in_doubt(request)
    return msgspec.structs.replace(view, can_remake=again)


def _with_bytes(
    view: RequestView, request: SigningRequest, transactions: Transactions, known: NodeFacts
) -> RequestView:
    proposal = request.proposal
    return msgspec.structs.replace(
        view,
        can_ask_now=known.asks_chain,
        account=f"{proposal.chain.value}:{proposal.path}",
        is_message=_transaction_id(request).startswith(MESSAGE_ID),
        unsigned_bytes=proposal.transaction.hex(),
        signed_bytes=_signed_bytes(request).hex(),
        unsigned_text=_exported(transactions, proposal, proposal.transaction),
        signed_text=_exported(transactions, proposal, _signed_bytes(request)),
    )


def _closing(
    request: SigningRequest, wallet: Wallet, me: MemberId, stage: RequestStage, now_ms: int
) -> tuple[bool, bool]:
    """Return whether a member can deny a request, and whether it can withdraw it.

    What nobody signs any more is closed by whoever is or was a custodian, while it is in time.
    """
    outdated = request.is_outdated(wallet.epoch) and now_ms < request.proposal.expires_at_ms
    undecided = stage in _OPEN or outdated
    custodians = {*request.policy.quorum.custodians}
    if outdated:
        custodians |= {*wallet.quorum.custodians}
    return undecided and me in custodians, undecided and me == request.proposal.proposer


def _exported(transactions: Transactions, proposal: RequestProposed, data: bytes) -> str:
    """Write bytes as the chain's other programs read them; in hexadecimal if it is not set."""
    try:
        return transactions.chain(proposal.chain).exported(data)
    except NotYetPossible:
        return data.hex()


def _signed_bytes(request: SigningRequest) -> bytes:
    return request.signed.signed_transaction if request.signed else b""


def _transaction_id(request: SigningRequest) -> str:
    return request.signed.transaction_id if request.signed else ""


def _checks(
    transactions: Transactions, proposal: RequestProposed, wallet: Wallet
) -> tuple[PolicyCheckView, ...]:
    try:
        rules = transactions.rules(proposal, wallet)
    except (DomainError, TransactionError) as trouble:
        return (PolicyCheckView("Fully decoded", passed=False, explanation=str(trouble)),)
    return tuple(PolicyCheckView(r.rule, r.passed, r.explanation) for r in rules)


def _paid_once(
    request: SigningRequest, description: TransactionDescription, here: Here
) -> tuple[PolicyCheckView, ...]:
    """Return what fails for those who decide while the same may be paid already."""
    proposal, others = request.proposal, tuple(here.aggregates.requests.values())
    try:
        found = twins(
            proposal.wallet,
            description,
            proposal.transaction,
            others,
            here.transactions,
            here.reservations,
        )
    except (NotYetPossible, UnknownTransaction):
        return ()
    explanation = told_of_twins(found)
    return (PolicyCheckView("Paid once", passed=False, explanation=explanation),) if found else ()


def _replaces(transactions: Transactions, proposal: RequestProposed) -> bool:
    try:
        return transactions.chain(proposal.chain).can_be_replaced(proposal.transaction)
    except (NotYetPossible, UnknownTransaction):
        return False


def _blocked(request: SigningRequest, me: MemberId, stage: RequestStage) -> str:
    if any(a.member == me for a in request.approvals):
        return "You have approved this request"
    if stage not in {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED}:
        return _CLOSED.get(stage, "The request is closed")
    return may_approve(request.policy, me, request.proposal.proposer)


def _approvals(
    request: SigningRequest, names: dict[MemberId, str], me: MemberId
) -> tuple[ApprovalView, ...]:
    views: list[ApprovalView] = []
    custodians = request.policy.quorum.custodians
    later = tuple(d.member for d in request.denials if d.member not in custodians)
    for member in (*custodians, *later):
        approval = next((a for a in request.approvals if a.member == member), None)
        denied = next((d for d in request.denials if d.member == member), None)
        if may_approve(request.policy, member, request.proposal.proposer) and not denied:
            continue
        if denied:
            state, at_ms, reason = StepState.DENIED, denied.at_ms, denied.reason
        elif approval:
            state, at_ms, reason = StepState.DONE, approval.at_ms, ""
        else:
            state, at_ms, reason = StepState.WAITING, None, ""
        name = names.get(member, member)
        views.append(
            ApprovalView(
                member=member,
                name=name,
                is_me=member == me,
                state=state,
                at_ms=at_ms,
                reason=reason,
            )
        )
    return tuple(views)
