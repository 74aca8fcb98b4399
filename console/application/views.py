"""What a window may see: frozen, complete, free of secrets, decoded from verified facts.

Times are UTC milliseconds; `None` means "has not happened". Amounts are text with all digits
and their unit apart, already exact.
"""

from enum import StrEnum

import msgspec


class View(msgspec.Struct, frozen=True):
    """A snapshot; it never changes, a newer one replaces it."""


class VaultView(View, frozen=True):
    """The token in front of the operator, as far as it can be told."""

    kind: str
    label: str
    model: str
    serial: str
    present: bool
    unlocked: bool
    attempts_left: int | None
    retry_after_s: float
    backing: str


class MemberView(View, frozen=True):
    """A member of the roster as this node sees it. `is_me` is this node's own."""

    member: str
    name: str
    online: bool
    is_me: bool
    last_seen_ms: int | None
    ledger_sequence: int | None


class NodeState(StrEnum):
    """Where the node stands: only `READY` answers other queries."""

    LOCKED = "locked"
    OPENING = "opening"
    READY = "ready"
    HALTED = "halted"
    """The ledger or vault failed a check: read-only, `halted_because` says why."""


class SessionView(View, frozen=True):
    """Everything the sign-in screen and the frame show; available while locked."""

    state: NodeState
    member: str
    member_name: str
    network: str
    chains: tuple[str, ...]
    version: str
    vault: VaultView
    members: tuple[MemberView, ...]
    ledger_sequence: int
    ledger_verified_to: int
    last_unlocked_ms: int | None
    halted_because: str
    opening_done: int
    opening_total: int


class StepState(StrEnum):
    """The state of one step, cell or person; each has an icon, a word and a colour."""

    NOT_STARTED = "not-started"
    WAITING = "waiting"
    SENT = "sent"
    RECEIVED = "received"
    DONE = "done"
    LATE = "late"
    DENIED = "denied"
    FAILED = "failed"


class CellView(View, frozen=True):
    """One member in one round of a protocol run."""

    member: str
    round: int
    state: StepState


class ProtocolRunView(View, frozen=True):
    """A running or ended attempt at a protocol, as this node sees it.

    `rounds` names the rounds in order. `sentence` says in words what is awaited from whom.
    """

    session: str
    protocol: str
    attempt: int
    rounds: tuple[str, ...]
    round: int
    participants: tuple[str, ...]
    cells: tuple[CellView, ...]
    sentence: str
    started_ms: int
    deadline_ms: int
    ended: bool
    failure: str


class CeremonyStage(StrEnum):
    AWAITING_ACCEPTANCE = "awaiting-acceptance"
    READY = "ready"
    RUNNING = "running"
    COMPARING = "comparing"
    """Shares are sealed as pending; custodians compare the code and confirm it."""
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class CustodianView(View, frozen=True):
    """A custodian in a ceremony."""

    member: str
    name: str
    is_me: bool
    accepted: StepState
    accepted_ms: int | None
    confirmed: StepState
    confirmed_ms: int | None


class CeremonyView(View, frozen=True):
    ceremony: str
    wallet: str
    wallet_name: str
    kinds: tuple[str, ...]
    threshold: int
    approvals_needed: int
    custodians: tuple[CustodianView, ...]
    proposer: str
    proposer_name: str
    stage: CeremonyStage
    sentence: str
    proposed_ms: int
    expires_ms: int
    run: ProtocolRunView | None
    failed_runs: tuple[ProtocolRunView, ...]
    code: str
    """What every operator compares: six words and a group code, empty until shares are sealed."""
    safety: str
    """What an abort would mean now, for example "No key exists yet. You can start again."."""
    can_accept: bool
    can_confirm: bool
    can_cancel: bool


class AccountView(View, frozen=True):
    """A wallet's account on one chain. Balance texts are empty while unknown."""

    chain: str
    network: str
    path: str
    address: str
    unit: str
    decimals: int
    balance: str
    balance_base_units: int | None
    balance_as_of_ms: int | None
    balance_error: str


