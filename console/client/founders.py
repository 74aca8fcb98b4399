"""Founders: the entries of those who began a member's vault, for a machine that joins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

ROSTER_FILE = "roster.toml"
_MAX_BYTES = 1024 * 1024
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class FoundersUnreadable(Exception):
    """A member's roster file is missing or damaged; the node's data is not affected."""


@dataclass(frozen=True, slots=True)
class Founder:
    """One founder, and its entry as `quorate founders` prints it. It holds no secret."""

    member: str
    name: str
    line: str


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as roster files have it; `console.settings` writes them."""

    member: _Text
    name: _Text
    address: _Text
    identity_key: _Text
    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


class _Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    members: Annotated[tuple[_Entry, ...], msgspec.Meta(min_length=1, max_length=64)]
    joining: _Entry | None = None


def founders(directory: Path) -> tuple[Founder, ...]:
    """Return the founders of the vault of a member's directory. Raises: FoundersUnreadable."""
    path = directory / ROSTER_FILE
    try:
        if not path.is_file():
            raise FoundersUnreadable
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise FoundersUnreadable
        roster = msgspec.toml.decode(data, type=_Roster)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError):
        raise FoundersUnreadable from None
    return tuple(
        Founder(entry.member, entry.name, msgspec.json.encode(entry).decode())
        for entry in roster.members
    )
