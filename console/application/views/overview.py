"""The operator's tasks, and the audit ledger."""

from console.application.views.session import MemberView
from console.application.views.view import View
from console.application.views.wallets import WalletView


class TaskView(View, frozen=True, kw_only=True):
    """A task of this operator. `screen` and `subject` name where it is done."""

    title: str
    detail: str
    screen: str
    subject: str
    due_ms: int | None


class LedgerRow(View, frozen=True, kw_only=True):
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


class LedgerPage(View, frozen=True, kw_only=True):
    """A page of the ledger, newest first. `total` counts what matches the filter."""

    rows: tuple[LedgerRow, ...]
    total: int
    head_sequence: int
    head_hash: str
    verified_to: int
    verified_at_ms: int | None
    broken_because: str


class OverviewView(View, frozen=True, kw_only=True):
    tasks: tuple[TaskView, ...]
    wallets: tuple[WalletView, ...]
    members: tuple[MemberView, ...]
    recent: tuple[LedgerRow, ...]
    open_requests: int
    open_ceremonies: int
    ledger_sequence: int
    ledger_verified_to: int
