"""Processes of this machine's demonstrations: started, awaited until ready, stopped."""

import asyncio
import sys
from collections.abc import Sequence

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 10.0
QUORATE = (sys.executable, "-m", "console.cli")
"""The `quorate` command; the bundled program answers this form too."""


class NotStarted(Exception):
    """A process did not start; the message names its command and quotes its output."""


async def run(command: Sequence[str], trouble: str, typed: str = "") -> str:
    """Run a command; return its output. Raises: NotStarted with `trouble`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(typed.encode())
    if process.returncode:
        raise NotStarted(f"{trouble}: {err.decode().strip()}")
    return out.decode()


async def start(
    command: Sequence[str], ready: str, timeout_s: float = START_TIMEOUT_S
) -> asyncio.subprocess.Process:
    """Start a process and wait for its first line, which begins with `ready`.

    Raises: NotStarted.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(timeout_s):
            said = await _first_line(process)
    except TimeoutError:
        await stop(process)
        raise NotStarted(f"`{' '.join(command)}` did not get ready in time") from None
    except BaseException:  # Cancelled too: no process is left that nobody knows.
        await stop(process)
        raise
    if not said.startswith(ready):
        await stop(process)
        raise NotStarted(f"`{' '.join(command)}` did not start: {said or 'it said nothing'}")
    return process


async def _first_line(process: asyncio.subprocess.Process) -> str:
    """Return the first line of output; without one, what stands on standard error."""
    if process.stdout is None or process.stderr is None:
        return ""
    line = await process.stdout.readline() or await process.stderr.read(4096)
    return line.decode(errors="replace").strip()


async def ended(process: asyncio.subprocess.Process) -> int:
    """Wait for a process's end, dropping its output; return its exit code."""

    async def drop(stream: asyncio.StreamReader | None) -> None:
        while stream is not None and await stream.read(65_536):
            pass

    await asyncio.gather(drop(process.stdout), drop(process.stderr))
    return await process.wait()


async def stop(process: asyncio.subprocess.Process | None) -> None:
    """Stop a process in an orderly way, else kill it."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
