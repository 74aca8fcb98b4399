"""Starts the window on a fake node, and waits for it, for tests and pictures."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic

import qasync
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from console.application.api import Console
from console.client import Profile
from console.client.set_up.messages import TrialReady
from tests.fakes.console import PROFILES, FakeConsole
from tests.fakes.scenario import NOW_MS
from ui import placing
from ui.node_watch import Startable
from ui.screen import Screen
from ui.settings import Settings
from ui.theme import ThemeName
from ui.view_model import LoadState
from ui.window import ConsoleWindow

PATIENCE_S = 20.0
"""Only a machine that is busy with other work needs it."""


class Turning:
    """A loop that runs as long as something is waited for."""

    patience_s = PATIENCE_S

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.loop = qasync.QEventLoop(app, already_running=True)
        asyncio.set_event_loop(self.loop)

    def until(self, happened: Callable[[], bool], seconds: float = 0) -> None:
        """Let time pass until something is so, at most `seconds` if given."""
        end = monotonic() + (seconds or self.patience_s)
        while not happened():
            assert monotonic() < end, "it did not happen in time"
            self.turn()

    def settle(self, settled: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Let time pass until something is so, at most some seconds; the caller asserts it."""
        end = monotonic() + seconds
        while not settled() and monotonic() < end:
            self.turn()

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        end = monotonic() + seconds
        self.until(lambda: monotonic() >= end, seconds + 1)

    def end(self, finish: Coroutine[object, object, None], window: QWidget | None) -> None:
        """Finish a window and the loop, so that nothing runs into the next test."""
        done = asyncio.ensure_future(finish)
        self.until(done.done)
        if window is not None:
            window.deleteLater()
        self.pass_time(0.01)
        asyncio.events._set_running_loop(None)
        self.loop._QEventLoop__is_running = False
        self.app.aboutToQuit.disconnect(self.loop._after_run_forever)
        self.loop.close()
        asyncio.set_event_loop(None)

    def turn(self) -> None:
        """Do what is due, and delete what is to be deleted, as a running loop would."""
        self.app.processEvents()
        self.app.sendPostedEvents()
        self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Driver(Turning):
    """One window on one fake node, with a running loop."""

    def __init__(
        self,
        app: QApplication,
        console: FakeConsole,
        people: int = 3,
        node: Startable | None = None,
        trial: TrialReady | None = None,
    ) -> None:
        super().__init__(app)
        self.console = console
        self.window = ConsoleWindow(
            PROFILES[:people],
            self._connect,
            Settings(theme=ThemeName.LIGHT),
            lambda: NOW_MS,
            nodes={PROFILES[0].member: node} if node else {},
            trial=trial,
        )
        # Without a display the screen is small: pages are tested at the usual size.
        self.window.resize(placing.USUAL)
        self.window.show()

    async def _connect(self, profile: Profile) -> Console:
        await asyncio.sleep(0)
        self.console.me = profile.member
        return self.console

    def show(self, screen: str, subject: str = "", state: LoadState = LoadState.READY) -> None:
        """Show a screen and wait for its state."""
        self.until(lambda: self.window.current_screen != "sign_in")
        self.window.show_screen(screen, subject)
        self.until(lambda: self.front.model.state is state)
        self.pass_time(0.02)

    @property
    def front(self) -> Screen:
        """The screen in front, of an unlocked node."""
        assert self.window.front is not None
        return self.window.front

    def find(self, name: str) -> QWidget:
        """Return the one widget with this name of `ui.object_names`."""
        (found,) = self.window.findChildren(QWidget, name)
        return found

    def press(self, name: str) -> None:
        """Press the button, tab or tick with this name."""
        button = self.find(name)
        assert isinstance(button, QAbstractButton)
        assert button.isVisible(), name
        button.click()

    def close(self) -> None:
        """Close the window and the loop, so that nothing runs into the next test."""
        self.window.close()
        self.end(self.window.finish(), self.window)
