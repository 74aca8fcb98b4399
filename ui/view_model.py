"""The base of all view models: queries the node, holds its view, signals when to repaint."""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import ClassVar, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from console.application.api import Change, ChangeKind, CommandRefused, NodeUnreachable, Query
from console.application.commands import Command, Outcome
from console.application.views import View
from ui.context import Context
from ui.outcomes import OPEN, WITH_PIN, Asked, Fate
from ui.problem import Problem, describe
from ui.tasks import TaskOwner

V = TypeVar("V", bound=View)
WORKING = "Waiting for the node to record it."
UNREACHABLE_NOW = "The node does not answer. Nothing can be decided until it does."
_COALESCE_MS = 100
CHECKING = "It is not known yet whether the last command was recorded. It is being checked."


class LoadState(Enum):
    """The state of a screen's content."""

    EMPTY = auto()
    LOADING = auto()
    ERROR = auto()
    READY = auto()


class ViewModel(QObject):
    """Loads for one subject, and again after each change at the node, at most 10 times a second.

    Subclasses set `WATCHES` and write `load`, which stores the view and returns the state.
    """

    changed = Signal()
    WATCHES: ClassVar[frozenset[ChangeKind]] = frozenset()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.subject = ""
        self.state = LoadState.LOADING
        self.problem: Problem | None = None
        self.refusal: Problem | None = None
        self.working = False
        self.tasks = TaskOwner()
        self._active = self._loading = self._stale = False
        self._timer = QTimer(self, interval=_COALESCE_MS, singleShot=True)
        self._timer.timeout.connect(self._load_soon)
        context.link.changed.connect(self._moved)
        self._closed = False
        self._open_question: Asked | None = None
        context.link.reachable_changed.connect(self._reached)
        context.outcomes.changed.connect(self._outcomes_changed)

    async def load(self) -> LoadState:
        """Query the node and store its view. Raises: CommandRefused, NodeUnreachable."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop the data of the former subject."""

    @property
    def hindrance(self) -> str:
        """What keeps every command from being given now, or ''."""
        if not self.context.link.reachable:
            return UNREACHABLE_NOW
        if self.working:
            return WORKING
        asked = self._open_question
        return CHECKING if asked is not None and asked.fate is Fate.UNKNOWN else ""

    def open(self, subject: str) -> None:
        """Show a subject; a new one starts with a skeleton."""
        if subject != self.subject or self.state is not LoadState.READY:
            self.forget()
            self.state, self.problem = LoadState.LOADING, None
        self.subject, self.refusal = subject, None
        self._open_question = self.context.outcomes.about(subject)
        if self._open_question is not None:
            self.refusal = self._open_question.problem
            self.context.outcomes.check_now()
        self._active = True
        self.changed.emit()
        self.refresh()

    def pause(self) -> None:
        """Stop following changes until opened again."""
        self._active = False

    def refresh(self) -> None:
        """Query the node again now."""
        self._timer.stop()
        self._load_soon()

    def close(self) -> None:
        """Cancel all coroutines and disconnect from the node's signals."""
        self._active = False
        self._timer.stop()
        self.tasks.close()
        self.context.link.changed.disconnect(self._moved)
        self.context.link.reachable_changed.disconnect(self._reached)
        self.context.outcomes.changed.disconnect(self._outcomes_changed)
        self._closed = True

    async def ask(self, query: Query[V]) -> V:
        """Return a query's view. Raises: CommandRefused, NodeUnreachable."""
        return await self.context.link.ask(query)

    def do(self, command: Command, done: Callable[[Outcome], None] | None = None) -> None:
        """Execute a command, one at a time; a refusal becomes `refusal`."""
        if self.working:
            _wipe(command)
            return
        self.working, self.refusal = True, None
        self.changed.emit()
        self.context.outcomes.give(command, partial(self._ended, done))

    def dismiss_refusal(self) -> None:
        """Clear the last refusal."""
        self.refusal = None
        self.changed.emit()

    def on_change(self, change: Change) -> bool:
        """Return whether a change concerns this model; may take over its progress."""
        return change.kind in self.WATCHES

    def _ended(
        self, done: Callable[[Outcome], None] | None, asked: Asked, outcome: Outcome | None
    ) -> None:
        if self._closed:
            return
        self.working = False
        self.refusal = asked.problem
        self._open_question = asked if asked.fate in OPEN else None
        self.changed.emit()
        if outcome is not None and done is not None:
            done(outcome)
        self.refresh()

    def _outcomes_changed(self) -> None:
        """Follow a command whose outcome was not known."""
        asked = self._open_question
        if asked is None:
            return
        self.refusal = asked.problem
        if asked.fate not in OPEN:
            self._open_question = None
            self.refresh()
        self.changed.emit()

    def _moved(self, change: Change) -> None:
        if self.on_change(change) and self._active and not self._timer.isActive():
            self._timer.start()

    def _reached(self, reachable: bool) -> None:
        if not self._active:
            return
        if reachable:
            self.refresh()
        else:
            self.changed.emit()

    def _load_soon(self) -> None:
        if self._loading:
            self._stale = True
            return
        self._loading = True
        self.tasks.start(self._load())

    async def _load(self) -> None:
        try:
            while True:
                self._stale = False
                await self._load_once(self.subject)
                if not self._stale:
                    break
        finally:
            self._loading = False

    async def _load_once(self, subject: str) -> None:
        try:
            state = await self.load()
        except (CommandRefused, NodeUnreachable) as error:
            if subject != self.subject:
                return
            # The loaded view stays on screen: the frame's banner says that it is old.
            if self.state is LoadState.READY and isinstance(error, NodeUnreachable):
                return
            self.problem, self.state = describe(error), LoadState.ERROR
        else:
            if subject != self.subject:
                self._stale = True
                return
            self.problem, self.state = None, state
        self.changed.emit()


def _wipe(command: Command) -> None:
    if isinstance(command, WITH_PIN):
        command.pin.wipe()
