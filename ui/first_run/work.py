"""Work that the set-up process does for a page: one at a time, with progress, refusal and retry."""

import asyncio
from collections.abc import Callable, Coroutine

from PySide6.QtCore import QObject, Signal

from console.client.set_up.messages import Progress
from console.client.set_up.port import SetUpRefused
from ui.problem import Problem
from ui.tasks import TaskOwner

Make = Callable[[], Coroutine[object, object, None]]


class Work(QObject):
    """Runs coroutines that ask the set-up process; a refusal becomes `problem`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.problem: Problem | None = None
        self.progress: Progress | None = None
        self._tasks = TaskOwner()
        self._last: Make | None = None
        self._now: object | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether an answer is waited for."""
        return self._now is not None

    @property
    def repeatable(self) -> bool:
        """Whether `retry` would do something: what was started is kept."""
        return self._last is not None

    def start(self, make: Make, *, again: bool = True) -> None:
        """Run a coroutine; what was running is given up.

        It is kept for `retry`, unless `again` is false because it holds a PIN.
        """
        self.cancel()
        self._last, self.problem, self.progress = make if again else None, None, None
        mine = self._now = object()
        self._task = self._tasks.start(self._run(make, mine))
        self.changed.emit()

    def retry(self) -> None:
        """Run the last coroutine again."""
        if self._last is not None:
            self.start(self._last)

    def cancel(self) -> None:
        """Give up what is running; its process ends."""
        if self._now is not None:
            self._now = self.progress = None
            if self._task is not None:
                self._task.cancel()
            self.changed.emit()

    def clear(self) -> None:
        """Forget the last refusal, and how to try again."""
        self._last = None
        if self.problem is not None:
            self.problem = None
            self.changed.emit()

    def tell(self, progress: Progress) -> None:
        """Take over how far the work is."""
        self.progress = progress
        self.changed.emit()

    @property
    def ended(self) -> bool:
        """Whether no process is left, also of what was given up."""
        return not self._tasks.busy

    async def finish(self) -> None:
        """Give up what is running, and wait until its process has ended."""
        self.cancel()
        # Not cancelled again: what ends its process would be interrupted.
        await self._tasks.ended()

    async def _run(self, make: Make, mine: object) -> None:
        problem: Problem | None = None
        try:
            await make()
        except SetUpRefused as refused:
            problem = describe(refused)
        finally:
            if self._now is mine:
                self._now, self.progress, self.problem = None, None, problem
                self.changed.emit()


def describe(refused: SetUpRefused) -> Problem:
    """Return the problem that a page shows for a refusal."""
    return Problem(refused.code, refused.what, refused.safe, refused.next_step)
