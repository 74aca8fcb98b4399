"""Homes: folders with members in them, and why another folder is none."""

from dataclasses import dataclass
from pathlib import Path

from console.client import Profile, ProfileUnreadable, find_profiles
from ui.problem import Problem

_PROFILE, _ROSTER = "profile.json", "roster.toml"


@dataclass(frozen=True, slots=True)
class Found:
    """The members of a home, or the problem with it."""

    home: Path
    profiles: tuple[Profile, ...] = ()
    problem: Problem | None = None


def look(folder: Path) -> Found:
    """Return the members below a folder; none is no problem yet.

    Without a roster a member's set-up is not over: its node cannot start, and the start page
    offers to go on with it.
    """
    try:
        whole = (each for each in find_profiles(folder) if (each.directory / _ROSTER).is_file())
        return Found(folder, tuple(whole))
    except ProfileUnreadable:
        return Found(folder, problem=_damaged(folder))
    except OSError as error:
        return Found(folder, problem=_closed(folder, error))


def open_folder(folder: Path) -> Found:
    """Return the members of a chosen folder, which may be one member's own; none is a problem."""
    home = folder.parent if (folder / _PROFILE).is_file() else folder
    found = look(home)
    if found.profiles or found.problem is not None:
        return found
    return Found(home, problem=empty(home))


def empty(home: Path) -> Problem:
    """Return that a folder has no member in it, and what a home looks like."""
    return Problem(
        "no-member-here",
        f"There is no member in the folder \u201c{home.name or home}\u201d.",
        "Nothing was changed.",
        "Choose the folder that holds one folder for each member, with a file profile.json in "
        "each. Or create or join a vault.",
    )


def _damaged(home: Path) -> Problem:
    return Problem(
        "profile-damaged",
        f"A member\u2019s profile in \u201c{home.name or home}\u201d is damaged.",
        "Keys, shares and ledger are not affected.",
        "Restore the file profile.json in the member\u2019s folder from a backup, or move that "
        "folder away.",
    )


def _closed(home: Path, error: OSError) -> Problem:
    why = error.strerror or "the system refuses it"
    return Problem(
        "folder-unreadable",
        f"The folder \u201c{home.name or home}\u201d cannot be read: {why}.",
        "Nothing was changed.",
        "Check the folder\u2019s permissions, and try again.",
    )
