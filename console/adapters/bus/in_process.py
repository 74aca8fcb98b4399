"""An EventBus within one process: a list of subscribers, called in order."""

from collections.abc import Callable

from console.application.ports.event_bus import Subscriber
from console.application.ports.event_store import RecordedEvent


class InProcessBus:
    """Calls each subscriber immediately; no event is queued, so none is lost."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def publish(self, record: RecordedEvent) -> None:
        """Call every subscriber, in the order of subscription."""
        for subscriber in tuple(self._subscribers):
            subscriber(record)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber; the returned call removes it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)
