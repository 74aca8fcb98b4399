"""Profiles: the members whose node runs on this machine, for the window's choice."""

import json
from dataclasses import dataclass
from pathlib import Path

PROFILE_FILE = "profile.json"
_MAX_BYTES = 4096


class ProfileUnreadable(Exception):
    """A member's profile file is damaged; the node's data is not affected."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One member on this machine: its names, and the directory of its client certificate."""

    member: str
    name: str
    directory: Path


def find_profiles(home: Path) -> tuple[Profile, ...]:
    """Return the members below `home`, by name. Raises: ProfileUnreadable."""
    return tuple(
        sorted(
            (_read(path) for path in home.glob(f"*/{PROFILE_FILE}")),
            key=lambda profile: profile.member,
        )
    )


def write_profile(profile: Profile) -> None:
    """Write a member's profile file; it holds no secret."""
    path = profile.directory / PROFILE_FILE
    path.write_text(json.dumps({"member": profile.member, "name": profile.name}) + "\n")


def _read(path: Path) -> Profile:
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_MAX_BYTES))
        return Profile(str(data["member"]), str(data["name"]), path.parent)
    except (OSError, ValueError, KeyError, TypeError):
        raise ProfileUnreadable(f"{path} cannot be read as a profile") from None
