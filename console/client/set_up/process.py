"""SetUpProcess: asks the set-up process, one child for each question.

A child that stalls in a token's library is killed with its own children, and never blocks the
window. PINs travel over the child's standard input, and nothing of a child's output is quoted.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from console.client.set_up import messages as m
from console.client.set_up.port import SetUpRefused

A = TypeVar("A", bound=m.Answer)

PROGRAM = (sys.executable, "-m", "console.cli")
"""The `quorate` command; the bundled program answers this form too."""
_LIMITS_S: dict[type[m.Question], float] = {
    m.CheckToken: 180.0,
    m.MakeKeys: 600.0,
    m.Discard: 180.0,
    m.TestChain: 90.0,
    m.MakeTrial: 300.0,
    m.DiscardTrial: 120.0,
}
USUAL_LIMIT_S = 60.0
_FIRST_TOKENS_S = 60.0
"""Limits of whole questions; a token may take seconds for each key, a chain's node for each call.
The watch has one for its first line only: later lines come when something changes."""
_MOST_PROGRESS = 10_000

_ANSWER = msgspec.json.Decoder(
    m.Progress
    | m.Refused
    | m.TokensSeen
    | m.TokenChecked
    | m.DraftKept
    | m.Here
    | m.NameJudged
    | m.KeysMade
    | m.AddressTested
    | m.Presets
    | m.ChainTested
    | m.MemberFinished
    | m.EntriesRead
    | m.VaultReady
    | m.Discarded
    | m.TrialReady
)
_SAFE = "Nothing is lost: the set-up goes on where it was."
_AGAIN = "Try again. If it happens once more, close the window and open it again."


class SetUpProcess:
    """Implements `SettingUp` below one home."""

    def __init__(self, home: Path, program: tuple[str, ...] = PROGRAM) -> None:
        self._home = home
        self._program = program

    async def ask(
        self,
        question: m.Question,
        kind: type[A],
        tell: Callable[[m.Progress], None] = lambda _progress: None,
    ) -> A:
        """Return the answer to a question. Raises: SetUpRefused, also if the process fails."""
        limit_s = _LIMITS_S.get(type(question), USUAL_LIMIT_S)
        async with self._child(question) as lines:
            try:
                async with asyncio.timeout(limit_s):
                    for _ in range(_MOST_PROGRESS):
                        answer = await _next(lines)
                        if not isinstance(answer, m.Progress):
                            break
                        tell(answer)
                    else:
                        raise _nonsense()
            except TimeoutError:
                raise SetUpRefused(
                    "set-up-timeout",
                    f"There was no answer within {limit_s:.0f} s; the attempt was ended.",
                    _SAFE,
                    "Check that the token and the network answer, then try again.",
                ) from None
        if not isinstance(answer, kind):
            raise _nonsense()
        return answer

    async def watch(self, question: m.WatchTokens) -> AsyncIterator[m.TokensSeen]:
        """Yield the tokens now and at each change until closed. Raises: SetUpRefused."""
        async with self._child(question) as lines:
            limit_s: float | None = _FIRST_TOKENS_S
            while True:
                try:
                    async with asyncio.timeout(limit_s):
                        seen = await _next(lines)
                except TimeoutError:
                    raise _died() from None
                if not isinstance(seen, m.TokensSeen):
                    raise _nonsense()
                limit_s = None
                yield seen

    @contextlib.asynccontextmanager
    async def _child(self, question: m.Question) -> AsyncIterator[asyncio.StreamReader]:
        """Start a child, give it the question, and end it with all its own children."""
        line = bytearray(msgspec.json.encode(question))
        line += b"\n"
        try:
            if len(line) > m.MAX_LINE_BYTES:
                raise SetUpRefused(
                    "set-up-too-long", "This is too long to be read.", _SAFE, "Shorten it."
                )
            process = await self._started()
            try:
                stdin, stdout = process.stdin, process.stdout
                if stdin is None or stdout is None:
                    raise _died()
                with contextlib.suppress(ConnectionError):
                    stdin.write(line)
                    await stdin.drain()
                yield stdout
            finally:
                await _end(process)
        finally:
            line[:] = bytes(len(line))

    async def _started(self) -> asyncio.subprocess.Process:
        arguments = ("set-up", "--home", str(self._home), "--with-parent", str(os.getpid()))
        try:
            return await asyncio.create_subprocess_exec(
                *self._program,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=m.MAX_LINE_BYTES,
                start_new_session=True,
            )
        except OSError:
            raise SetUpRefused(
                "set-up-not-started",
                "The set-up could not be started.",
                _SAFE,
                "Check that the disk and the memory are not full, then try again.",
            ) from None


async def _next(lines: asyncio.StreamReader) -> m.Answer:
    """Return the next answer. Raises: SetUpRefused."""
    try:
        line = await lines.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise _died() from None
    except asyncio.LimitOverrunError:
        raise _nonsense() from None
    try:
        answer = cast("m.Answer", _ANSWER.decode(line))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise _nonsense() from None
    if isinstance(answer, m.Refused):
        raise SetUpRefused(answer.code, answer.what, answer.safe, answer.next_step)
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the child and its children; it has a process group of its own."""
    # Its children too, when it is gone itself: a stalled library outlives whoever waits for it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await asyncio.shield(process.wait())


def _died() -> SetUpRefused:
    return SetUpRefused(
        "set-up-died",
        "The set-up ended before it answered.",
        _SAFE,
        f"If a token's library was in use, it may be at fault. {_AGAIN}",
    )


def _nonsense() -> SetUpRefused:
    return SetUpRefused(
        "set-up-unreadable", "The set-up answered something that cannot be read.", _SAFE, _AGAIN
    )
