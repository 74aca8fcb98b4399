"""Signing requests for the window, always decoded from the bytes to be signed."""

import hashlib

from console.application.aggregates import Aggregates
from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import MESSAGE_ID
from console.application.queries.people import names_of
from console.application.queries.sessions import sessions_of
from console.application.queries.timeline import timeline
from console.application.sessions.host import SessionHost
from console.application.signing.transactions import Transactions
from console.application.views import (
    ApprovalView,
    DescriptionView,
    FieldView,
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
STALLED_MS = 120_000
"""After this time without a session it is said who begins one."""
_SENT = {RequestStage.BROADCAST, RequestStage.REFUSED}
_OPEN = {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED}
"""The stages in which people decide: while signing runs, shares are given already."""
_UNDECIDED = {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED, RequestStage.SIGNING}


def description_view(description: TransactionDescription) -> DescriptionView:
    """Return a decoded transaction as text."""
    return DescriptionView(
        chain=description.chain.value,
        network=description.network.value,
        action=description.action,
        amount=description.amount.text(),
        unit=description.amount.unit,
        from_address=description.from_address,
        to_address=description.to_address,
        fee=description.fee.text(),
        fee_unit=description.fee.unit,
        fields=tuple(FieldView(label, value) for label, value in description.fields),
        red_flags=description.red_flags,
        digest=description.digest.hex(),
    )


def described(transactions: Transactions, proposal: RequestProposed) -> TransactionDescription:
    """Return a request's description; if this node's settings no longer decode it, a red flag."""
    try:
        return transactions.describe(proposal)
    except (DomainError, TransactionError) as trouble:
        return TransactionDescription(
            chain=proposal.chain,
            network=proposal.network,
            action="Not decoded",
            from_address="",
            to_address="",
            amount=Amount(0, "not decoded", 0),
            fee=Amount(proposal.fee_ceiling, "base units", 0),
            fields=(),
            red_flags=(f"The bytes cannot be decoded here: {trouble}",),
            digest=hashlib.sha256(proposal.transaction).digest(),
        )


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


def request_view(
    request: SigningRequest,
    aggregates: Aggregates,
    transactions: Transactions,
    host: SessionHost,
    me: MemberId,
    now_ms: int,
    trouble: str = "",
) -> RequestView:
    """Return a request in full; `trouble` is why this node could not begin to sign it."""
    proposal, names = request.proposal, names_of(aggregates)
    wallet = aggregates.wallet(proposal.wallet)
    description = described(transactions, proposal)
    stage = request_stage(request, wallet, now_ms)
    outdated = request.is_outdated(wallet.epoch)
    run, past = sessions_of(host, proposal.request, now_ms, names)
    blocked = _OUTDATED if outdated else _blocked(request, me, stage)
    custodian = me in request.policy.quorum.custodians
    told = _outdated(request) if outdated else _sentence(request, stage, names, now_ms, trouble)
    can_deny, can_withdraw = _closing(request, wallet, me, stage, now_ms)
    idle = bool(request.attempts or trouble) and (run is None or run.ended)
    fee = description.fee
    return RequestView(
        request=proposal.request,
        wallet=proposal.wallet,
        wallet_name=wallet.name,
        threshold=wallet.quorum.threshold,
        stage=stage,
        sentence=told,
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
        timeline=timeline(request, names, run, stage, outdated=outdated),
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


def _outdated(request: SigningRequest) -> str:
    """Return what becomes of a request whose wallet has other shares by now."""
    told = "The wallet's shares were changed before it was signed, so nobody signs it any more."
    if request.has_released:
        return (
            f"{told} This member gave its share of a signature before, and whether the others did "
            "is not known here: its coins or nonce stay held until its time is over."
        )
    return f"{told} It holds no coins and no nonce: deny or withdraw it, and propose it again."


def _waiting_to_sign(
    request: SigningRequest, names: dict[MemberId, str], now_ms: int, trouble: str
) -> str:
    """Return what keeps an approved request from being signed."""
    failed = request.attempts[-1].failure if request.attempts else ""
    if trouble:
        return f"Approved. Signing has not begun: {trouble}. It is tried again by itself."
    if failed:
        return f"Approved. Trying again: {failed}."
    approved_ms = max((a.at_ms for a in request.approvals), default=0)
    if now_ms < approved_ms + STALLED_MS:
        return "Approved. Signing starts."
    name = names.get(request.proposal.proposer, request.proposal.proposer)
    return (
        f"Approved {(now_ms - approved_ms) // 60_000} min ago, and no signing is known here yet: "
        f"{name}'s node begins it, and the other custodians' nodes after it."
    )


def _sentence(
    request: SigningRequest,
    stage: RequestStage,
    names: dict[MemberId, str],
    now_ms: int,
    trouble: str,
) -> str:
    match stage:
        case RequestStage.AWAITING_APPROVAL:
            left = request.policy.approvals_needed - len(request.approvals)
            done = {a.member for a in request.approvals}
            able = [
                names.get(m, m)
                for m in request.policy.quorum.custodians
                if m not in done and not may_approve(request.policy, m, request.proposal.proposer)
            ]
            needed = (
                "1 more approval is needed" if left == 1 else f"{left} more approvals are needed"
            )
            joint = " or " if left < len(able) else " and "
            return f"{needed}, from {joint.join(able)}."
        case RequestStage.APPROVED:
            return _waiting_to_sign(request, names, now_ms, trouble)
        case RequestStage.SIGNING:
            return "The custodians' nodes are signing."
        case RequestStage.SIGNED:
            return "Signed and recorded. Waiting to be broadcast."
        case RequestStage.BROADCAST:
            return "Broadcast. Waiting for the chain to confirm."
        case RequestStage.REFUSED:
            why = request.refused.reason if request.refused else ""
            return (
                f"Signed, but the chain's node refuses it: {why}. The funds have not moved. It is "
                "broadcast again, and the signature stays valid: speed it up or cancel it. A "
                "second request for the same could pay twice."
            )
        case RequestStage.CONFIRMED:
            if _transaction_id(request).startswith(MESSAGE_ID):
                return "Signed. A message is not broadcast."
            block = request.confirmed.block if request.confirmed else 0
            return f"Confirmed in block {block}."
        case RequestStage.DENIED:
            denial, proposer = request.denial, request.proposal.proposer
            if denial is None:
                name = names.get(proposer, proposer)
                return (
                    f"{name} signed two different requests under one id. Nothing was signed for "
                    "either; both are kept in the ledger as proof."
                )
            return f"{names.get(denial.member, '')} denied: {denial.reason}"
        case RequestStage.WITHDRAWN:
            return "Withdrawn by its proposer. Nothing was signed."
        case RequestStage.EXPIRED:
            return "Expired before it was signed. Nothing was signed: propose it again."
        case RequestStage.FAILED:
            return f"Failed: {request.failed.reason if request.failed else ''}"
