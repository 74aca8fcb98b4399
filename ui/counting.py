"""Counts what waits for the operator, for the sidebar, at most 5 times a second."""

from collections.abc import Callable, Coroutine

from PySide6.QtCore import QObject, QTimer, Signal

from console.application.api import (
    Change,
    ChangeKind,
    CommandRefused,
    GetCeremonies,
    GetInbox,
    NodeUnreachable,
)
from ui.link import NodeLink

_COALESCE_MS = 200
_COUNTED = {ChangeKind.REQUEST, ChangeKind.CEREMONY, ChangeKind.SESSION, ChangeKind.RUN}


class Counting(QObject):
    """Asks the node of `link` in a task of `start`; `counted` carries approvals and ceremonies."""

    counted = Signal(int, int)

    def __init__(
        self,
        parent: QObject,
        link: Callable[[], NodeLink],
        start: Callable[[Coroutine[object, object, None]], None],
    ) -> None:
        super().__init__(parent)
        self._link, self._start = link, start
        self._timer = QTimer(self, interval=_COALESCE_MS, singleShot=True)
        self._timer.timeout.connect(self.now)

    def moved(self, change: Change) -> None:
        """Count soon, if a change concerns what waits."""
        if change.kind in _COUNTED and not self._timer.isActive():
            self._timer.start()

    def now(self) -> None:
        """Count."""
        self._start(self._count())

    async def _count(self) -> None:
        link = self._link()
        try:
            inbox = await link.ask(GetInbox())
            ceremonies = await link.ask(GetCeremonies())
        except (CommandRefused, NodeUnreachable):
            return
        mine = sum(item.can_accept or item.can_confirm for item in ceremonies.ceremonies)
        self.counted.emit(sum(row.needs_me for row in inbox.rows), mine)
