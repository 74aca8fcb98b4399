"""LinkKeysPort: the TLS keys of this node's own links."""

from dataclasses import dataclass
from typing import Protocol

from console.domain.times import END_OF_TIME_MS


class MachineUnusable(Exception):
    """A certificate or key that links cannot use; the message says why."""


@dataclass(frozen=True, slots=True)
class OwnLink:
    """The key that this node's links show: its pin, and the end of its certificate in UTC ms.

    `former` says whether a key from before is kept for members that do not know the new one.
    """

    tls_pin: bytes
    ends_ms: int
    former: bool


class LinkKeysPort(Protocol):
    """Keeps and changes the keys; certificates of one key are renewed without being asked for."""

    def own(self) -> OwnLink:
        """Return what is shown now."""
        ...

    async def coming(self) -> bytes:
        """Generate the key that comes next, or find it again; return a certificate of it (PEM).

        Raises: MachineUnusable if it cannot be kept.
        """
        ...

    async def holds(self, pin: bytes) -> bool:
        """Return whether the key of this pin is here."""
        ...

    async def go_over(self, pin: bytes) -> None:
        """Show the key of this pin from now on, and keep the one before. Harmless to repeat.

        Raises: MachineUnusable if this node does not have it.
        """
        ...

    async def forget_former(self) -> None:
        """Destroy the keys from before the one that is shown."""
        ...


class FixedLinkKey:
    """A key that this node does not keep itself, and so cannot change."""

    def own(self) -> OwnLink:
        """Return that nothing ends."""
        return OwnLink(b"", END_OF_TIME_MS, former=False)

    async def coming(self) -> bytes:
        """Raises: MachineUnusable."""
        raise MachineUnusable("this node cannot change its TLS key")

    async def holds(self, _pin: bytes) -> bool:
        """Return that no other key is here."""
        return False

    async def go_over(self, _pin: bytes) -> None:
        """Raises: MachineUnusable."""
        raise MachineUnusable("this node cannot change its TLS key")

    async def forget_former(self) -> None:
        """Do nothing: there is none."""
