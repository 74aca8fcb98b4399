"""The window's end of the set-up process: what it makes of a child that fails."""

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from console.client.set_up import messages as m
from console.client.set_up import process as tested
from console.client.set_up.port import SetUpRefused
from console.client.set_up.process import SetUpProcess

HERE = '{"type":"Here","drafts":[],"trial":false}'


def answering(code: str) -> SetUpProcess:
    """Return a set-up whose child runs a line of Python."""
    return SetUpProcess(Path("/nowhere"), (sys.executable, "-c", code))


async def refusal(code: str, question: m.Question | None = None) -> SetUpRefused:
    asked = question or m.LookHere()
    with pytest.raises(SetUpRefused) as refused:
        await answering(code).ask(asked, asked.ANSWER)
    assert all((refused.value.what, refused.value.safe, refused.value.next_step))
    return refused.value


async def test_an_answer_is_returned_after_its_progress() -> None:
    progress = '{"type":"Progress","done":1,"total":2,"text":"half"}'
    told: list[m.Progress] = []
    code = f"print({progress!r}); print({HERE!r})"
    assert await answering(code).ask(m.LookHere(), m.Here, told.append) == m.Here(
        drafts=(), trial=False
    )
    assert told == [m.Progress(done=1, total=2, text="half")]


async def test_a_refusal_is_raised_as_it_is() -> None:
    said = '{"type":"Refused","code":"c","what":"w","safe":"s","next_step":"n"}'
    refused = await refusal(f"print({said!r})")
    assert (refused.code, refused.what, refused.safe, refused.next_step) == ("c", "w", "s", "n")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", "set-up-died"),
        ("import os; os._exit(3)", "set-up-died"),
        (f"import sys; sys.stdout.write({HERE!r})", "set-up-died"),
        ("print('hello')", "set-up-unreadable"),
        ("print('[' * 100000)", "set-up-unreadable"),
        ('print(\'{"type":"Here","drafts":[],"trial":false,"more":1}\')', "set-up-unreadable"),
        ('print(\'{"type":"DraftKept"}\')', "set-up-unreadable"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\n')", "set-up-unreadable"),
        ("print('x' * 3000000)", "set-up-unreadable"),
        (
            'while True: print(\'{"type":"Progress","done":1,"total":2,"text":""}\')',
            "set-up-unreadable",
        ),
    ],
)
async def test_a_child_that_fails_is_a_refusal(code: str, expected: str) -> None:
    assert (await refusal(code)).code == expected


async def test_what_a_child_says_wrongly_is_not_quoted() -> None:
    refused = await refusal("import sys; print('secret:', sys.stdin.readline())")
    assert "secret" not in f"{refused.what} {refused.safe} {refused.next_step}"


async def test_a_program_that_is_not_there_is_a_refusal() -> None:
    with pytest.raises(SetUpRefused) as refused:
        await SetUpProcess(Path("/nowhere"), ("/nowhere/python",)).ask(m.LookHere(), m.Here)
    assert refused.value.code == "set-up-not-started"


async def test_a_question_that_is_too_long_is_not_asked() -> None:
    # Each field is within its bound; together they are more than a line may be.
    line = "\u0001" * 16_384
    draft = m.Draft(member="ana", name="Ana", purpose=m.Purpose.JOIN, lines=(line,) * 64)
    assert (await refusal("", m.KeepDraft(draft=draft))).code == "set-up-too-long"


async def test_a_stalled_child_is_ended_with_its_own_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "USUAL_LIMIT_S", 2.0)
    pids = tmp_path / "pids"
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "time.sleep(1000)"
    )
    assert (await refusal(code)).code == "set-up-timeout"
    await require_gone(pids)


async def test_a_cancelled_question_ends_its_child(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        f"import os, time; open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(1000)"
    )
    asking = asyncio.ensure_future(answering(code).ask(m.LookHere(), m.Here))
    async with asyncio.timeout(30):
        while not (pids.exists() and pids.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await require_gone(pids)


async def test_a_watch_yields_until_it_is_closed_and_then_its_child_is_gone(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    seen = '{"type":"TokensSeen","modules":[],"softhsm":true}'
    code = (
        f"import os; open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f"import time\nwhile True: print({seen!r}, flush=True); time.sleep(0.01)"
    )
    count = 0
    async with aclosing(answering(code).watch(m.WatchTokens())) as watching:
        async for tokens in watching:
            assert tokens.softhsm
            count += 1
            if count == 3:
                break
    await require_gone(pids)


@pytest.mark.parametrize("code", ["", "print('x')", f"print({HERE!r})"])
async def test_a_watch_that_fails_is_a_refusal(code: str) -> None:
    watching = answering(code).watch(m.WatchTokens())
    with pytest.raises(SetUpRefused):
        await anext(watching)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return b") Z " in Path(f"/proc/{pid}/stat").read_bytes()


async def require_gone(pids: Path) -> None:
    found = [int(line) for line in pids.read_text().split()]  # noqa: ASYNC240
    assert found
    async with asyncio.timeout(30):
        while not all(map(gone, found)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
