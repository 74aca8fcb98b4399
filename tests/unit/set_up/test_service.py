"""The process's end: its questions are read strictly, and its failures answered without secrets."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from console.application.errors import (
    ChainUnavailable,
    HsmError,
    KeyCheckFailed,
    PinLocked,
    TokenMissing,
    WrongPin,
)
from console.client.set_up import messages as m
from console.domain.errors import MalformedIdentifier
from console.provisioning import PinNeeded
from console.set_up import service
from console.set_up.refusing import NotDone, refused
from console.settings import SettingsInvalid
from console.unfinished import SetUpBusy
from hsm import SetUpUnfinished, SetUpUnproven, TokenInsufficient, TokenTaken

PIN = "31415926"


def answered(home: Path, line: bytes) -> list[m.Answer]:
    answers: list[m.Answer] = []
    buffer = bytearray(line)
    service.answer_one(home, buffer, answers.append)
    assert not any(buffer), "the line is wiped"
    return answers


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"type":"Unknown"}',
        b'{"type":"LookHere","more":1}',
        b'{"type":"DiscardTrial"} {"type":"LookHere"}',
        b'{"type":"JudgeName","name":"' + b"x" * 129 + b'"}',
        b'{"type":"MakeKeys","pin":"' + PIN.encode() + b'"}',
        b'{"type":"MakeKeys","draft":null,"pin":"' + PIN.encode() + b'","x":"' + b"\xff" + b'"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_question_is_refused_and_not_quoted(tmp_path: Path, line: bytes) -> None:
    (answer,) = answered(tmp_path, line)
    assert isinstance(answer, m.Refused)
    assert answer.code == "question-unreadable"
    assert PIN not in repr(answer)


def test_an_unexpected_failure_quotes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> m.KeysMade:
        raise RuntimeError(f"the PIN was {PIN}")

    monkeypatch.setattr(service.members, "make", fail)
    draft = m.Draft(member="ana", name="Ana", purpose=m.Purpose.CREATE)
    (answer,) = answered(tmp_path, msgspec.json.encode(m.MakeKeys(draft=draft, pin=PIN)))
    assert isinstance(answer, m.Refused)
    assert answer.code == "unexpected"
    assert PIN not in repr(answer)
    assert "RuntimeError" not in repr(answer)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WrongPin("the token refused the PIN"), "wrong-pin"),
        (PinLocked("one try is left"), "pin-locked"),
        (TokenMissing("no token"), "token-missing"),
        (TokenInsufficient("no GCM"), "token-insufficient"),
        (SetUpUnfinished("some is left"), "set-up-unfinished"),
        (SetUpUnproven("it may be a member's"), "set-up-unproven"),
        (TokenTaken("the token holds keys"), "token-taken"),
        (SetUpBusy("another process goes on with it"), "set-up-busy"),
        (KeyCheckFailed("another key"), "key-check-failed"),
        (PinNeeded("keys are in the token"), "pin-needed"),
        (HsmError("failed"), "token-error"),
        (ChainUnavailable("no answer"), "chain-unavailable"),
        (MalformedIdentifier("not a name"), "not-proper"),
        (SettingsInvalid("exists already"), "set-up-refused"),
        (OSError(errno.ENOSPC, "No space left on device", "/some/file"), "file-error"),
        (OSError(), "file-error"),
        (NotDone("own-code", "What.", "Safe.", "Next."), "own-code"),
        (KeyError("x"), "unexpected"),
    ],
)
def test_every_failure_says_what_is_safe_and_what_to_do(error: Exception, code: str) -> None:
    answer = refused(error)
    assert answer.code == code
    for sentence in (answer.what, answer.safe, answer.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "Error" not in sentence


def test_a_long_or_odd_text_is_cut_to_a_line() -> None:
    answer = refused(SettingsInvalid("a\nb\x1b[31m" + "x" * 9000))
    assert len(answer.what) <= 2048
    assert answer.what.isprintable()


def test_a_line_is_read_from_a_pipe_in_pieces_and_bounded() -> None:
    assert read_through_pipe([b'{"type":', b'"LookHere"}\nrest']) == b'{"type":"LookHere"}'
    assert read_through_pipe([b"no end"]) == b"no end"
    assert read_through_pipe([b"x" * 65_536] * 17) == b""


def read_through_pipe(pieces: list[bytes]) -> bytes:
    read, write = os.pipe()

    def send() -> None:
        try:
            for piece in pieces:
                os.write(write, piece)
        except BrokenPipeError:
            pass
        finally:
            os.close(write)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return bytes(service.read_line(read))
    finally:
        os.close(read)
        sender.join()


def ask(home: Path, question: m.Question) -> m.Answer:
    (answer,) = answered(home, msgspec.json.encode(question))
    return answer


@pytest.fixture
def there(tmp_path: Path) -> Callable[[m.Question], m.Answer]:
    return lambda question: ask(tmp_path / "home", question)


def test_presets_hold_no_address_but_this_machines(
    there: Callable[[m.Question], m.Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = there(m.GetPresets())
    assert isinstance(presets, m.Presets)
    urls = [url for preset in presets.presets for url in preset.urls]
    assert urls
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
    assert len(presets.presets) == 9
    monkeypatch.setattr("console.set_up.presets.local_chains_installed", lambda: False)
    presets = there(m.GetPresets())
    assert isinstance(presets, m.Presets)
    assert {preset.network for preset in presets.presets} == {"mainnet", "testnet"}


def test_without_its_parts_no_demonstration_is_offered(
    there: Callable[[m.Question], m.Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.set_up.trial.local_chains_installed", lambda: False)
    here = there(m.LookHere())
    assert isinstance(here, m.Here)
    assert "local chains" in here.trial_possible
    made = there(m.MakeTrial())
    assert isinstance(made, m.Refused)
    assert made.what == here.trial_possible
    monkeypatch.undo()
    monkeypatch.setattr("console.set_up.trial.softhsm_is_here", lambda: False)
    here = there(m.LookHere())
    assert isinstance(here, m.Here)
    assert "SoftHSM" in here.trial_possible


def test_a_demonstration_that_is_not_there_is_discarded_all_the_same(
    there: Callable[[m.Question], m.Answer],
) -> None:
    assert there(m.DiscardTrial()) == m.Discarded()
