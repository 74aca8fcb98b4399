"""What a set-up wrote is on the disk itself before the set-up's own file goes."""

import os
from pathlib import Path

import pytest

from console.client.set_up import messages as m
from console.provisioning import join_vault, write_roster
from console.set_up import exchange, members
from console.settings import MemberFiles, read_entries
from console.unfinished import UnfinishedSetUp
from tests.unit.set_up.test_exchange import draft, entry_of, finished, keys_made


class Disk:
    """Remembers which files were synced as they are, and which folders since their last change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: set[tuple[int, int, int]] = set()
        self.whole_folders: set[int] = set()
        self.seen_at_the_end: list[set[str]] = []
        fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def synced(descriptor: int) -> None:
            fsync(descriptor)
            status = os.fstat(descriptor)
            self.synced.add((status.st_ino, status.st_mtime_ns, status.st_size))
            self.whole_folders.add(status.st_ino)

        def replaced(path: Path, target: Path) -> Path:
            self.whole_folders.discard(path.parent.stat().st_ino)
            return replace(path, target)

        def unlinked(path: Path, missing_ok: bool = False) -> None:
            if path.name == "set-up":
                self.seen_at_the_end.append(self.not_synced(path.parent))
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", replaced)
        monkeypatch.setattr(Path, "unlink", unlinked)

    def not_synced(self, folder: Path) -> set[str]:
        """Return what a loss of power may take from a member's folder."""
        found = set()
        for path in folder.rglob("*"):
            status = path.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            whole = status.st_ino in self.whole_folders if path.is_dir() else mark in self.synced
            if not whole:
                found.add(str(path.relative_to(folder)))
        if folder.stat().st_ino not in self.whole_folders:
            found.add(".")
        return found


def test_a_set_up_ends_when_all_it_wrote_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = entry_of(tmp_path / "b", "ben")
    disk = Disk(monkeypatch)
    keys_made(tmp_path)
    made = finished(tmp_path, draft())
    assert disk.not_synced(tmp_path / "ana") == set()
    members.finish(tmp_path, m.FinishMember(draft=made))
    assert disk.not_synced(tmp_path / "ana") == set()
    exchange.open_(tmp_path, m.OpenVault(draft=draft(entry=made.entry, lines=(ben,))))
    assert disk.seen_at_the_end == [set()]
    assert disk.not_synced(tmp_path / "ana") == set()


@pytest.mark.parametrize("joins", [True, False])
def test_a_roster_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joins: bool
) -> None:
    entry_of(tmp_path / "b", "ben")
    keys_made(tmp_path)
    finished(tmp_path, draft())
    disk = Disk(monkeypatch)
    files = MemberFiles(tmp_path / "ana")
    founders = read_entries(MemberFiles(tmp_path / "b" / "ben").entry)
    if joins:
        join_vault(tmp_path, "ana", founders)
    else:
        write_roster(tmp_path, (*read_entries(files.entry), *founders))
    assert not {".", "roster.toml"} & disk.not_synced(files.directory)


def test_a_new_directory_is_on_the_disk_before_keys_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    home = tmp_path / "new" / "home"
    UnfinishedSetUp(home / "ana").begin(None)
    for folder in (tmp_path, tmp_path / "new", home, home / "ana"):
        assert folder.stat().st_ino in disk.whole_folders


def test_a_folders_mark_is_on_the_disk_before_keys_are_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    unfinished = UnfinishedSetUp(tmp_path / "ana")
    unfinished.begin(None)
    unfinished.make_folder("vault")
    assert disk.not_synced(tmp_path / "ana") == set()
