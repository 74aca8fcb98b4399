"""Signing requests and their approvals."""

from enum import StrEnum

import msgspec

from console.application.views.session import MemberView
from console.application.views.steps import ApprovalView, ProtocolSessionView, StepState
from console.application.views.view import View
from console.application.views.wallets import DescriptionView


class RequestStage(StrEnum):
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    SIGNING = "signing"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    REFUSED = "refused"
    """Signed, but the chain's node refuses it; it is broadcast again, and may be replaced."""
    CONFIRMED = "confirmed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


class PolicyCheckView(View, frozen=True):
    """One rule, evaluated by this node on the decoded bytes."""

    rule: str
    passed: bool
    explanation: str


class TimelineItemView(View, frozen=True, kw_only=True):
    """One line of a request's timeline, done or to come."""

    title: str
    detail: str
    state: StepState
    at_ms: int | None


class RequestView(View, frozen=True, kw_only=True):
    request: str
    wallet: str
    wallet_name: str
    threshold: int
    stage: RequestStage
    sentence: str
    description: DescriptionView
    short_code: str
    """Derived from the intent; the same on every member's screen."""
    intent_digest: str
    note: str
    proposer: str
    proposer_name: str
    proposed_at_ms: int = msgspec.field(name="proposed_at_ms")
    expires_at_ms: int = msgspec.field(name="expires_at_ms")
    approvals: tuple[ApprovalView, ...]
    approvals_done: int
    approvals_needed: int
    checks: tuple[PolicyCheckView, ...]
    timeline: tuple[TimelineItemView, ...]
    run: ProtocolSessionView | None
    past_runs: tuple[ProtocolSessionView, ...]
    transaction_id: str
    signature: str
    fee_ceiling: str
    can_approve: bool
    approve_blocked_because: str
    can_deny: bool
    can_withdraw: bool
    can_retry: bool
    can_replace: bool = False
    """Whether it was broadcast, is in no block yet, and can be replaced."""
    can_ask_now: bool = False
    """Whether its chain is still asked about it, and an operator can have it asked now."""
    may_be_signed: bool = False
    """Whether it is unsigned here, and a signature may exist all the same."""
    can_remake: bool = False
    """Whether it ended so, and can be made again with the same coins or nonce."""
    account: str = ""
    """The account that signs: the chain's name, a colon and the path."""
    is_message: bool = False
    """Whether it is a message: `transaction_id` is then its digest, and no chain has it."""
    unsigned_bytes: str = ""
    """The unsigned bytes in hexadecimal."""
    signed_bytes: str = ""
    """The signed bytes that were broadcast, or a message's signature, in hexadecimal."""
    unsigned_text: str = ""
    custodians: tuple[MemberView, ...] = ()
    """The custodians of the request's quorum, and which of them can sign now."""
    signed_text: str = ""
    """The same as other programs read it: in hexadecimal, base 64, or as plain text."""


class RequestRow(View, frozen=True, kw_only=True):
    """A row of the inbox."""

    request: str
    wallet_name: str
    amount: str
    unit: str
    to_address: str
    chain: str
    stage: RequestStage
    approvals_done: int
    approvals_needed: int
    proposer_name: str
    proposed_at_ms: int = msgspec.field(name="proposed_at_ms")
    expires_at_ms: int = msgspec.field(name="expires_at_ms")
    needs_me: bool
    short_code: str


class InboxView(View, frozen=True):
    """A page of the requests, of `total` in all; the window filters into Mine, Team and Done."""

    rows: tuple[RequestRow, ...]
    total: int
