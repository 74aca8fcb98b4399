"""OwnNode: the node of a member on this machine, started by the window or by the system."""

import os
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from console.client.profiles import Profile
from console.client.run_mark import RunMark, RunState
from console.client.service_unit import ServiceUnit

SAID_FILE = "node.said"
_MOST_BYTES = 4096
SOURCES = (sys.executable, "-m", "console.cli")
"""The `quorate` command of this program."""


class ProcessState(StrEnum):
    """Where the node's process is; whether it answers is another question."""

    RUNS = "runs"
    STARTS = "starts"
    STOPPED = "stopped"
    DIED = "died"
    REFUSES = "refuses"
    """It ended with a sentence instead of starting."""


@dataclass(frozen=True, slots=True)
class NodeLook:
    """A look at the node. `said` is the last line of what it said when it ended."""

    state: ProcessState
    said: str = ""
    service: str = ""
    """The system's service that runs it, if one is set up."""


class OwnNode:
    """Blocking, but short. The node outlives the window: sessions do not depend on it."""

    def __init__(
        self,
        home: Path,
        profile: Profile,
        *,
        program: tuple[str, ...] = SOURCES,
        service: ServiceUnit | None = None,
    ) -> None:
        self._arguments = [*program, "node", "--detached", "--member", profile.member]
        self._arguments += ["--home", str(home)]
        self._mark = RunMark(profile.directory)
        self._said = profile.directory / SAID_FILE
        self._service = service
        self._child: subprocess.Popen[bytes] | None = None

    def look(self) -> NodeLook:
        """Return where the process is now."""
        unit = self._service.name if self._service is not None and self._service.enabled else ""
        ended = None if self._child is None else self._child.poll()
        marked = self._mark.look()
        if marked is RunState.RUNS:
            return NodeLook(ProcessState.RUNS, service=unit)
        if self._child is not None and ended is None:
            return NodeLook(ProcessState.STARTS, service=unit)
        if marked is RunState.DIED:
            return NodeLook(ProcessState.DIED, self._last_line(), unit)
        if ended:
            return NodeLook(ProcessState.REFUSES, self._last_line(), unit)
        return NodeLook(ProcessState.STOPPED, service=unit)

    def start(self) -> None:
        """Start the node unless it runs or starts, through the service if one is set up.

        Raises: OSError if the program cannot be started.
        """
        if self.look().state in {ProcessState.RUNS, ProcessState.STARTS}:
            return
        if self._service is not None and self._service.enabled:
            self._service.start()
            return
        descriptor = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._child = subprocess.Popen(  # noqa: S603  this very program
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    def _last_line(self) -> str:
        try:
            with self._said.open("rb") as file:
                file.seek(max(0, self._said.stat().st_size - _MOST_BYTES))
                lines = file.read(_MOST_BYTES).decode(errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return "".join(c for c in last.removeprefix("quorate: ")[:500] if c.isprintable())
