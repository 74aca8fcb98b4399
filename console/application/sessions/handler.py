"""SessionHandler: what a kind of session is for, and how it is judged and run."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from console.application.peers.statements import Invitation
from console.application.sessions.protocol_session import SessionInfo, SessionPurpose, SubProtocol
from console.domain.ids import MemberId
from console.protocols.kernel.party import Party


class SessionHandler(SessionPurpose, Protocol):
    """Judges invitations to one kind of session, and opens the protocol to run."""

    name: str

    def terms(self, subject: str) -> bytes:
        """Return the digest, 32 bytes, of what this member has agreed to. Raises: DomainError."""
        ...

    async def admit(self, invitation: Invitation, coordinator: MemberId) -> None:
        """Judge an invitation by this member's own facts. Raises: DomainError.

        Asked twice: when the invitation is answered, and again when the session begins.
        """
        ...

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the participants' share indices. Raises: DomainError."""
        ...

    def parts(self, invitation: Invitation) -> tuple[SubProtocol, ...]:
        """Name the protocols and their rounds for people."""
        ...

    async def open(self, info: SessionInfo) -> Callable[[Party], Coroutine[Any, Any, Any]]:
        """Record that this member takes part and return the protocol to run."""
        ...
