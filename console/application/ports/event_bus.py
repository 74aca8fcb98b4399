"""EventBus: tells the rest of the node what the ledger has recorded."""

from collections.abc import Callable
from typing import Protocol

from console.application.ports.event_store import RecordedEvent

Subscriber = Callable[[RecordedEvent], None]
"""Called after the event is durable, in order, in the node's loop; it must not block."""


class EventBus(Protocol):
    """Delivers in order, at most once; a subscriber that misses an event reads the ledger."""

    def publish(self, record: RecordedEvent) -> None:
        """Call every subscriber. A subscriber's error is a bug and is raised."""
        ...

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber; the returned call removes it."""
        ...
