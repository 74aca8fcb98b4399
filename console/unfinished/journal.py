"""The journal of a set-up: its identifier, where keys may be, and in which directory it began."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from console.settings import SettingsInvalid, VaultSettings
from hsm import Standing

JOURNAL_FILE, PLACE_FILE = "set-up", "set-up.place"
IDENTIFIER_SIZE = 16
_LONGEST = 8192


class Origin(StrEnum):
    """Whether a journal is where its set-up began."""

    HERE = "here"
    COPY = "copy"
    """A copy of the directory, or the directory after a move to another disk."""
    UNKNOWN = "unknown"
    """Of a version that did not note it."""


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The journal's content. Older ones have the identifier alone, in hexadecimal."""

    identifier: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    vault: VaultSettings | None = None
    identity_key: Annotated[str, msgspec.Meta(pattern=r"\A(04[0-9a-f]{128})?\Z")] = ""
    standing: Standing = Standing.UNPROVEN
    place: Annotated[int, msgspec.Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What a set-up has kept: `vault` is where keys may be, `identity_key` is b"" until they are.

    `standing`: what the token's make says of keys of a main network. `place`: what `make_place`
    returned, 0 in journals of before.
    """

    identifier: bytes
    vault: VaultSettings | None = None
    identity_key: bytes = b""
    standing: Standing = Standing.UNPROVEN
    place: int = 0

    def origin(self, directory: Path) -> Origin:
        """Return whether the set-up began in this directory."""
        if not self.place:
            return Origin.UNKNOWN
        return Origin.HERE if _place_of(directory) == self.place else Origin.COPY

    def encode(self) -> bytes:
        """Encode the journal."""
        return msgspec.json.encode(
            _Written(
                self.identifier.hex(),
                self.vault,
                self.identity_key.hex(),
                self.standing,
                self.place,
            )
        )


def read_journal(path: Path) -> Journal | None:
    """Return a journal, None if there is none. Raises: SettingsInvalid."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        written = _decoded(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.MsgspecError):
        raise SettingsInvalid(
            f"{path} is damaged; which keys are left is not known. Nothing was removed: restore "
            "that file from a copy, or move its folder away and remove what is in the token with "
            "its maker's program"
        ) from None
    return Journal(
        identifier=bytes.fromhex(written.identifier),
        vault=written.vault,
        identity_key=bytes.fromhex(written.identity_key),
        standing=written.standing,
        place=written.place,
    )


def make_place(directory: Path) -> int:
    """Mark the directory as the one where a set-up begins; return the mark, never 0.

    No copy has it: it is the time of an empty file's last change, which the system sets alone.
    """
    path = directory / PLACE_FILE
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return _place_of(directory)


def _place_of(directory: Path) -> int:
    try:
        return (directory / PLACE_FILE).lstat().st_ctime_ns
    except OSError:
        return 0


def _decoded(data: bytes) -> _Written:
    if len(data) > _LONGEST:
        raise ValueError("too long")
    if data.startswith(b"{"):
        return msgspec.json.decode(data, type=_Written)
    identifier = bytes.fromhex(data.decode("ascii"))
    if len(identifier) != IDENTIFIER_SIZE:
        raise ValueError("not an identifier")
    return _Written(identifier.hex())
