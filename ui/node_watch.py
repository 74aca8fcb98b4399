"""NodeWatch: watches the process of the shown member's node, and starts it again if it dies."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from console.client import NodeLook, ProcessState

log = logging.getLogger(__name__)

LOOK_S = 1.0
RESTARTS, WITHIN_S = 3, 600.0
"""A node that dies is started again by itself, but not more often than this."""


class Startable(Protocol):
    """What `OwnNode` does, and blocks meanwhile."""

    def look(self) -> NodeLook: ...

    def start(self) -> None: ...


class NodeWatch(QObject):
    """`look` is the newest look at the process, None until there is one."""

    changed = Signal()

    def __init__(
        self,
        node: Startable | None,
        now_s: Callable[[], float] = time.monotonic,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        super().__init__()
        self.look: NodeLook | None = None
        self.gave_up = False
        """Whether it died so often that it is not started again by itself."""
        self._node = node
        self._now_s, self._look_s = now_s, look_s
        self._restarts: deque[float] = deque(maxlen=RESTARTS)
        self._wanted = asyncio.Event()

    def start(self) -> None:
        """Start the node now: the operator asks for it."""
        self._restarts.clear()
        self._wanted.set()

    @property
    def can_start(self) -> bool:
        """Whether starting it would do something."""
        ended = {ProcessState.STOPPED, ProcessState.DIED, ProcessState.REFUSES}
        return self.look is not None and self.look.state in ended

    async def run(self) -> None:
        """Watch until cancelled."""
        if self._node is None:
            return
        while True:
            look = await asyncio.to_thread(self._node.look)
            gave_up = self._died_too_often(look)
            if self._wanted.is_set() or self._restarts_it(look, gave_up=gave_up):
                self._wanted.clear()
                try:
                    await asyncio.to_thread(self._node.start)
                except OSError as error:
                    look = NodeLook(ProcessState.REFUSES, error.strerror or "")
                else:
                    look = await asyncio.to_thread(self._node.look)
            self._set(look, gave_up=gave_up)
            try:
                async with asyncio.timeout(self._look_s):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _died_too_often(self, look: NodeLook) -> bool:
        if look.state is not ProcessState.DIED or len(self._restarts) < RESTARTS:
            return False
        return self._now_s() - self._restarts[0] < WITHIN_S

    def _restarts_it(self, look: NodeLook, *, gave_up: bool) -> bool:
        # The system's service restarts what it runs.
        if look.state is not ProcessState.DIED or look.service or gave_up:
            return False
        log.warning("the node ended without being told to; it is started again")
        self._restarts.append(self._now_s())
        return True

    def _set(self, look: NodeLook, *, gave_up: bool) -> None:
        if (look, gave_up) != (self.look, self.gave_up):
            self.look, self.gave_up = look, gave_up
            self.changed.emit()
