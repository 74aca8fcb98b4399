"""A program: a window that follows one member's requests, with a heartbeat in its loop.

Says `ready` once the overview is shown; ends when its input ends, and prints by how many
seconds each beat was late.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

from console import client
from console.application.api import Change, ChangeKind
from console.client import find_profiles
from ui import runloop
from ui.app import make_application
from ui.settings import Settings
from ui.window import ConsoleWindow

BEAT_S = 0.010
PATIENCE_S = 30
_SCREENS = ("overview", "approvals", "wallets", "ceremonies", "audit")


class Heartbeat(QObject):
    """Notes by how much each beat is late."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=int(BEAT_S * 1000))
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> list[float]:
        self._timer.stop()
        return self.late

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._last - BEAT_S))
        self._last = now


class Follower(QObject):
    """Opens each new request, and between two of them another screen, as a curious person would."""

    def __init__(self, window: ConsoleWindow) -> None:
        super().__init__(window)
        self._window = window
        self._seen: list[str] = []

    def follow(self, change: Change) -> None:
        if change.kind is not ChangeKind.REQUEST or change.subject in self._seen:
            return
        self._window.show_screen(_SCREENS[len(self._seen) % len(_SCREENS)])
        self._seen.append(change.subject)
        self._window.show_screen("review", change.subject)


async def _watch(home: Path) -> int:
    loop = asyncio.get_running_loop()
    window = ConsoleWindow(await asyncio.to_thread(find_profiles, home), client.connect, Settings())
    window.show()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while window.current_screen != "overview":  # noqa: ASYNC110  a window has no event
                await asyncio.sleep(BEAT_S)
        follower, heart = Follower(window), Heartbeat(window)
        window.link.changed.connect(follower.follow)
        heart.start()
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        print(json.dumps(heart.stop()), flush=True)
    finally:
        window.close()
        await window.finish()
    return 0


def main() -> int:
    home = Path(sys.argv[1])
    app = make_application()
    app.setQuitOnLastWindowClosed(False)
    return runloop.run(app, lambda: _watch(home))


if __name__ == "__main__":
    sys.exit(main())
