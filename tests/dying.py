"""`python -m tests.dying STEP …`: the `quorate` command, in a process that kills itself at a step.

A step is `module:name:call:when`: at that call of the function, `before` or `after` it. If STALLED
names a file in the environment, the process writes its number there and stands still instead.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from console import cli

STALLED = "QUORATE_TEST_STALLED"


def die_at(step: str) -> None:
    """Replace the function of a step by one that ends the process."""
    place, name, at, when = step.split(":")
    holder: Any = importlib.import_module(place)
    *path, last = name.split(".")
    for part in path:
        holder = getattr(holder, part)
    real, calls = getattr(holder, last), 0
    stalled = os.environ.get(STALLED, "")

    def end() -> None:
        if not stalled:
            os.kill(os.getpid(), signal.SIGKILL)
        Path(stalled).write_text(f"{os.getpid()}\n")
        while True:
            signal.pause()

    def call(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == int(at) and when == "before":
            end()
        result = real(*arguments, **named)
        if calls == int(at):
            end()
        return result

    setattr(holder, last, call)


if __name__ == "__main__":
    die_at(sys.argv.pop(1))
    cli.main()
