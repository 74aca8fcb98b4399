"""The node as a process: hardened, logged, running until a signal stops it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from console.adapters.network.link_keys import keep_renewed
from console.bootstrap import BuiltNode, build_node
from console.client.run_mark import RunMark
from console.domain.values import Network
from console.fault_points import FaultRefused, crash_at
from console.hardening import die_with_parent, harden_process
from console.logs import log_to
from console.settings import MemberFiles, read_settings

READY = "quorate node ready"
log = structlog.get_logger(__name__)


def run_node(
    directory: Path,
    *,
    parent: int | None,
    fail_at: str,
    fail_token: Path | None,
    detached: bool = False,
) -> None:
    """Run a member's node until SIGTERM or SIGINT.

    Prints one line on standard output once it serves. A `detached` node says nothing on standard
    error from then on: peers could make the file grow that it is. Raises: SettingsInvalid,
    TlsMaterialUnusable, HsmError, PeerUnavailable, FaultRefused, RunsAlready.
    """
    if parent is not None:
        die_with_parent(parent)
    harden_process()
    read_settings(MemberFiles(directory))  # Before the log, which needs its directory.
    log_to(MemberFiles(directory).log)
    checkpoint = crash_at(fail_at, fail_token) if fail_at else None
    mark = RunMark(directory)
    with mark.held():
        built = build_node(directory, checkpoint)
        if fail_at and any(c.network != Network.DEVNET for c in built.settings.chains):
            raise FaultRefused("fault points are for devnets only")
        try:
            asyncio.run(_serve(built, mark, detached=detached))
        except Exception as error:  # The log names what nobody expected; it is raised again.
            log.exception("node-ended", because=type(error).__name__)
            raise


async def _serve(built: BuiltNode, mark: RunMark, *, detached: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await built.node.start()
    async with asyncio.TaskGroup() as tasks:
        renewing = tasks.create_task(keep_renewed(built.keys, built.node.ports.clock.now_ms))
        try:
            await built.server.start()
            print(f"{READY} {built.settings.console_address}", flush=True)  # noqa: T201  for the parent
            mark.serves = True
            if detached:
                _say_no_more()
            await stop.wait()
        finally:
            renewing.cancel()
            await built.server.stop()
            await built.node.close()
            sys.stdout.flush()


def _say_no_more() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stderr.fileno())
    os.close(nothing)
