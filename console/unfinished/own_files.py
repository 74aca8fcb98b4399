"""What a set-up made in a member's directory: folders with its mark, and files by name."""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from console.sealing.sealed_record import sync_folder
from console.settings import SettingsInvalid

MARK = ".set-up"
_LEFT = re.compile(r"\A(.{1,64})\.[0-9a-f]{16}\.tmp\Z", re.DOTALL)
"""The name of a temporary file of `replace_file` and `create_file`."""


class OwnFiles:
    """The files of one set-up. Blocking.

    A folder is its own if it has the set-up's identifier in it, or nothing at all: a journal
    that is left does not make others' keys nobody's.
    """

    def __init__(self, directory: Path, identifier: bytes) -> None:
        self._directory = directory
        self._identifier = identifier

    def make_folder(self, name: str) -> Path:
        """Make a folder of this set-up, or return the one that it made. Raises: OSError."""
        folder = self._directory / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if not self._is_own(folder):
            raise self._refusal([name])
        (folder / MARK).write_text(self._identifier.hex())
        # Keys that outlive their mark in a loss of power would be somebody's.
        for path in (folder / MARK, folder, self._directory):
            sync_folder(path)  # A file is synced in the same way.
        return folder

    def require(self, names: Iterable[str]) -> None:
        """Check that what is there of these names is this set-up's. Raises: SettingsInvalid."""
        others = [name for name in names if not self._may_remove(self._directory / name)]
        if others:
            raise self._refusal(others)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files and folders, all or none of them. Raises: SettingsInvalid, OSError."""
        known = tuple(names)
        self.require(known)
        for name in known:
            path = self._directory / name
            if path.is_dir() and not path.is_symlink():
                # The mark goes last: it says whose the rest is, if this ends in the middle.
                for each in path.iterdir():
                    if each.is_dir() and not each.is_symlink():
                        shutil.rmtree(each)
                    elif each.name != MARK:
                        each.unlink()
                (path / MARK).unlink(missing_ok=True)
                path.rmdir()
            else:
                path.unlink(missing_ok=True)

    def sweep(self, names: Iterable[str]) -> None:
        """Remove temporary files that a crash left of these names, and no others."""
        known = frozenset(names)
        for path in self._directory.iterdir():
            left = _LEFT.match(path.name)
            if left and left[1] in known and path.is_file():
                path.unlink()

    def hand_over(self, names: Iterable[str]) -> None:
        """Take the marks away: the folders are the member's from now on."""
        for name in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                (self._directory / name / MARK).unlink()
                sync_folder(self._directory / name)

    def _may_remove(self, path: Path) -> bool:
        if not path.is_dir() or path.is_symlink():
            return True
        return self._is_own(path)

    def _is_own(self, folder: Path) -> bool:
        # A mark alone may be half-written.
        if folder.is_symlink():
            return False
        if {path.name for path in folder.iterdir()} <= {MARK}:
            return True
        try:
            with (folder / MARK).open("rb") as file:
                return file.read(256) == self._identifier.hex().encode()
        except FileNotFoundError:
            return False

    def _refusal(self, names: list[str]) -> SettingsInvalid:
        return SettingsInvalid(
            f"{self._directory} has files already that this set-up did not make "
            f"({', '.join(names)}). They are not touched: move them away, or choose another name "
            "or home"
        )
