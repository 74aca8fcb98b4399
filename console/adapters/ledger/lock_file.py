"""LockFile: only one opener in one process has the ledger."""

import os
import sys
from pathlib import Path

from console.application.errors import LedgerUnavailable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class LockFile:
    """An advisory lock beside the ledger. The file stays: removing it would race an opener."""

    def __init__(self, path: Path) -> None:
        """Take the lock without waiting. Raises: LedgerUnavailable."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LedgerUnavailable(f"the ledger cannot be locked: {error.strerror}") from None
        try:
            if sys.platform == "win32":
                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise LedgerUnavailable("the ledger is already open, here or elsewhere") from None

    def release(self) -> None:
        """Release the lock, by closing the file."""
        os.close(self._descriptor)
