"""The window: how soon it shows, and how long it ever stands still while others work."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from console.client import Profile, write_profile
from tests.benchmarks.figures import Figure, figure, percentile
from tests.benchmarks.hands import PATIENCE_S
from tests.benchmarks.nodes import FIVE, running

STARTS, SIGNATURES = 10, 15


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
                env=_offscreen(),
                capture_output=True,
                check=True,
                timeout=PATIENCE_S,
            )
            taken.append((int(done.stdout) - started) / 1e9)
    return [figure("ui_cold_start", taken)]


def ui_stall() -> list[Figure]:
    """Watch a window's heartbeat, in a process of its own, while five members sign, 3 of 5."""
    stalls = asyncio.run(_stalls())
    return [
        figure("ui_stall_p99", stalls, quote=lambda s: percentile(s, 0.99)),
        figure("ui_stall_worst", stalls, quote=max),
    ]


async def _stalls() -> list[float]:
    async with running(FIVE) as operators:
        wallet = await operators.make_wallet("Benchmark", 3)
        await operators.fund(wallet)
        window = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.beating_window", operators.cluster.home),
            env=_offscreen(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        if window.stdout is None:
            raise RuntimeError("the window has no output")
        try:
            async with asyncio.timeout(PATIENCE_S):
                if await window.stdout.readline() != b"ready\n":
                    raise RuntimeError("the window did not open")
            for _ in range(SIGNATURES):
                request = await operators.propose(wallet)
                await operators.approve(request)
                await operators.signed(request)
            async with asyncio.timeout(PATIENCE_S):
                said, _ = await window.communicate(b"")
        finally:
            if window.returncode is None:
                window.kill()
                await window.wait()
    return [float(late) for late in json.loads(said)]


def _offscreen() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
