"""Where a machine is reached and which TLS keys it has, as its member signs from time to time.

The newest statement counts, by its time and then its digest, so the order in which statements
arrive changes nothing. A machine that is admitted later begins with its own address and key.
"""

from dataclasses import dataclass, replace

from console.domain.errors import AlreadyDecided
from console.domain.events import AddressChanged, AddressSetHere, Event, LinkKeyChanged

LinkEvent = AddressChanged | AddressSetHere | LinkKeyChanged


@dataclass(frozen=True, slots=True)
class MachineLinks:
    """What changed since the machine was admitted.

    `set_here` is the address that this node's operator entered. `key` is the newest key that
    counts alone; `coming` is a newer one that counts beside it, or beside the machine's first.
    """

    moved: AddressChanged | None = None
    set_here: str = ""
    key: LinkKeyChanged | None = None
    coming: LinkKeyChanged | None = None

    def pins(self, first: bytes) -> frozenset[bytes]:
        """Return the pins of the keys that count, for a machine that was admitted with `first`."""
        coming = {self.coming.tls_pin} if self.coming else set()
        return frozenset({self.key.tls_pin if self.key else first} | coming)


def decide(links: MachineLinks, event: LinkEvent) -> tuple[Event, ...]:
    """Return the event if it changes anything: what is older is of no use to anybody.

    Raises: AlreadyDecided if the operator sets what is set.
    """
    match event:
        case AddressSetHere():
            if event.address == links.set_here:
                raise AlreadyDecided("this node uses that address already")
            new = True
        case AddressChanged():
            new = is_newer(event, links.moved)
        case LinkKeyChanged(alone=alone):
            # A key that comes leaves the one that counts alone as it is, and is over with it.
            new = is_newer(event, links.key) and (alone or is_newer(event, links.coming))
    return (event,) if new else ()


def evolve(links: MachineLinks, event: LinkEvent) -> MachineLinks:
    """Return the state after one event."""
    match event:
        case AddressChanged():
            return replace(links, moved=event, set_here="")
        case AddressSetHere():
            return replace(links, set_here=event.address)
        case LinkKeyChanged(alone=False):
            return replace(links, coming=event)
        case LinkKeyChanged():
            coming = links.coming
            stays = coming is not None and is_newer(coming, event)
            return replace(links, key=event, coming=coming if stays else None)


def is_newer(
    event: AddressChanged | LinkKeyChanged, known: AddressChanged | LinkKeyChanged | None
) -> bool:
    """Return whether a statement takes the place of the newest one that is known."""
    return known is None or (event.at_ms, event.digest) > (known.at_ms, known.digest)
