"""Drafts: set-ups that are not over, one file each below the home; they hold no PIN."""

from contextlib import suppress
from pathlib import Path

import msgspec

from console.client.set_up.messages import (
    MAX_LINE_BYTES,
    Draft,
    DraftKept,
    KeepDraft,
)
from console.domain.ids import member_id
from console.sealing.sealed_record import replace_file
from console.set_up.refusing import NotDone

FOLDER, _SUFFIX = ".set-up", ".json"
_MAX_DRAFTS = 64


class DraftDamaged(Exception):
    """A draft's file cannot be read."""


def keep(home: Path, question: KeepDraft) -> DraftKept:
    """Write a draft; a crash leaves the earlier one or this one. Raises: MalformedIdentifier."""
    path = _path(home, question.draft.member)
    if not path.exists() and len(_files(home)) >= _MAX_DRAFTS:
        raise NotDone(
            "too-many-drafts",
            f"{_MAX_DRAFTS} set-ups are begun here and not over.",
            "Nothing was changed.",
            "Throw one of them away on the start page first.",
        )
    replace_file(path, msgspec.json.encode(question.draft))
    return DraftKept()


def forget(home: Path, member: str) -> None:
    """Remove a member's draft, if there is one."""
    _path(home, member).unlink(missing_ok=True)
    folder = home / FOLDER
    # Another process may keep a draft there at this moment.
    with suppress(OSError):
        folder.rmdir()


def find(home: Path) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Return the drafts, by member, and the paths of those that cannot be read."""
    drafts, damaged = [], []
    for path in _files(home)[:_MAX_DRAFTS]:
        try:
            drafts.append(_read(path))
        except DraftDamaged:
            damaged.append(str(path)[:2048])
    return tuple(drafts), tuple(damaged)


def is_kept(home: Path, member: str) -> bool:
    """Return whether a member has a draft, readable or not."""
    return _path(home, member).exists()


def _files(home: Path) -> list[Path]:
    return sorted((home / FOLDER).glob(f"*{_SUFFIX}"))


def _path(home: Path, member: str) -> Path:
    return home / FOLDER / f"{member_id(member)}{_SUFFIX}"


def _read(path: Path) -> Draft:
    """Read a draft, strictly. Raises: DraftDamaged."""
    try:
        if path.is_symlink() or not path.is_file():
            raise DraftDamaged
        with path.open("rb") as file:
            data = file.read(MAX_LINE_BYTES + 1)
        if len(data) > MAX_LINE_BYTES:
            raise DraftDamaged
        draft = msgspec.json.decode(data, type=Draft)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        raise DraftDamaged from None
    if f"{draft.member}{_SUFFIX}" != path.name:
        raise DraftDamaged
    return draft
