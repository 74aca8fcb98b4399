"""The state of a locked node, and the command to unlock it."""

from PySide6.QtCore import Signal

from console.application.api import ChangeKind
from console.application.commands import Pin, Unlock
from console.application.views import NodeState, SessionView
from ui import wording
from ui.view_model import LoadState, ViewModel


class SignInModel(ViewModel):
    """Follows the node's session, which it reports in every state."""

    WATCHES = frozenset({ChangeKind.SESSION})
    unlocked = Signal()
    """The token took the PIN: of a locked node, or of one that stayed unlocked for others."""

    @property
    def session(self) -> SessionView | None:
        """The node's newest state."""
        return self.context.link.session

    async def load(self) -> LoadState:
        """Query the node's state."""
        await self.context.link.refresh_session()
        return LoadState.READY if self.session else LoadState.LOADING

    @property
    def opening(self) -> bool:
        """Whether the node is opening its vault and ledger."""
        session = self.session
        return self.working or (session is not None and session.state is NodeState.OPENING)

    @property
    def halted_because(self) -> str:
        """Why the node has halted, or ''."""
        session = self.session
        return session.halted_because if session and session.state is NodeState.HALTED else ""

    @property
    def token_present(self) -> bool:
        """Whether the token is present."""
        return self.session is not None and self.session.vault.present

    @property
    def token_line(self) -> str:
        """The token's state in one line."""
        if self.session is None:
            return "Looking for the token"
        vault = self.session.vault
        if not vault.present:
            return "Insert your token. Its shares cannot be used without it."
        parts = [part for part in (vault.label, vault.model, vault.serial) if part]
        return " \u00b7 ".join(parts)

    @property
    def attempts_line(self) -> str:
        """How many tries are left, if the token reports it."""
        if self.session is None or not self.session.vault.present:
            return ""
        vault = self.session.vault
        if vault.retry_after_s > 0:
            return f"Wait {wording.span(round(vault.retry_after_s * 1000))} before the next try."
        if vault.attempts_left is None:
            return "Each wrong PIN makes the next try wait longer."
        return f"{wording.count(vault.attempts_left, 'attempt')} left before the token locks."

    @property
    def blocked_because(self) -> str:
        """Why Unlock cannot be pressed, apart from the PIN."""
        if not self.context.link.reachable:
            return "The node does not answer."
        if self.session is None:
            return "Waiting for the node."
        if self.opening:
            return "Opening."
        if self.halted_because:
            return "The node is halted."
        return "" if self.token_present else "The token is missing."

    @property
    def progress(self) -> tuple[int, int]:
        """How many ledger records are verified, of how many."""
        session = self.session
        return (session.opening_done, session.opening_total) if session else (0, 0)

    @property
    def clock_in_doubt(self) -> bool:
        """Whether the ledger has records of a later time than the clock shows."""
        return self.refusal is not None and self.refusal.code == "ledger-clock"

    def unlock(self, pin: Pin, *, clock_is_right: bool = False) -> None:
        """Unlock with a PIN, which is wiped afterwards."""
        self.do(Unlock(pin, clock_is_right), lambda _outcome: self.unlocked.emit())
