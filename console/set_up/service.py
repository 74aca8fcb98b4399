"""The set-up process: one question on standard input, its answers on standard output.

It is a process of its own so that a library that stalls or crashes touches neither the window nor
a node, and so that a PIN is gone from memory with it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Union

import msgspec

from console.client.set_up import messages as m
from console.hardening import die_with_parent, harden_process
from console.set_up import checks, drafts, exchange, members, naming, tokens, trial, waiting
from console.set_up.presets import presets
from console.set_up.refusing import NotDone, refused

Tell = Callable[[m.Answer], None]


def run_set_up(home: Path, parent: int) -> None:
    """Answer the one question of standard input. Ends with its parent."""
    die_with_parent(parent)
    harden_process()
    out = _own_output()
    answer_one(home, read_line(0), lambda answer: _write_line(out, answer))


def answer_one(home: Path, line: bytearray, tell: Tell) -> None:
    """Answer a question's line, which is wiped: it may hold a PIN."""
    try:
        question = _decoded(line)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        tell(_ANSWERS[type(question)](home, question, tell))
    # The answer to any failure: without one, the window would only know that we ended.
    except Exception as error:  # noqa: BLE001
        tell(refused(error))


def _watched(_home: Path, question: m.WatchTokens, tell: Tell) -> NoReturn:
    tokens.watch(question, tell)


_ANSWERS: dict[type[m.Question], Callable[[Path, Any, Tell], m.Answer]] = {
    m.WatchTokens: _watched,
    m.CheckToken: lambda home, question, _: tokens.check_token(home, question),
    m.KeepDraft: lambda home, question, _: drafts.keep(home, question),
    m.LookHere: lambda home, _, __: _look_here(home),
    m.JudgeName: lambda home, question, _: naming.judge(home, question),
    m.MakeKeys: lambda home, question, _: members.make(home, question),
    m.TestAddress: lambda home, question, _: checks.test_address(home, question),
    m.GetPresets: lambda _, __, ___: presets(),
    m.TestChain: lambda _, question, __: checks.test_chain(question),
    m.FinishMember: lambda home, question, _: members.finish(home, question),
    m.ReadEntries: lambda _, question, __: exchange.read(question),
    m.OpenVault: lambda home, question, _: exchange.open_(home, question),
    m.Discard: lambda home, question, _: members.discard(home, question),
    m.MakeTrial: lambda home, _, tell: trial.make(home, tell),
    m.DiscardTrial: lambda home, _, __: trial.discard(home),
}
"""What can be asked, and who answers it."""
_QUESTION: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[tuple(_ANSWERS)])  # noqa: UP007


def _decoded(line: bytearray) -> m.Question:
    try:
        question: m.Question = _QUESTION.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # Not quoted: it may hold a PIN.
        raise NotDone(
            "question-unreadable",
            "The window asked something that this version does not know.",
            "Nothing was changed.",
            "Close the window and open it again: it may be of another version.",
        ) from None
    finally:
        line[:] = bytes(len(line))
    return question


def _look_here(home: Path) -> m.Here:
    kept, damaged = waiting.find(home)
    return m.Here(
        drafts=kept,
        trial=trial.is_there(home),
        trial_possible=trial.not_possible_because(),
        damaged=damaged,
    )


def read_line(descriptor: int) -> bytearray:
    """Read up to a line's end, at most MAX_LINE_BYTES, without a buffer that keeps a copy."""
    line = bytearray()
    piece = bytearray(65_536)
    while len(line) <= m.MAX_LINE_BYTES:
        count = os.readv(descriptor, [piece])
        end = piece.find(b"\n", 0, count)
        line += memoryview(piece)[: count if end < 0 else end]
        if end >= 0 or not count:
            break
    piece[:] = bytes(len(piece))
    return line if len(line) <= m.MAX_LINE_BYTES else bytearray()


def _own_output() -> int:
    """Return a descriptor for answers; what a token's library prints goes nowhere."""
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return out


def _write_line(descriptor: int, answer: m.Answer) -> None:
    data = memoryview(msgspec.json.encode(answer) + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
