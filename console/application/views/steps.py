"""States of steps, rounds and members that all screens share."""

from enum import StrEnum

from console.application.views.view import View


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
    """One member in one round of a protocol session."""

    member: str
    round: int
    state: StepState


class ProtocolSessionView(View, frozen=True, kw_only=True):
    """A running or ended attempt at a protocol, as this node sees it.

    `rounds` names the rounds in order; where several protocols follow each other, it names the
    protocols. `unit` is "round" or "key". `sentence` says what is awaited from whom.
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
    unit: str = "round"


class ApprovalView(View, frozen=True, kw_only=True):
    """A member's part in the approvals of a request or a machine."""

    member: str
    name: str
    is_me: bool
    state: StepState
    at_ms: int | None
    reason: str
