"""PinBackoff: the waits, and what a file that was played with does."""

import errno
from pathlib import Path

import pytest

from console.application.errors import HsmError, PinLocked
from console.sealing.pin_backoff import PinBackoff, wait_after

NOW_MS = 1_900_000_000_000


class Clock:
    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backoff(tmp_path: Path, clock: Clock) -> PinBackoff:
    return PinBackoff(tmp_path / "backoff", clock)


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures) for failures in range(13)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert wait_after(10**6) == 900


def test_a_try_counts_before_it_is_made(tmp_path: Path, clock: Clock, backoff: PinBackoff) -> None:
    backoff.begin_try()
    restarted = PinBackoff(tmp_path / "backoff", clock)
    assert restarted.retry_after_s() == 1
    with pytest.raises(PinLocked):
        restarted.begin_try()


def test_success_forgets_all_failures(clock: Clock, backoff: PinBackoff) -> None:
    for _ in range(3):
        backoff.begin_try()
        clock.ms += 900_000
    backoff.begin_try()
    backoff.succeeded()
    assert backoff.retry_after_s() == 0
    backoff.begin_try()
    assert backoff.retry_after_s() == 1


def test_a_try_that_was_none_is_taken_back(clock: Clock, backoff: PinBackoff) -> None:
    backoff.begin_try()
    clock.ms += 1000
    backoff.begin_try()
    backoff.not_tried()
    assert backoff.retry_after_s() == 0
    backoff.begin_try()
    assert backoff.retry_after_s() == 2


def test_a_clock_set_back_does_not_shorten_the_wait(clock: Clock, backoff: PinBackoff) -> None:
    backoff.begin_try()
    clock.ms -= 10_000_000
    assert backoff.retry_after_s() == 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"failures": -1, "failed_at_ms": 0}',
        b'{"failures": true, "failed_at_ms": 0}',
        b'{"failures": 1.0, "failed_at_ms": 0}',
        b'{"failures": 0, "failed_at_ms": 0, "x": 0}',
        b" " * 300,
    ],
)
def test_a_damaged_file_is_the_longest_wait(
    tmp_path: Path, clock: Clock, backoff: PinBackoff, text: bytes
) -> None:
    (tmp_path / "backoff").write_bytes(text)
    assert backoff.retry_after_s() == 900
    clock.ms += 899_000
    assert backoff.retry_after_s() == 1
    clock.ms += 1000
    backoff.begin_try()


def test_a_right_pin_is_none_that_was_wrong_although_nothing_can_be_written(
    backoff: PinBackoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ended in (backoff.succeeded, backoff.not_tried):
        backoff.begin_try()
        with monkeypatch.context() as full:
            full.setattr("console.sealing.pin_backoff.replace_file", no_space)
            ended()
        assert backoff.retry_after_s() == 0


def test_what_kept_a_token_from_judging_is_told_and_not_the_disk(
    clock: Clock, backoff: PinBackoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    backoff.begin_try()
    clock.ms += 1000
    backoff.begin_try()
    monkeypatch.setattr("console.sealing.pin_backoff.replace_file", no_space)
    backoff.not_tried()
    assert backoff.retry_after_s() == 2


def test_a_first_try_that_was_none_is_told_as_what_it_was(
    backoff: PinBackoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    backoff.begin_try()
    monkeypatch.setattr("console.sealing.pin_backoff.sync_folder", fails)
    backoff.not_tried()
    with pytest.raises(HsmError, match="cannot be kept"):
        backoff.succeeded()


def no_space(path: Path, _data: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
