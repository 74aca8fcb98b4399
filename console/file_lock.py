"""A lock on a file, held by one process at a time; the system releases it when the process ends."""

import errno
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})


def take(path: Path) -> int | None:
    """Lock a file without waiting, making it if it is missing; return its descriptor, or None.

    Closing the descriptor releases the lock. Raises: OSError if the file cannot be opened, or its
    file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _HELD:
            return None
        raise OSError(error.errno, error.strerror, str(path)) from None
    return descriptor
