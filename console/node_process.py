"""The node as a process: hardened, logged, answering until it is told to stop."""

import asyncio
import signal
import sys
from pathlib import Path

from console.bootstrap import BuiltNode, build_node
from console.domain.values import Network
from console.fault_points import FaultRefused, crash_at
from console.hardening import die_with_parent, harden_process
from console.logs import log_to
from console.settings import MemberFiles

READY = "quorate node ready"


def run_node(directory: Path, *, parent: int | None, fail_at: str, fail_token: Path | None) -> None:
    """Run a member's node until SIGTERM or SIGINT.

    Prints one line on standard output once it answers. Raises: SettingsInvalid,
    TlsMaterialUnusable, HsmError, PeerUnavailable, FaultRefused.
    """
    if parent is not None:
        die_with_parent(parent)
    harden_process()
    log_to(MemberFiles(directory).log)
    checkpoint = crash_at(fail_at, fail_token) if fail_at else None
    built = build_node(directory, checkpoint)
    if fail_at and any(c.network != Network.DEVNET for c in built.settings.chains):
        raise FaultRefused("fault points are for devnets only")
    asyncio.run(_serve(built))


async def _serve(built: BuiltNode) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await built.node.start()
    try:
        await built.server.start()
        print(f"{READY} {built.settings.console_address}", flush=True)  # noqa: T201  for the parent
        await stop.wait()
    finally:
        await built.server.stop()
        await built.node.close()
        sys.stdout.flush()
