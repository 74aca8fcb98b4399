"""The lock of a member's set-up: one process at a time makes keys, finishes, opens or discards."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from console import file_lock
from console.settings import SettingsInvalid

_TRIES, BETWEEN_S = 20, 0.05
"""Who was killed a moment ago has children that end a moment later."""
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


class SetUpBusy(SettingsInvalid):
    """Another process goes on with the same set-up."""


@contextmanager
def set_up_held(directory: Path, whose: str = "") -> Iterator[None]:
    """Hold the set-up of a directory, which need not exist. Raises: SetUpBusy, SettingsInvalid.

    The lock's file is beside the directory, and gone when nobody holds it. `whose` names the set-up
    for people, if not by the directory.
    """
    # Two paths of one directory have one lock.
    real = directory.resolve()
    path = real.with_name(f".{real.name}.set-up.lock")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = _taken(path, whose or f"the set-up of {directory.name}")
    try:
        yield
    finally:
        # While it is held: who opens the old file from now on sees that it has gone.
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _taken(path: Path, whose: str) -> int:
    for tried in range(_TRIES):
        if tried:
            time.sleep(BETWEEN_S)
        try:
            descriptor = file_lock.take(path)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise SettingsInvalid(
                    f"the file system of {path.parent} keeps no locks, so two set-ups there could "
                    "not be kept apart. Choose a home on a disk of this machine"
                ) from None
            raise
        if descriptor is None:
            continue
        if _is_there(path, descriptor):
            return descriptor
        os.close(descriptor)  # Its last holder removed it after we had opened it.
    raise SetUpBusy(
        f"another process goes on with {whose} at this moment: another window, or `quorate` in a "
        "terminal. Nothing was changed; wait until it has ended, then try again"
    )


def _is_there(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False
