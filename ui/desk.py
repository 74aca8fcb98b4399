"""Which window is shown: the console of a member, or the first run, in the same place."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtWidgets import QApplication

from console.client import Profile
from console.client.set_up.messages import TrialReady
from console.client.set_up.port import SettingUp
from ui import settings as preferences
from ui.first_run import homes
from ui.first_run.window import FirstRunWindow
from ui.link import Connect
from ui.node_watch import Startable
from ui.problem import Problem
from ui.settings import Settings
from ui.window import ConsoleWindow

Window = ConsoleWindow | FirstRunWindow
_DELETING_S = 0.01


class OwnNodes(Protocol):
    """Starts the nodes of a home's members, or `only` one's, unless they run."""

    def __call__(
        self, home: Path, profiles: Sequence[Profile], *, only: str = ""
    ) -> Mapping[str, Startable]: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """How nodes are reached and started, and members set up below a home."""

    connect: Connect
    set_up_below: Callable[[Path], SettingUp]
    own_nodes: OwnNodes


class Desk(QObject):
    """Shows one window after the other until the operator closes the one in front."""

    def __init__(self, app: QApplication, home: Path, settings: Settings, outside: Outside) -> None:
        super().__init__()
        self._app = app
        self._first_home = self._home = home
        self._settings = settings
        self._outside = outside
        self._closed = asyncio.Event()
        self._ending: list[asyncio.Future[None]] = []
        self._trial: TrialReady | None = None
        self.window: Window | None = None

    async def run(self, only: str = "") -> int:
        """Show windows until the operator closes one. Return the exit status.

        With `only`, no other member's node is started first.
        """
        self._app.setQuitOnLastWindowClosed(False)
        self.show_home(self._home, only=only)
        try:
            await self._closed.wait()
        finally:
            await self.finish()
        return 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """End when the window in front is closed; the one before it is closed by the desk."""
        if event.type() is QEvent.Type.Close and watched is self.window:
            self._closed.set()
        return False

    async def finish(self) -> None:
        """Close the window in front and wait until its work has ended."""
        await self._end(self.window)
        self.window = None
        await asyncio.gather(*self._ending)
        # Lets Qt delete the windows. Its events must not be processed inside a task: they wake
        # other tasks, which cannot run inside this one.
        await asyncio.sleep(_DELETING_S)

    def show_home(self, home: Path, member: str = "", *, only: str = "") -> None:
        """Show the members of a home, after starting their nodes; else the first run."""
        found = homes.look(home)
        if not found.profiles:
            self.show_first_run(found.problem)
            return
        nodes = self._outside.own_nodes(home, found.profiles, only=only)
        self._take_home(home, member)
        self._trial = None
        self._show(self._console(found.profiles, nodes))

    def show_first_run(self, problem: Problem | None = None) -> None:
        """Show the ways to a member."""
        found = homes.look(self._home)
        # Set-ups and the demonstration stand below the home that the program was started with.
        home = self._first_home
        window = FirstRunWindow(
            home,
            self._outside.set_up_below(home),
            self._settings,
            can_go_back=bool(found.profiles),
            problem=problem or found.problem,
        )
        window.member_ready.connect(self.show_home)
        window.home_chosen.connect(self.show_home)
        window.trial_ready.connect(self.show_trial)
        window.back_wanted.connect(self._go_back)
        self._show(window)

    def show_trial(self, ready: TrialReady) -> None:
        """Show the demonstration vault, whose nodes run already and are not the window's."""
        home = Path(ready.home)
        found = homes.look(home)
        if not found.profiles:
            self.show_first_run(found.problem or homes.empty(home))
            return
        self._take_home(home, ready.member)
        self._trial = ready
        self._show(self._console(found.profiles, {}, ready))

    def _console(
        self,
        profiles: tuple[Profile, ...],
        nodes: Mapping[str, Startable],
        trial: TrialReady | None = None,
    ) -> ConsoleWindow:
        window = ConsoleWindow(
            profiles, self._outside.connect, self._settings, nodes=nodes, trial=trial
        )
        window.first_run_wanted.connect(self.show_first_run)
        window.guide.throw_away.connect(self._throw_away_trial)
        return window

    def _go_back(self) -> None:
        if self._trial is not None:
            self.show_trial(self._trial)
        else:
            self.show_home(self._home)

    def _throw_away_trial(self) -> None:
        self._home, self._trial = self._first_home, None
        self.show_first_run()
        if isinstance(self.window, FirstRunWindow):
            self.window.ask_to_throw_away(None)

    def _take_home(self, home: Path, member: str) -> None:
        """Use the preferences of another home, and keep the look of the window."""
        if home != self._home:
            before, self._settings = self._settings, preferences.load(home)
            self._settings.theme = before.theme
            self._home = home
        if member:
            self._settings.member = member

    def _show(self, window: Window) -> None:
        before, self.window = self.window, window
        if before is not None:
            self._settings.width, self._settings.height = before.width(), before.height()
            _put(window, before.geometry(), maximized=before.isMaximized())
        window.installEventFilter(self)
        window.show()
        if before is not None:
            self._ending.append(asyncio.ensure_future(self._end(before)))

    @staticmethod
    async def _end(window: Window | None) -> None:
        if window is not None:
            window.close()
            await window.finish()
            window.deleteLater()


def _put(window: Window, place: QRect, *, maximized: bool) -> None:
    window.setGeometry(place)
    if maximized:
        window.showMaximized()
