"""Settings and roster entries: strict, bounded, and never cut short."""

from pathlib import Path

import pytest
from msgspec import structs

from console.settings import (
    MAX_FILE_BYTES,
    MemberFiles,
    Roster,
    RosterEntry,
    SettingsInvalid,
    entry_line,
    read_entries,
    read_roster,
    write_toml,
)

ENTRY = RosterEntry("ben", "Ben Okafor", "localhost:9000", "04" + "ab" * 64, "PEM")
LINE = entry_line(ENTRY)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "entries.jsonl"
    path.write_text(text)
    return path


def test_entries_come_back_as_they_were_written(tmp_path: Path) -> None:
    assert read_entries(written(tmp_path, f"{LINE}\n\n{LINE}\n")) == (ENTRY, ENTRY)


@pytest.mark.parametrize("text", ["{}", "nonsense", LINE[:-1], LINE[:-1] + ',"more":1}'])
def test_a_line_that_is_no_entry_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid, match="no roster entry"):
        read_entries(written(tmp_path, text))


def test_a_file_that_is_too_large_is_refused_whole(tmp_path: Path) -> None:
    line = f"{LINE}\n"
    text = line * (MAX_FILE_BYTES // len(line) + 1)
    with pytest.raises(SettingsInvalid, match="too large"):
        read_entries(written(tmp_path, text))
    (tmp_path / "roster.toml").write_text("# " + "x" * MAX_FILE_BYTES)
    with pytest.raises(SettingsInvalid, match="too large"):
        read_roster(MemberFiles(tmp_path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="nowhere"):
        read_entries(tmp_path / "nowhere")
    with pytest.raises(SettingsInvalid, match="is this member set up"):
        read_roster(MemberFiles(tmp_path))


def test_two_members_with_one_identity_key_are_no_roster(tmp_path: Path) -> None:
    """Whoever has the key would count as two: a mistake that is easy with keys that are given."""
    twin = structs.replace(ENTRY, member="ana", name="Ana Ruiz")
    files = MemberFiles(tmp_path)
    for roster in (Roster((ENTRY, twin)), Roster((ENTRY,), twin)):
        write_toml(files.roster, roster)
        with pytest.raises(SettingsInvalid, match="have the same identity key"):
            read_roster(files)
    write_toml(files.roster, Roster((ENTRY, structs.replace(twin, identity_key="04" + "cd" * 64))))
    assert len(read_roster(files).members) == 2
    write_toml(files.roster, Roster((ENTRY,), structs.replace(ENTRY, address="localhost:1")))
    assert read_roster(files).joining is not None
