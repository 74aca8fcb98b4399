"""NodeLink: connects to one member's node, follows its changes, reconnects by itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from console.application.api import (
    ChangeKind,
    CommandRefused,
    Console,
    GetSession,
    NodeUnreachable,
    Query,
)
from console.application.commands import Command, Outcome
from console.application.views import NodeState, SessionView, View
from console.client import Profile
from ui.node_watch import NodeWatch, Startable
from ui.problem import Problem, of_node

V = TypeVar("V", bound=View)
Connect = Callable[[Profile], Awaitable[Console]]
log = logging.getLogger(__name__)

_ASK_TIMEOUT_S = 20.0
_EXECUTE_TIMEOUT_S = 120.0
_POLL_READY_S = 5.0
_POLL_OPENING_S = 0.5
_BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class OutcomeUnknown(NodeUnreachable):
    """A command was sent and the node did not answer: it may have been recorded."""


class NodeLink(QObject):
    """Queries and commands a node and signals changes; `session` is its newest state, or None."""

    changed = Signal(object)
    session_changed = Signal()
    reachable_changed = Signal(bool)
    trouble_changed = Signal()

    def __init__(self, profile: Profile, connect: Connect, node: Startable | None = None) -> None:
        super().__init__()
        self.profile = profile
        self.watch = NodeWatch(node)
        self.watch.changed.connect(self._process_changed)
        self.session: SessionView | None = None
        self.reachable = True
        self._connect = connect
        self._console: Console | None = None
        self._wake = asyncio.Event()
        self._tries = 0

    async def run(self) -> None:
        """Stay connected, and watch the node's process, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watch.run())
            group.create_task(self._connect_for_ever())

    @property
    def trouble(self) -> Problem | None:
        """Why the node does not answer; None if it does."""
        return None if self.reachable else of_node(self.watch.look, gave_up=self.watch.gave_up)

    @property
    def remedy(self) -> str:
        """What `help_now` does, as a button says it."""
        return "Start the node" if self.watch.can_start else "Retry now"

    def help_now(self) -> None:
        """Start the node if its process has ended, else try again immediately."""
        if self.watch.can_start:
            self.watch.start()
        self.retry_now()

    def retry_now(self) -> None:
        """Try again immediately."""
        self._tries = 0
        self._wake.set()

    async def ask(self, query: Query[V]) -> V:
        """Return a query's view. Raises: CommandRefused, NodeUnreachable."""
        try:
            async with asyncio.timeout(_ASK_TIMEOUT_S):
                return await self._present().ask(query)
        except TimeoutError:
            raise NodeUnreachable("no answer in time") from None

    async def execute(self, command: Command) -> Outcome:
        """Execute a command.

        Raises: CommandRefused; OutcomeUnknown after it was sent; NodeUnreachable if it was not.
        """
        console = self._present()
        try:
            async with asyncio.timeout(_EXECUTE_TIMEOUT_S):
                return await console.execute(command)
        except (TimeoutError, NodeUnreachable):
            raise OutcomeUnknown("no answer") from None

    async def refresh_session(self) -> None:
        """Query the node's state. Raises: NodeUnreachable."""
        try:
            session = await self.ask(GetSession())
        except CommandRefused as refusal:
            log.warning("the node refused to say where it stands: %s", refusal.code)
            return
        self._tries = 0
        if not self.reachable:
            self.reachable = True
            self.reachable_changed.emit(True)
            self.trouble_changed.emit()
        if session != self.session:
            self.session = session
            self.session_changed.emit()

    @property
    def connected(self) -> bool:
        """Whether there is a connection on which something could be sent."""
        return self._console is not None

    def _present(self) -> Console:
        if self._console is None:
            raise NodeUnreachable("not connected")
        return self._console

    async def _connect_for_ever(self) -> None:
        try:
            while True:
                with suppress(NodeUnreachable):
                    await self._stay_connected()
                self._lost()
                await self._pause()
        finally:
            await self._drop()

    async def _stay_connected(self) -> None:
        try:
            async with asyncio.timeout(_ASK_TIMEOUT_S):
                self._console = await self._connect(self.profile)
        except TimeoutError:
            raise NodeUnreachable("no connection in time") from None
        await self.refresh_session()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._poll())
        except ExceptionGroup as ended:
            # Under Python 3.11 `except*` wraps what it raises in one more group.
            unexpected = ended.split((NodeUnreachable, CommandRefused))[1]
            if unexpected is not None:
                raise unexpected from None
        raise NodeUnreachable("connection lost")

    async def _follow(self) -> None:
        async for change in self._present().changes():
            if change.kind in {ChangeKind.SESSION, ChangeKind.PEERS, ChangeKind.LEDGER}:
                await self.refresh_session()
            self.changed.emit(change)
        raise NodeUnreachable("the node ended its notices")

    async def _poll(self) -> None:
        while True:
            opening = self.session is not None and self.session.state is NodeState.OPENING
            await asyncio.sleep(_POLL_OPENING_S if opening else _POLL_READY_S)
            await self.refresh_session()

    def _process_changed(self) -> None:
        self._wake.set()
        self.trouble_changed.emit()

    def _lost(self) -> None:
        if self.reachable:
            self.reachable = False
            self.reachable_changed.emit(False)
            self.trouble_changed.emit()

    async def _pause(self) -> None:
        await self._drop()
        delay = _BACK_OFF_S[min(self._tries, len(_BACK_OFF_S) - 1)]
        self._tries += 1
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    async def _drop(self) -> None:
        console, self._console = self._console, None
        if console is not None:
            with suppress(NodeUnreachable, TimeoutError):
                async with asyncio.timeout(2.0):
                    await console.close()
