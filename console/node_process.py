"""The node as a process: hardened, logged, running until a signal stops it."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path

from console.adapters.network.link_keys import keep_renewed
from console.bootstrap import BuiltNode, build_node
from console.client import Profile
from console.domain.values import Network
from console.fault_points import FaultRefused, crash_at
from console.hardening import die_with_parent, harden_process
from console.logs import log_to
from console.settings import MemberFiles, read_settings

READY = "quorate node ready"


def run_node(directory: Path, *, parent: int | None, fail_at: str, fail_token: Path | None) -> None:
    """Run a member's node until SIGTERM or SIGINT.

    Prints one line on standard output once it serves. Raises: SettingsInvalid,
    TlsMaterialUnusable, HsmError, PeerUnavailable, FaultRefused.
    """
    if parent is not None:
        die_with_parent(parent)
    harden_process()
    read_settings(MemberFiles(directory))  # Before the log, which needs its directory.
    log_to(MemberFiles(directory).log)
    checkpoint = crash_at(fail_at, fail_token) if fail_at else None
    built = build_node(directory, checkpoint)
    if fail_at and any(c.network != Network.DEVNET for c in built.settings.chains):
        raise FaultRefused("fault points are for devnets only")
    asyncio.run(_serve(built))


def start_if_absent(home: Path, profile: Profile) -> None:
    """Start a member's node as a process of its own, unless its console port already answers.

    It outlives the window: sessions do not depend on an open window.
    """
    host, _, port = read_settings(MemberFiles(profile.directory)).console_address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return
    arguments = ["node", "--member", profile.member, "--home", str(home)]
    subprocess.Popen(  # noqa: S603  this very program
        [sys.executable, "-m", "console.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


async def _serve(built: BuiltNode) -> None:
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
            await stop.wait()
        finally:
            renewing.cancel()
            await built.server.stop()
            await built.node.close()
            sys.stdout.flush()
