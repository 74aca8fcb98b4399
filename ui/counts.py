"""Counts: how many approvals and ceremonies wait for this member, asked again after changes."""

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
from ui.tasks import TaskOwner

_COUNTED = {ChangeKind.REQUEST, ChangeKind.CEREMONY, ChangeKind.SESSION, ChangeKind.RUN}
_TOGETHER_MS = 200


class Counts(QObject):
    """Follows one node at a time."""

    counted = Signal(int, int)
    """Approvals and ceremonies that wait."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._link: NodeLink | None = None
        self._tasks = TaskOwner()
        self._timer = QTimer(self, interval=_TOGETHER_MS, singleShot=True)
        self._timer.timeout.connect(self.count)

    def follow(self, link: NodeLink) -> None:
        """Follow a node from now on."""
        self._link = link
        link.changed.connect(self._changed)

    def count(self) -> None:
        """Ask the node now."""
        if self._link is not None:
            self._tasks.start(self._count(self._link))

    async def finish(self) -> None:
        """Stop asking for ever."""
        await self._tasks.finish()

    def close(self) -> None:
        """Stop asking for ever, without waiting."""
        self._timer.stop()
        self._tasks.close()

    def _changed(self, change: Change) -> None:
        if change.kind in _COUNTED and not self._timer.isActive():
            self._timer.start()

    async def _count(self, link: NodeLink) -> None:
        try:
            inbox = await link.ask(GetInbox())
            ceremonies = await link.ask(GetCeremonies())
        except (CommandRefused, NodeUnreachable):
            return
        if link is self._link:
            mine = sum(item.can_accept or item.can_confirm for item in ceremonies.ceremonies)
            self.counted.emit(sum(row.needs_me for row in inbox.rows), mine)