class HistoryItemView(View, frozen=True):
    request: str
    amount: str
    unit: str
    to_address: str
    state: str
    at_ms: int
    transaction_id: str


class WalletView(View, frozen=True):
    wallet: str
    name: str
    kinds: tuple[str, ...]
    threshold: int
    approvals_needed: int
    epoch: int
    custodians: tuple[MemberView, ...]
    accounts: tuple[AccountView, ...]
    history: tuple[HistoryItemView, ...]
    created_ms: int
    holds_share: bool


class FieldView(View, frozen=True):
    """A decoded field of a transaction: label and value, both plain text."""

    label: str
    value: str


class DescriptionView(View, frozen=True):
    """A transaction decoded from the bytes to be signed, never from a form.

    `red_flags` are dangers in words; a flag never hides a field.
    """

    chain: str
    network: str
    action: str
    amount: str
    unit: str
    from_address: str
    to_address: str
    fee: str
    fee_unit: str
    fields: tuple[FieldView, ...]
    red_flags: tuple[str, ...]
    digest: str
    """Hexadecimal SHA-256 of the bytes to be signed."""


class TransferPreview(View, frozen=True):
    """A transfer built and decoded again, not yet asked for. `problems` block it."""

    transaction: bytes
    description: DescriptionView
    fee_ceiling: str
    balance_after: str
    problems: tuple[str, ...]
    valid_for_s: int | None


class RequestStage(StrEnum):
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    SIGNING = "signing"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


class ApprovalView(View, frozen=True):
    """A member's place in the approvals of a request."""

    member: str
    name: str
    is_me: bool
    state: StepState
    at_ms: int | None
    reason: str


class PolicyCheckView(View, frozen=True):
    """One rule, evaluated by this node on the decoded bytes."""

    rule: str
    passed: bool
    explanation: str


class TimelineItemView(View, frozen=True):
    """One line of a request's story, done or still to come."""

    title: str
    detail: str
    state: StepState
    at_ms: int | None


class RequestView(View, frozen=True):
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
    proposed_ms: int
    expires_ms: int
    approvals: tuple[ApprovalView, ...]
    approvals_done: int
    approvals_needed: int
    checks: tuple[PolicyCheckView, ...]
    timeline: tuple[TimelineItemView, ...]
    run: ProtocolRunView | None
    past_runs: tuple[ProtocolRunView, ...]
    transaction_id: str
    signature: str
    fee_ceiling: str
    can_approve: bool
    approve_blocked_because: str
    can_deny: bool
    can_withdraw: bool
    can_retry: bool


class RequestRow(View, frozen=True):
    """A request in the inbox."""

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
    proposed_ms: int
    expires_ms: int
    needs_me: bool
    short_code: str


class InboxView(View, frozen=True):
    """All requests, newest first; the window filters into Mine, Team and Done."""

    rows: tuple[RequestRow, ...]


class TaskView(View, frozen=True):
    """Something that waits for this operator. `screen` and `subject` say where to go."""

    title: str
    detail: str
    screen: str
    subject: str
    due_ms: int | None


class LedgerRow(View, frozen=True):
    """One record of the ledger. `hash` and `previous_hash` are hexadecimal."""

    sequence: int
    at_ms: int
    name: str
    stream: str
    summary: str
    member: str
    hash: str
    previous_hash: str
    detail: str


class LedgerPage(View, frozen=True):
    """A page of the ledger, newest first. `total` counts what matches the filter."""

    rows: tuple[LedgerRow, ...]
    total: int
    head_sequence: int
    head_hash: str
    verified_to: int
    verified_at_ms: int | None
    broken_because: str


class OverviewView(View, frozen=True):
    tasks: tuple[TaskView, ...]
    wallets: tuple[WalletView, ...]
    members: tuple[MemberView, ...]
    recent: tuple[LedgerRow, ...]
    open_requests: int
    open_ceremonies: int
    ledger_sequence: int
    ledger_verified_to: int


class CeremoniesView(View, frozen=True):
    ceremonies: tuple[CeremonyView, ...]
    members: tuple[MemberView, ...]


class WalletsView(View, frozen=True):
    wallets: tuple[WalletView, ...]
