"""What was asked of the node: each command ends as recorded, refused, or not known and checked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal

from console.application.api import CommandRefused, NodeUnreachable
from console.application.commands import (
    ApproveMachine,
    ApproveRequest,
    Command,
    Lock,
    Outcome,
    ProposeMachine,
    SignDecision,
    Unlock,
)
from ui.link import NodeLink, OutcomeUnknown
from ui.outcome_checks import Subject, again, find_effect, subject_of
from ui.problem import Problem, describe
from ui.tasks import TaskOwner

MOST = 30
"""How many commands are remembered; those whose outcome is not known are never dropped."""
_CHECK_MS = 3_000
WITH_PIN = (Unlock, ApproveRequest, ProposeMachine, ApproveMachine, SignDecision)
_SESSION = (Unlock, Lock)
Ended = Callable[["Asked", Outcome | None], None]


class Fate(Enum):
    """What has become of a command."""

    SENT = auto()
    RECORDED = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    """The node did not answer; nothing has been learned since."""
    ABSENT = auto()
    """The node answers again and has not recorded it so far; it is still checked."""


OPEN = {Fate.UNKNOWN, Fate.ABSENT}


@dataclass(slots=True)
class Asked:
    """One command: its subject, and what has become of it."""

    number: int
    command: Command
    subject: Subject
    at_ms: int
    fate: Fate = Fate.SENT
    problem: Problem | None = None
    said: str = ""

    @property
    def sentence(self) -> str:
        """What has become of it, for people."""
        match self.fate:
            case Fate.SENT:
                return "Waiting for the node to record it"
            case Fate.RECORDED:
                return self.said or "Recorded in the ledger"
            case Fate.REFUSED:
                return self.problem.what if self.problem else "Refused"
            case Fate.UNKNOWN:
                return "Not known whether it was recorded; it is being checked"
            case Fate.ABSENT:
                return "Not recorded so far; it is still being checked"


class Outcomes(QObject):
    """Gives commands and finds out what became of them; outlives the screens that gave them."""

    changed = Signal()
    found = Signal(object)
    """A command whose outcome was not known turned out to be recorded."""

    def __init__(self, link: NodeLink, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._link = link
        self._now_ms = now_ms
        self._asked: list[Asked] = []
        self._count = 0
        self._checking = self._closed = False
        self.tasks = TaskOwner()
        self._timer = QTimer(self, interval=_CHECK_MS)
        self._timer.timeout.connect(self._check_soon)
        link.reachable_changed.connect(self._reached)
        link.session_changed.connect(self._check_soon)

    @property
    def all(self) -> tuple[Asked, ...]:
        """What was asked, newest first."""
        return tuple(reversed(self._asked))

    @property
    def open(self) -> int:
        """How many outcomes are not known."""
        return sum(asked.fate in OPEN for asked in self._asked)

    def about(self, subject: str) -> Asked | None:
        """Return the newest command about a subject whose outcome is not known."""
        for asked in reversed(self._asked):
            if subject and asked.subject.key == subject and asked.fate in OPEN:
                return asked
        return None

    def give(self, command: Command, ended: Ended) -> Asked:
        """Send a command; `ended` is called once, as soon as its outcome is known or is not."""
        self._count += 1
        asked = Asked(self._count, command, subject_of(command), self._now_ms())
        if not isinstance(command, _SESSION):
            self._remember(asked)
        self.tasks.start(self._carry_out(asked, ended))
        return asked

    def check_now(self) -> None:
        """Look again for the effects of commands whose outcome is not known."""
        self._check_soon()

    def close(self) -> None:
        """Stop, for ever."""
        if self._closed:
            return
        self._closed = True
        self._timer.stop()
        self.tasks.close()
        self._link.reachable_changed.disconnect(self._reached)
        self._link.session_changed.disconnect(self._check_soon)

    def _remember(self, asked: Asked) -> None:
        self._asked.append(asked)
        settled = [old for old in self._asked if old.fate not in OPEN | {Fate.SENT}]
        for old in settled[: max(len(self._asked) - MOST, 0)]:
            self._asked.remove(old)
        self.changed.emit()

    async def _carry_out(self, asked: Asked, ended: Ended) -> None:
        outcome = None
        try:
            outcome = await self._link.execute(asked.command)
            asked.fate, asked.said = Fate.RECORDED, outcome.message
            asked.subject = asked.subject.found(outcome.subject)
        except OutcomeUnknown:
            self._doubt(asked)
        except (CommandRefused, NodeUnreachable) as error:
            asked.fate, asked.problem = Fate.REFUSED, describe(error)
        finally:
            if isinstance(asked.command, WITH_PIN):
                asked.command.pin.wipe()
        self.changed.emit()
        ended(asked, outcome)

    def _doubt(self, asked: Asked) -> None:
        asked.fate = Fate.UNKNOWN
        asked.problem = Problem(
            "outcome-unknown",
            f"It is not known whether this was recorded: {asked.subject.words}.",
            "Keys are safe. The node may have recorded it, or may still do so.",
            "It is being checked. Do not repeat it before that has an answer.",
        )
        if not isinstance(asked.command, _SESSION):
            self._timer.start()

    def _reached(self, reachable: bool) -> None:
        if reachable:
            self._check_soon()

    def _check_soon(self) -> None:
        if self.open and self._link.reachable and not self._checking:
            self._checking = True
            self.tasks.start(self._check())

    async def _check(self) -> None:
        try:
            for asked in [asked for asked in self._asked if asked.fate in OPEN]:
                await self._check_one(asked)
        except (CommandRefused, NodeUnreachable):
            # Locked, or away again: the next look may tell.
            return
        finally:
            self._checking = False
        if not self.open:
            self._timer.stop()

    async def _check_one(self, asked: Asked) -> None:
        member = self._link.profile.member
        effect = await find_effect(asked.command, self._link.ask, member, asked.at_ms)
        before = asked.fate
        if effect is not None:
            asked.fate, asked.problem = Fate.RECORDED, None
            asked.subject = asked.subject.found(effect)
            self.found.emit(asked)
        elif asked.fate is Fate.UNKNOWN:
            asked.fate = Fate.ABSENT
            asked.problem = Problem(
                "outcome-absent",
                f"This is not recorded so far: {asked.subject.words}.",
                "Keys and funds are safe.",
                again(asked.command),
            )
        if asked.fate is not before:
            self.changed.emit()
