"""Deliberate crashes at named points of a protocol session, for tests and the demonstration.

A point is `purpose:round`, for example `signing:2`: reached just before that round's messages
leave. Refused on any network that is not a devnet.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path


class FaultRefused(Exception):
    """A fault point was set on a network that is no devnet."""


def crash_at(point: str, token: Path | None) -> Callable[[str], None]:
    """Return the checkpoint that kills this process at `point`.

    With `token`, only the process that removes that file dies: of several nodes that share the
    file, exactly one crashes, exactly once.
    """

    def reached(name: str) -> None:
        if name != point:
            return
        if token is not None:
            try:
                token.unlink()
            except FileNotFoundError:
                return
        os.kill(os.getpid(), signal.SIGKILL)

    return reached
