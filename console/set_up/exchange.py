"""The exchange of entries: reading an invitation, and opening the vault with it."""

from pathlib import Path

import msgspec

from console.application.peers.machines import Machine, read_entry
from console.client.set_up.messages import (
    MAX_ENTRIES,
    EntriesRead,
    EntrySeen,
    OpenVault,
    Purpose,
    ReadEntries,
    VaultReady,
)
from console.domain.errors import Conflict, MalformedIdentifier
from console.provisioning import open_vault
from console.set_up import drafts
from console.set_up.refusing import NotDone
from console.settings import (
    MemberFiles,
    Roster,
    RosterEntry,
    SettingsInvalid,
    entry_line,
    read_entries,
)

_NOTHING = "Nothing was written."


def read(question: ReadEntries) -> EntriesRead:
    """Read the entries of a text, one a line. Raises: NotDone naming the line."""
    lines = [line.strip() for line in question.text.splitlines() if line.strip()]
    if not lines:
        raise _unreadable("There is no entry in this.")
    if len(lines) > MAX_ENTRIES:
        raise _unreadable(f"There are {len(lines)} lines; at most {MAX_ENTRIES} are read.")
    seen: list[EntrySeen] = []
    for number, line in enumerate(lines, start=1):
        entry = _read_line(line, f"Line {number}" if len(lines) > 1 else "This")
        if any(other.member == entry.member for other in seen):
            raise _unreadable(f"Line {number} is a second entry of {entry.member}.")
        seen.append(entry)
    return EntriesRead(entries=tuple(seen))


def entry_seen(entry: RosterEntry) -> EntrySeen:
    """Return a machine's own entry as others see it."""
    line = entry_line(entry)
    return _seen(read_entry(line), line)


def open_(home: Path, question: OpenVault) -> VaultReady:
    """Write the member's roster. Raises: NotDone, SettingsInvalid."""
    draft = question.draft
    own = own_entry(home, draft.member)
    if draft.entry != entry_line(own):
        raise NotDone(
            "entry-changed",
            "This machine's entry has changed since it was compared.",
            _NOTHING,
            "Go back one step and forward again, give the others this entry, and compare again.",
        )
    others = _entries(draft.lines)
    if draft.purpose is Purpose.CREATE:
        rest = tuple(entry for entry in others if entry != own)
        if any(entry.member == own.member for entry in rest):
            raise NotDone(
                "entry-twice",
                f"The entries hold another one of {own.member}, this machine's identifier.",
                _NOTHING,
                "Ask who sent it: two members of a vault have different identifiers.",
            )
        if not rest:
            raise NotDone(
                "no-others",
                "A vault has at least two members, and no other one's entry was read.",
                _NOTHING,
                "Read the entries of the other members.",
            )
        members = sorted((own, *rest), key=lambda entry: entry.member)
        roster = Roster(tuple(members))
    else:
        if not others:
            raise NotDone(
                "no-founders",
                "The founders' entries were not read yet.",
                _NOTHING,
                "Ask a member for them: Recovery, Machines, Founders' entries.",
            )
        if own in others:
            raise NotDone(
                "is-founder",
                f"{own.member} is a founder with this machine; it has nothing to join.",
                _NOTHING,
                "Create the vault with these entries instead.",
            )
        roster = Roster(others, own)
    open_vault(home, draft.member, roster)
    drafts.forget(home, draft.member)
    return VaultReady(member=draft.member)


def own_entry(home: Path, member: str) -> RosterEntry:
    """Return this machine's entry. Raises: NotDone if the member is not finished."""
    try:
        (entry,) = read_entries(MemberFiles(home / member).entry)
    except (SettingsInvalid, ValueError):
        raise NotDone(
            "not-finished",
            f"The files of {member} are not written yet.",
            _NOTHING,
            "Go back one step, and forward again.",
        ) from None
    return entry


def _entries(lines: tuple[str, ...]) -> tuple[RosterEntry, ...]:
    if not lines:
        return ()
    seen = read(ReadEntries(text="\n".join(lines))).entries
    return tuple(msgspec.json.decode(entry.line, type=RosterEntry) for entry in seen)


def _read_line(line: str, which: str) -> EntrySeen:
    try:
        return _seen(read_entry(line), line)
    except (Conflict, MalformedIdentifier) as wrong:
        raise _unreadable(f"{which} cannot be read: {wrong}.") from None


def _seen(machine: Machine, line: str) -> EntrySeen:
    return EntrySeen(
        member=machine.member,
        name=machine.name,
        address=machine.address,
        code=machine.code,
        line=line,
    )


def _unreadable(what: str) -> NotDone:
    return NotDone(
        "entry-unreadable",
        what,
        "Nothing was taken over.",
        "Ask the member to send the file again, or scan the code again.",
    )
