"""The window: how soon it shows, and how long it ever stands still while others work."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

from console import client
from console.client import Profile, find_profiles, write_profile
from tests.benchmarks.figures import Figure, figure, percentile
from tests.benchmarks.nodes import FIVE, running
from ui import runloop
from ui.app import make_application
from ui.settings import Settings
from ui.window import ConsoleWindow

STARTS, SIGNATURES = 10, 10
BEAT_S = 0.010
_TIMEOUT_S = 60
_SCREENS = ("overview", "approvals", "wallets", "ceremonies", "audit")


def ui_cold_start() -> list[Figure]:
    """Start the window in a fresh process; the sign-in screen of a node that does not run."""
    taken = []
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        profile = Profile("ana", "Ana Ruiz", Path(folder) / "ana")
        profile.directory.mkdir()
        write_profile(profile)
        for _ in range(STARTS):
            started = time.monotonic_ns()
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.first_paint", "--home", folder],
                env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
                capture_output=True,
                check=True,
                timeout=_TIMEOUT_S,
            )
            taken.append((int(done.stdout) - started) / 1e9)
    return [figure("ui_cold_start", taken)]


def ui_stall() -> list[Figure]:
    """Beat every 10 ms in the window's loop while five members sign; a stall is what a beat is
    late by.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    stalls: list[float] = []

    async def watch() -> int:
        stalls.extend(await _watched_signatures())
        return 0

    app = make_application()
    app.setQuitOnLastWindowClosed(False)
    runloop.run(app, watch)
    return [
        figure("ui_stall_p99", stalls, quote=lambda s: percentile(s, 0.99)),
        figure("ui_stall_worst", stalls, quote=max),
    ]


async def _watched_signatures() -> Sequence[float]:
    async with running(FIVE) as operators:
        wallet = await operators.make_wallet("Benchmark", 3)
        await operators.fund(wallet)
        profiles = await asyncio.to_thread(find_profiles, operators.cluster.home)
        window = ConsoleWindow(profiles, client.connect, Settings())
        window.show()
        try:
            await operators.until(lambda: _on(window, "overview"))
            heart = Heartbeat(window)
            for number in range(SIGNATURES):
                window.show_screen(_SCREENS[number % len(_SCREENS)])
                request = await operators.propose(wallet)
                window.show_screen("review", request)
                await operators.approve(request)
                await operators.signed(request)
            return heart.stop()
        finally:
            window.close()
            await window.finish()


async def _on(window: ConsoleWindow, screen: str) -> bool | None:
    return window.current_screen == screen or None


class Heartbeat(QObject):
    """Notes by how much each beat is late."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=int(BEAT_S * 1000))
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def stop(self) -> list[float]:
        self._timer.stop()
        return self._late

    def _beat(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, now - self._last - BEAT_S))
        self._last = now
