"""RunMark: tells, also after a crash, whether a member's node runs, was stopped, or died."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from console import file_lock

MARK_FILE = "node.run"
_RUNNING = b"running\n"
_TRIES, _BETWEEN_S = 20, 0.05


class RunState(StrEnum):
    """What the mark tells."""

    RUNS = "runs"
    STOPPED = "stopped"
    DIED = "died"
    """It ended without clearing its mark: killed, crashed, or the machine lost power."""


class RunsAlready(Exception):
    """Another process runs this member's node."""


class RunMark:
    """A locked file in the member's directory. Blocking.

    A node that serves and then ends by an error has died; before that, it refused to start.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / MARK_FILE
        self.serves = False

    def look(self) -> RunState:
        """Return whether the node runs, and else how it ended."""
        try:
            descriptor = file_lock.take(self._path) if self._path.exists() else -1
        except OSError:
            return RunState.STOPPED
        if descriptor is None:
            return RunState.RUNS
        if descriptor == -1:
            return RunState.STOPPED
        try:
            return RunState.DIED if os.read(descriptor, len(_RUNNING)) else RunState.STOPPED
        finally:
            os.close(descriptor)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Mark the node as running until the block ends. Raises: RunsAlready, OSError."""
        descriptor = self._take()
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _RUNNING)
            try:
                yield
            except BaseException:  # Whatever ended it: what never served has not died.
                if not self.serves:
                    os.ftruncate(descriptor, 0)
                raise
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _take(self) -> int:
        # Who looks holds the lock for a moment, which does not mean that a node runs.
        for tried in range(_TRIES):
            if tried:
                time.sleep(_BETWEEN_S)
            descriptor = file_lock.take(self._path)
            if descriptor is not None:
                return descriptor
        raise RunsAlready("this member's node runs already")
