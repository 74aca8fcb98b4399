"""PIN back-off that survives a restart: 1, 2, 4 … 900 s after each wrong PIN.

Tokens differ in whether they count tries; some never lock. This count always applies.
"""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from console.application.errors import HsmError, PinLocked
from console.sealing.sealed_record import replace_file, sync_folder

LONGEST_WAIT_S = 900
_MAX_FILE = 256
_MAX_FAILURES = 1 << 20
_CAP_AT = 11  # 2^(11 - 1) s is the first wait above the longest


class PinBackoff:
    """Counts tries in a file, each before it is made, so that killing the process cannot hide it.

    There is no file while no PIN was wrong.

    `now_ms` is wall time, because the wait must outlive the process. Blocking, for one thread.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        self._before: tuple[int, int] | None = None

    def retry_after_s(self) -> float:
        """Return the seconds for which no PIN is accepted, 0.0 when a try is allowed."""
        failures, failed_at_ms = self._load()
        if failures == 0:
            return 0.0
        wait_ms = wait_after(failures) * 1000
        elapsed_ms = self._now_ms() - failed_at_ms
        # A clock set back must not shorten the wait, and cannot lengthen it beyond one wait.
        remaining_ms = wait_ms if elapsed_ms < 0 else wait_ms - elapsed_ms
        return max(0, remaining_ms) / 1000

    def failures(self) -> int:
        """Return how many PINs in a row were wrong."""
        return self._load()[0]

    def begin_try(self) -> None:
        """Count a try as failed until `succeeded` says otherwise. Raises: PinLocked, HsmError."""
        wait_s = self.retry_after_s()
        if wait_s > 0:
            raise PinLocked(f"too many wrong PINs; the next try is in {wait_s:.0f} s", wait_s)
        self._before = self._load()
        self._store(self._before[0] + 1, self._now_ms())

    def succeeded(self) -> None:
        """Reset the count of failures. Raises: HsmError."""
        # Removing needs no space: on a full disk a right PIN must not count as a wrong one.
        try:
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)
        except OSError as error:
            raise _not_kept(error) from None

    def not_tried(self) -> None:
        """Uncount the last try: the token did not judge it."""
        if self._before is None:
            return
        with contextlib.suppress(HsmError):  # What kept the token from judging is told instead.
            if self._before[0] == 0:
                self.succeeded()
            else:
                self._store(*self._before)

    def _load(self) -> tuple[int, int]:
        try:
            text = self._path.read_bytes()[: _MAX_FILE + 1]
        except FileNotFoundError:
            return 0, 0
        except OSError as error:
            raise HsmError(f"the PIN back-off file cannot be read: {error.strerror}") from None
        try:
            return _parse(text)
        except ValueError:
            # A damaged file counts as the longest wait: deleting bytes must not buy tries.
            now_ms = self._now_ms()
            self._store(_CAP_AT, now_ms)
            return _CAP_AT, now_ms

    def _store(self, failures: int, failed_at_ms: int) -> None:
        body = {"failures": min(failures, _MAX_FAILURES), "failed_at_ms": failed_at_ms}
        try:
            replace_file(self._path, json.dumps(body).encode("ascii"))
        except OSError as error:
            raise _not_kept(error) from None


def _not_kept(error: OSError) -> HsmError:
    return HsmError(f"the PIN back-off file cannot be kept: {error.strerror}")


def wait_after(failures: int) -> int:
    """Return the wait in seconds after so many wrong PINs in a row."""
    return 0 if failures < 1 else min(LONGEST_WAIT_S, 1 << min(failures - 1, _CAP_AT))


def _parse(text: bytes) -> tuple[int, int]:
    if len(text) > _MAX_FILE:
        raise ValueError("too long")
    body = json.loads(text)
    if not isinstance(body, dict) or set(body) != {"failures", "failed_at_ms"}:
        raise ValueError("not a back-off record")
    failures, failed_at_ms = body["failures"], body["failed_at_ms"]
    if type(failures) is not int or type(failed_at_ms) is not int:
        raise ValueError("not whole numbers")
    if not 0 <= failures <= _MAX_FAILURES or failed_at_ms < 0:
        raise ValueError("out of range")
    return failures, failed_at_ms
