"""One request, from review to broadcast, and the commands on it."""

from enum import StrEnum

from console.application.api import Change, ChangeKind, GetRequest
from console.application.commands import (
    ApproveRequest,
    DenyRequest,
    Outcome,
    Pin,
    RetrySigning,
    WithdrawRequest,
)
from console.application.views import RequestView
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel


class Missing(StrEnum):
    """What keeps Approve from arming, in the order of the page."""

    CHECKS = "Tick both confirmations first."
    PIN = "Enter your token PIN."
    TIME = "This request has expired."


class ReviewModel(ViewModel):
    """The request, decoded from the bytes to be signed."""

    WATCHES = frozenset({ChangeKind.REQUEST, ChangeKind.RUN})
    view: RequestView | None = None

    async def load(self) -> LoadState:
        """Query the request."""
        self.view = await self.ask(GetRequest(self.subject))
        return LoadState.READY

    def forget(self) -> None:
        """Drop the former request: its bytes must not show under another's name."""
        self.view = None

    def on_change(self, change: Change) -> bool:
        """Return whether a change concerns this request."""
        return change.kind in self.WATCHES and change.subject in {"", self.subject}

    @property
    def undecided(self) -> bool:
        """Whether this member can still approve or deny."""
        return self.view is not None and (self.view.can_approve or self.view.can_deny)

    @property
    def expired(self) -> bool:
        """Whether the request's time is over, even if the node has not told so yet."""
        return self.view is not None and self.context.now_ms() >= self.view.expires_at_ms

    def missing(self, *, checks: bool, pin: bool) -> str:
        """Return what keeps Approve from arming, or ''."""
        if self.view is None or not self.view.can_approve:
            reason = self.view.approve_blocked_because if self.view else ""
            return reason or "This request cannot be approved."
        if self.expired:
            return Missing.TIME
        if self.hindrance:
            return self.hindrance
        if not checks:
            return Missing.CHECKS
        return "" if pin else Missing.PIN

    def approve(self, pin: Pin) -> None:
        """Approve exactly the intent that was on screen."""
        if self.view is None:
            pin.wipe()
            return
        self.do(ApproveRequest(self.view.request, self.view.intent_digest, pin), self._tell)

    def deny(self, reason: str) -> None:
        """Close the request with a reason."""
        self.do(DenyRequest(self.subject, reason), self._tell)

    def withdraw(self) -> None:
        """Withdraw one's own request."""
        self.do(WithdrawRequest(self.subject), self._tell)

    def retry(self) -> None:
        """Start a fresh signing attempt."""
        self.do(RetrySigning(self.subject), self._tell)

    def _tell(self, outcome: Outcome) -> None:
        self.context.notify(outcome.message or "Recorded in the ledger.", Tone.OK)
