"""Garbage collection between two events, on the window's own thread."""

import contextlib
import gc
from collections.abc import Iterator

from PySide6.QtCore import QTimer

INTERVAL_MS = 250


@contextlib.contextmanager
def collecting_between_events() -> Iterator[None]:
    """Let Python's cyclic collector run from the event loop only, within a block.

    By default it runs wherever an object is created: inside a call that Qt makes while it walks
    over its widgets, or on a thread of gRPC or asyncio. A widget or timer that is freed there
    crashes the process. Needs a `QCoreApplication`. Freeing by reference counts is not affected.
    """
    timer = QTimer(interval=INTERVAL_MS)
    timer.timeout.connect(collect)
    enabled = gc.isenabled()
    gc.disable()
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        if enabled:
            gc.enable()


def collect() -> None:
    """Collect the oldest generation that is due by Python's own thresholds."""
    due = [
        count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)
    ]
    if any(due):
        gc.collect(max(place for place, is_due in enumerate(due) if is_due))
