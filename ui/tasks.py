"""TaskOwner: owns the coroutines of a screen or window and cancels them when it closes."""

import asyncio
import logging
import traceback
from collections.abc import Coroutine

log = logging.getLogger(__name__)


class TaskOwner:
    """Owns running coroutines; none outlives it and no failure is lost."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None] | None":
        """Run a coroutine until it ends or this owner closes; None if it has closed already."""
        if self._closed:
            work.close()
            return None
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def close(self) -> None:
        """Cancel all coroutines; later starts are ignored."""
        self._closed = True
        for task in tuple(self._running):
            task.cancel()

    async def finish(self) -> None:
        """Close, and wait until every coroutine has cleaned up."""
        self.close()
        await self.ended()

    async def ended(self) -> None:
        """Wait until every coroutine has ended, without cancelling any."""
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether any coroutine still runs."""
        return bool(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The type alone: messages of foreign exceptions may quote what an operator typed.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a screen's task failed: %s\n%s", type(error).__name__, where)
