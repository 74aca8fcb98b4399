"""Which window is shown: the console of a member, or the first run, in the same place."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect
from PySide6.QtWidgets import QApplication

from console.client import Profile
from console.client.set_up.messages import TrialReady
from console.client.set_up.port import SettingUp
from ui import settings as preferences
from ui.first_run import homes
from ui.first_run.window import FirstRunWindow
from ui.link import Connect
from ui.problem import Problem
from ui.settings import Settings
from ui.tasks import TaskOwner
from ui.window import ConsoleWindow

StartNode = Callable[[Path, str], None]
"""Starts the node of a member in a home, unless it runs."""
Window = ConsoleWindow | FirstRunWindow


class Desk(QObject):
    """Shows one window after the other until the operator closes the one in front."""

    def __init__(
        self,
        app: QApplication,
        home: Path,
        settings: Settings,
        connect: Connect,
        set_up_below: Callable[[Path], SettingUp],
        start_node: StartNode,
    ) -> None:
        super().__init__()
        self._app = app
        self._first_home = self._home = home
        self._settings = settings
        self._connect = connect
        self._set_up_below = set_up_below
        self._start_node = start_node
        self._closed = asyncio.Event()
        self._tasks = TaskOwner()
        self.window: Window | None = None

    async def run(self) -> int:
        """Show windows until the operator closes one. Return the exit status."""
        self._app.setQuitOnLastWindowClosed(False)
        self.show_home(self._home)
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
        await self._tasks.finish()
        QCoreApplication.processEvents()

    def show_home(self, home: Path, member: str = "", trial: TrialReady | None = None) -> None:
        """Show the members of a home; the first run where there is none."""
        found = homes.look(home)
        if not found.profiles:
            self.show_first_run(found.problem)
            return
        if home != self._home:
            self._take_home(home)
        if member:
            self._settings.member = member
        self._show(self._console(found.profiles, trial))

    def show_first_run(self, problem: Problem | None = None) -> None:
        """Show the ways to a member."""
        found = homes.look(self._home)
        # Set-ups and the demonstration stand below the home that the program was started with.
        home = self._first_home
        window = FirstRunWindow(
            home,
            self._set_up_below(home),
            self._settings,
            can_go_back=bool(found.profiles),
            problem=problem or found.problem,
        )
        window.member_ready.connect(self._member_ready)
        window.home_chosen.connect(self._home_chosen)
        window.trial_ready.connect(self._trial_ready)
        window.back_wanted.connect(lambda: self.show_home(self._home))
        self._show(window)

    def _console(self, profiles: tuple[Profile, ...], trial: TrialReady | None) -> ConsoleWindow:
        window = ConsoleWindow(profiles, self._connect, self._settings, trial=trial)
        window.first_run_wanted.connect(self.show_first_run)
        return window

    def _take_home(self, home: Path) -> None:
        """Use the preferences of another home, and keep the look of the window."""
        before, self._settings = self._settings, preferences.load(home)
        self._settings.theme = before.theme
        self._home = home

    def _member_ready(self, home: Path, member: str) -> None:
        self._start_node(home, member)
        self.show_home(home, member)

    def _home_chosen(self, home: Path) -> None:
        for profile in homes.look(home).profiles:
            self._start_node(home, profile.member)
        self.show_home(home)

    def _trial_ready(self, ready: TrialReady) -> None:
        self.show_home(Path(ready.home), ready.member, ready)

    def _show(self, window: Window) -> None:
        before, self.window = self.window, window
        if before is not None:
            self._settings.width, self._settings.height = before.width(), before.height()
            _put(window, before.geometry(), maximized=before.isMaximized())
        window.installEventFilter(self)
        window.show()
        if before is not None:
            self._tasks.start(self._end(before))

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
