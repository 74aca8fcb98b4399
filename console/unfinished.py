"""A set-up that is not over: its identifier in a file, and the files that it may have made."""

import secrets
import shutil
from pathlib import Path

from console.client.profiles import PROFILE_FILE
from console.client.remote import ADDRESS_FILE
from console.sealing.sealed_record import create_file
from console.settings import ENTRY_FILE, SETTINGS_FILE, SettingsInvalid

SOFTHSM_CONF = "softhsm2.conf"
JOURNAL_FILE = "set-up"
FRESH_SETTINGS = f"{SETTINGS_FILE}.new"
_MADE = (
    *("tls", "tokens", "vault", SOFTHSM_CONF),
    *(ADDRESS_FILE, PROFILE_FILE, ENTRY_FILE, FRESH_SETTINGS),
)
_SIZE = 16


class UnfinishedSetUp:
    """One member's set-up in its directory. Blocking.

    The identifier is written before anything is made and removed when the settings are written. So
    files beside it are nobody's yet, and keys in a token that carry it belong to no member.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._journal = directory / JOURNAL_FILE

    def begin(self) -> bytes:
        """Begin, or begin again after a crash; return the identifier, 16 bytes.

        Raises: SettingsInvalid if the directory has files that no set-up of this kind left.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory.chmod(0o700)
        if self._journal.exists():
            identifier = self._identifier()
            self._remove_files()
            return identifier
        there = [name for name in (*_MADE, SETTINGS_FILE) if (self._directory / name).exists()]
        if there:
            raise SettingsInvalid(
                f"{self._directory} has files already ({', '.join(there)}). They are not touched: "
                "move them away, or choose another name or home"
            )
        identifier = secrets.token_bytes(_SIZE)
        create_file(self._journal, identifier.hex().encode())
        return identifier

    def finish(self) -> None:
        """End it: what was made is the member's from now on."""
        self._journal.unlink(missing_ok=True)

    def undo(self, *, keep: bool) -> None:
        """Remove the files; `keep` the identifier if the token still holds what it made."""
        self._remove_files()
        (self._directory / SETTINGS_FILE).unlink(missing_ok=True)
        if keep:
            return
        self._journal.unlink(missing_ok=True)
        if not any(self._directory.iterdir()):
            self._directory.rmdir()

    def _remove_files(self) -> None:
        for name in _MADE:
            path = self._directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _identifier(self) -> bytes:
        try:
            identifier = bytes.fromhex(self._journal.read_bytes()[: 4 * _SIZE].decode("ascii"))
        except (OSError, ValueError):
            identifier = b""
        if len(identifier) != _SIZE:
            raise SettingsInvalid(f"{self._journal} is damaged; which keys are left is not known")
        return identifier
