"""Rosters: with one, a member's set-up is over and its node can start."""

from contextlib import suppress
from pathlib import Path

from console.domain.ids import member_id
from console.settings import (
    MemberFiles,
    Roster,
    RosterEntry,
    SettingsInvalid,
    read_entries,
    read_roster,
    read_settings,
    require_own_keys,
    write_toml,
)
from console.unfinished import (
    FRESH_ROSTER,
    JOURNAL_FILE,
    UnfinishedSetUp,
    put_in_place,
    set_up_held,
)


def open_vault(home: Path, member: str, roster: Roster) -> None:
    """Write a member's roster and end its set-up: its node can start. Blocking.

    Raises: SettingsInvalid if it has another roster already, or none can be written.
    """
    files = MemberFiles(home / member_id(member))
    with set_up_held(files.directory):
        read_settings(files)
        if files.roster.exists() and read_roster(files) != roster:
            raise SettingsInvalid(f"{member} belongs to another vault already")
        if not {*read_entries(files.entry)} & {*roster.members, roster.joining}:
            raise SettingsInvalid(f"the entry of {member} has changed since it was compared")
        _put_roster(files, roster)


def write_roster(home: Path, entries: tuple[RosterEntry, ...]) -> None:
    """Write the same roster for every member that is set up below `home`. Raises: SettingsInvalid.

    One whose keys or files are not made yet gets none: its set-up could not be discarded any more.
    """
    for entry in entries:
        files = MemberFiles(home / member_id(entry.member))
        if files.settings.exists():
            with set_up_held(files.directory):
                _put_roster(files, Roster(entries))


def join_vault(home: Path, member: str, founders: tuple[RosterEntry, ...]) -> RosterEntry:
    """Join a vault with a new machine; return its entry, which founders then endorse.

    `founders` are the entries of the vault's roster file, which every member has.
    Raises: SettingsInvalid.
    """
    files = MemberFiles(home / member_id(member))
    with set_up_held(files.directory):
        read_settings(files)
        (entry,) = read_entries(files.entry)
        if entry in founders:
            raise SettingsInvalid(
                f"{member} is a founder with this machine; it has nothing to join"
            )
        _put_roster(files, Roster(founders, entry))
    return entry


def end_if_whole(home: Path, member: str) -> bool:
    """End the set-up of a member that has its roster, after a crash in between; return if it has.

    Raises: OSError if that cannot be seen.
    """
    files = MemberFiles(home / member_id(member))
    if not (files.roster.exists() and files.settings.exists()):
        return False
    if (files.directory / JOURNAL_FILE).exists():
        # What cannot be ended now is ended another time: the member is whole all the same.
        with suppress(SettingsInvalid, OSError), set_up_held(files.directory):
            UnfinishedSetUp(files.directory).finish()
    return True


def _put_roster(files: MemberFiles, roster: Roster) -> None:
    """Write the roster, and end the set-up. Addresses in it may change. Raises: SettingsInvalid."""
    if files.roster.exists() and files.ledger.exists():
        known = roster
        with suppress(SettingsInvalid):  # One that is damaged is repaired.
            known = read_roster(files)
        if _keys_of(known) != _keys_of(roster):
            raise SettingsInvalid(
                f"the ledger in {files.directory} was begun with another roster. Nothing was "
                "changed there: a vault's members change in the vault itself"
            )
    require_own_keys(roster)
    fresh = files.directory / FRESH_ROSTER
    write_toml(fresh, roster)
    put_in_place(fresh, files.roster)
    UnfinishedSetUp(files.directory).finish()


def _keys_of(roster: Roster) -> set[tuple[str, str]]:
    """Return what a vault is known by: its founders' keys."""
    return {(entry.member, entry.identity_key) for entry in roster.members}
