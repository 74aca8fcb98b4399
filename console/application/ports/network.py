"""NetworkPort: authenticated, bounded request and reply between members' nodes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from console.domain.ids import MemberId

MAX_MESSAGE_BYTES = 1 << 20
"""Larger messages are refused before they are read."""

PeerHandler = Callable[[MemberId, bytes], Awaitable[bytes]]
"""Handles a peer's request; the transport has proven the peer by its pinned certificate."""


class MachineUnusable(Exception):
    """Not a certificate, or not of a kind that links use; the message says which."""


@dataclass(frozen=True, slots=True)
class PeerHealth:
    """What the link to a peer has shown. `latency_s` is a smoothed round trip."""

    online: bool
    latency_s: float
    last_seen_ms: int | None


class NetworkPort(Protocol):
    """Links to the roster's members. Transport trouble is never blame."""

    async def serve(self, handler: PeerHandler) -> None:
        """Start to serve peers."""
        ...

    async def call(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        """Send and return the reply. Raises: PeerUnavailable, PeerRefused."""
        ...

    def health(self) -> Mapping[MemberId, PeerHealth]:
        """Return the state of every link to a peer."""
        ...

    def pin_of(self, member: MemberId, certificate: bytes) -> bytes:
        """Return the pin, 32 bytes, of a member's certificate (PEM). Raises: MachineUnusable."""
        ...

    async def admit(self, member: MemberId, address: str, certificate: bytes) -> None:
        """Accept only this machine of a member from now on; any other of its is revoked.

        Harmless to repeat. Raises: MachineUnusable.
        """
        ...

    async def dismiss(self, member: MemberId) -> None:
        """Accept no machine of a member from now on, and call it no more. Harmless to repeat."""
        ...

    async def close(self) -> None:
        """Stop serving and close all links."""
        ...
