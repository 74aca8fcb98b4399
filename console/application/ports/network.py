"""NetworkPort: authenticated, bounded request and reply between members' nodes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from console.application.ports.link_keys import LinkKeysPort
from console.domain.ids import MemberId

MAX_MESSAGE_BYTES = 1 << 20
"""Larger messages are refused before they are read."""

PeerHandler = Callable[[MemberId, bytes], Awaitable[bytes]]
"""Handles a peer's request; the transport has proven the peer by its pinned certificate."""


class LinkTrouble(Enum):
    """Why no link to a peer comes about, where the transport knows it."""

    NONE = ""
    ENDED = "the certificate of its machine has ended"
    NOT_YET = "the certificate of its machine is not valid yet: a clock is wrong"
    OTHER_KEY = "its machine shows a TLS key that is not known here"
    OWN_ENDED = "the certificate of this machine has ended"


@dataclass(frozen=True, slots=True)
class PeerHealth:
    """What the link to a peer has shown. `latency_s` is a smoothed round trip.

    `certificate_ends_ms` is the end of the certificate that it showed last, or else of the one
    that it was admitted with; None if there is none.
    """

    online: bool
    latency_s: float
    last_seen_ms: int | None
    trouble: LinkTrouble = LinkTrouble.NONE
    certificate_ends_ms: int | None = None


class NetworkPort(Protocol):
    """Links to the roster's members. Transport trouble is never blame."""

    @property
    def keys(self) -> LinkKeysPort:
        """The TLS keys of this node's own side."""
        ...

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

    async def tell(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        """Call a peer that may know only a former TLS key of this node, with whichever it takes.

        Raises: PeerUnavailable, PeerRefused.
        """
        ...

    async def admit(
        self, member: MemberId, address: str = "", certificate: bytes = b"", coming: bytes = b""
    ) -> None:
        """Accept only this machine of a member from now on; any other of its is revoked.

        "" and b"" stand for address and certificate in the roster file. The key of the certificate
        `coming` counts too. Harmless to repeat. Raises: MachineUnusable.
        """
        ...

    async def dismiss(self, member: MemberId) -> None:
        """Accept no machine of a member from now on, and call it no more. Harmless to repeat."""
        ...

    async def close(self) -> None:
        """Stop serving and close all links."""
        ...
