"""Worker: the one thread of a token, whose calls have a time limit.

A call to a module cannot be interrupted, and a second thread may not enter it meanwhile. So a call
that takes too long is given up: its caller and all who wait get an error at once, and so does
everybody who comes while it is still out. When it comes back, what it returns is dropped, the token
is recovered, and calls are taken again.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

_T = TypeVar("_T")


class CallStuck(Exception):
    """A call did not come back in time; `step` is what it was for."""

    def __init__(self, step: str, limit_s: float) -> None:
        super().__init__(step)
        self.step = step
        self.limit_s = limit_s


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    step: str
    operation: Callable[[], Any]
    limit_s: float
    future: Future[Any] = field(default_factory=Future)
    started_s: float = 0.0


class Worker:
    """Runs operations one after the other, in the order of their calls."""

    def __init__(self, recover: Callable[[], None]) -> None:
        self._recover = recover
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._current: _Job | None = None
        self._stuck: CallStuck | None = None
        # A daemon: a call that never returns must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="hsm", daemon=True)
        self._thread.start()

    @property
    def stuck(self) -> CallStuck | None:
        """The call that was given up and is still out, if there is one."""
        return self._stuck

    async def call(self, step: str, operation: Callable[[], _T], limit_s: float) -> _T:
        """Run `operation`; its time counts from its start. Raises: CallStuck, what it raises."""
        job = self._put(step, operation, limit_s)
        result: asyncio.Future[_T] = asyncio.wrap_future(job.future)
        try:
            while not (await asyncio.wait({result}, timeout=self._left_s(limit_s)))[0]:
                self._give_up_if_late()
        except asyncio.CancelledError:
            result.cancel()
            raise
        return result.result()

    def post(self, step: str, operation: Callable[[], object], limit_s: float) -> None:
        """Run `operation` when its turn comes; nobody waits for it, and it may not raise."""
        with suppress(CallStuck):
            self._put(step, operation, limit_s)

    def end(self) -> None:
        """End the thread after what is queued."""
        self._jobs.put(None)

    def give_up_if_late(self) -> None:
        """Give up the running call if its time is over, for those who do not wait for one."""
        self._give_up_if_late()

    def _put(self, step: str, operation: Callable[[], object], limit_s: float) -> _Job:
        with self._lock:
            if self._stuck is not None:
                raise CallStuck(self._stuck.step, self._stuck.limit_s)
            job = _Job(step=step, operation=operation, limit_s=limit_s)
            self._jobs.put(job)
        return job

    def _left_s(self, limit_s: float) -> float:
        with self._lock:
            job = self._current
            if job is None:
                return limit_s
            return max(0.0, job.started_s + job.limit_s - time.monotonic()) + 0.001

    def _give_up_if_late(self) -> None:
        given_up = []
        with self._lock:
            job = self._current
            if job is None or self._stuck is not None:
                return
            if time.monotonic() < job.started_s + job.limit_s:
                return
            self._stuck = CallStuck(job.step, job.limit_s)
            given_up.append(job)
            while not self._jobs.empty():
                waiting = self._jobs.get()
                if waiting is None:
                    self._jobs.put(None)
                    break
                given_up.append(waiting)
        for late in given_up:
            with suppress(InvalidStateError):
                late.future.set_exception(CallStuck(job.step, job.limit_s))

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.future.set_running_or_notify_cancel():
                self._work(job)

    def _work(self, job: _Job) -> None:
        with self._lock:
            job.started_s = time.monotonic()
            self._current = job
        failure: BaseException | None = None
        result: object = None
        try:
            result = job.operation()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, as a pool does.
            failure = error
        with self._lock:
            self._current = None
            late = self._stuck is not None
        if late:
            with suppress(Exception):  # Told by the next call that fails.
                self._recover()
            self._stuck = None
            return
        with suppress(InvalidStateError):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)
