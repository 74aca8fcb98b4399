"""When circles of objects are freed: between two events, on the window's own thread."""

import contextlib
import gc
from collections.abc import Iterator

from PySide6.QtCore import QTimer

INTERVAL_MS = 250


@contextlib.contextmanager
def collecting_between_events() -> Iterator[None]:
    """Let Python's collector run from the event loop only, for the length of a block.

    By itself it runs wherever an object happens to be made: inside a call that Qt makes while it
    walks over its widgets, or on a thread of gRPC or asyncio. A widget or timer that is freed
    there ends the process. Needs a `QCoreApplication`; what counted references free is not
    touched by this.
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
    """Collect the oldest generation whose turn it is, by Python's own thresholds."""
    due = [
        count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)
    ]
    if any(due):
        gc.collect(max(place for place, is_due in enumerate(due) if is_due))
