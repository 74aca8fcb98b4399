"""`quorate trial`: keeps a demonstration's devnet and nodes running, and plays its other members.

It outlives the window. What it starts ends with it, so one signal ends the demonstration.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from console.client import Profile
from console.local_chains import READY as DEVNET_READY
from console.logs import log_to
from console.node_process import READY as NODE_READY
from console.set_up.ports import port_answers
from console.set_up.processes import QUORATE, NotStarted, ended, start, stop
from console.set_up.trial_files import TrialFiles, TrialMember, TrialRecord
from console.set_up.trial_players import Player

log = structlog.get_logger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
MOST_FAILURES = 12
"""Starts in a row that end soon, before it gives up: about four minutes with the waits."""
_WHOLE_S = 60.0
"""A process that ran so long has not failed to start."""
_LOOK_S = 1.0


class Kept:
    """One process that is started again whenever it ends.

    With `port`, not while something answers there: a window may have started the node.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        ready: str,
        port: int = 0,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._command = command
        self._ready = ready
        self._port = port
        self._sleep = sleep
        self._now_s = now_s

    async def run(self) -> None:
        """Keep it running until cancelled. Raises: NotStarted after too many failures in a row."""
        failures = 0
        while True:
            await self._until_free()
            began_s = self._now_s()
            await self._run_once()
            failures = 0 if self._now_s() - began_s >= _WHOLE_S else failures + 1
            if failures >= MOST_FAILURES:
                raise NotStarted(f"{self._name} ended {failures} times in a row")
            await self._sleep(min(FIRST_WAIT_S * 2 ** max(0, failures - 1), LONGEST_WAIT_S))

    async def _run_once(self) -> None:
        process: asyncio.subprocess.Process | None = None
        try:
            process = await start(self._command, self._ready)
            log.info("started", process=self._name)
            code = await ended(process)
            log.info("ended", process=self._name, code=code)
        except NotStarted as failure:
            log.info("not started", process=self._name, why=str(failure))
        finally:
            await stop(process)

    async def _until_free(self) -> None:
        """Wait while somebody else's process serves there."""
        while self._port and port_answers(self._port):
            await self._sleep(_LOOK_S)


def run_trial(home: Path) -> int:
    """Keep the demonstration in `home` running until SIGTERM or SIGINT; return the exit code.

    Raises: TrialDamaged.
    """
    files = TrialFiles(home)
    with files.supervised() as mine:
        if not mine:
            return 0  # Another one does it already.
        log_to(files.log)
        # Read while it is held: its ports are chosen while no supervisor holds it.
        return asyncio.run(_supervise(home, files.record()))


async def _supervise(home: Path, record: TrialRecord) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    devnet = Kept("devnet", _devnet_command(home, record), DEVNET_READY)
    working: tuple[Kept | Player, ...] = (
        devnet,
        *(_node(home, member) for member in record.members),
        *_players(home, record),
    )

    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each.run()) for each in working]
            running.append(tasks.create_task(stop_when_removed(home, stopping)))
            await stopping.wait()
            for task in running:
                task.cancel()
        given_up = 0
    except* NotStarted as failures:
        for failure in failures.exceptions:
            log.info("given up", why=str(failure))
        given_up = 1
    return given_up


async def stop_when_removed(home: Path, stopping: asyncio.Event, look_s: float = 5.0) -> None:
    """Stop the demonstration when its folder is removed by somebody else."""
    while True:
        if not await asyncio.to_thread(home.exists):
            stopping.set()
            return
        await asyncio.sleep(look_s)


def _players(home: Path, record: TrialRecord) -> list[Player]:
    profiles = [Profile(each.member, each.name, home / each.member) for each in record.members]
    return [
        Player(profile, member.digits, profiles[0], funds=number == 0)
        for number, (profile, member) in enumerate(
            zip(profiles[1:], record.members[1:], strict=True)
        )
    ]


def _node(home: Path, member: TrialMember) -> Kept:
    command = [*QUORATE, "node", "--member", member.member, "--home", str(home)]
    command += ["--with-parent", str(os.getpid())]
    return Kept(member.member, command, NODE_READY, member.console_port)


def _devnet_command(home: Path, record: TrialRecord) -> list[str]:
    port, parent = str(record.devnet_port), str(os.getpid())
    kept = str(TrialFiles(home).chains)
    return [*QUORATE, "devnet", "--port", port, "--with-parent", parent, "--keep", kept]
