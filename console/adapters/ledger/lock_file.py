"""LockFile: only one opener in one process has the ledger."""

import os
from pathlib import Path

from console import file_lock
from console.application.errors import LedgerUnavailable


class LockFile:
    """An advisory lock beside the ledger. The file stays: removing it would race an opener."""

    def __init__(self, path: Path) -> None:
        """Take the lock without waiting. Raises: LedgerUnavailable."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = file_lock.take(path)
        except OSError as error:
            raise LedgerUnavailable(f"the ledger cannot be locked: {error.strerror}") from None
        if descriptor is None:
            raise LedgerUnavailable("the ledger is already open, here or elsewhere")
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock, by closing the file."""
        os.close(self._descriptor)
