"""The founders' entries as the window hands them on: the very lines that members read."""

from pathlib import Path

import pytest

from console.client import Founder, FoundersUnreadable, founders
from console.settings import MemberFiles, Roster, RosterEntry, entry_line, read_roster, write_toml


def entry(member: str) -> RosterEntry:
    key = "04" + member.encode().hex().ljust(128, "0")
    return RosterEntry(member, f"{member} \u00e9", f"{member}:1", key, "PEM\nof it\n")


@pytest.mark.parametrize("joining", [None, entry("dara")])
def test_they_are_the_lines_that_the_command_prints(tmp_path: Path, joining) -> None:
    files = MemberFiles(tmp_path)
    write_toml(files.roster, Roster((entry("ana"), entry("ben")), joining))
    found = founders(tmp_path)
    assert [each.line for each in found] == [entry_line(e) for e in read_roster(files).members]
    assert found[0] == Founder("ana", "ana \u00e9", entry_line(entry("ana")))


@pytest.mark.parametrize(
    "content", [None, b"", b"members = []", b"\xff", b"members = [", b"x" * (1024 * 1024 + 1)]
)
def test_what_is_no_roster_is_refused(tmp_path: Path, content) -> None:
    if content is not None:
        (tmp_path / "roster.toml").write_bytes(content)
    with pytest.raises(FoundersUnreadable):
        founders(tmp_path)
