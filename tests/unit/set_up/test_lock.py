"""Of two processes with one set-up, one goes on and the other is refused in words."""

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console import file_lock
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import (
    discard_member,
    finish_member,
    join_vault,
    make_keys,
    open_vault,
    set_up_member,
    write_roster,
)
from console.set_up import trial
from console.set_up.refusing import refused
from console.settings import Roster, RosterEntry, SettingsInvalid
from console.unfinished import SetUpBusy, set_up_held
from tests.unit.set_up.test_own_files import PASSPHRASE, cheap_keys, files_of, member

__all__ = ["cheap_keys"]

HOLD = (
    "import sys; from pathlib import Path; from console.unfinished import set_up_held\n"
    "with set_up_held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def held_elsewhere(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Hold the set-up in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.unfinished.lock.BETWEEN_S", 0.0)


def secret() -> SecretBytes:
    return SecretBytes(PASSPHRASE)


def entry() -> RosterEntry:
    return RosterEntry("alice", "Alice", "127.0.0.1:1", "04", "pem")


ACTS: tuple[Callable[[Path], object], ...] = (
    lambda home: make_keys(home, member(), secret(), None),
    lambda home: set_up_member(home, member(), secret(), None),
    lambda home: finish_member(home, member()),
    lambda home: discard_member(home, "alice", None),
    lambda home: open_vault(home, "alice", Roster(())),
    lambda home: join_vault(home, "alice", ()),
    lambda home: write_roster(home, (entry(),)),
)


@pytest.mark.parametrize("act", ACTS)
def test_the_other_one_is_refused_and_changes_nothing(
    tmp_path: Path, act: Callable[[Path], object]
) -> None:
    set_up_member(tmp_path, member(), secret(), None)
    before = files_of(tmp_path)
    with held_elsewhere(tmp_path / "alice"):
        with pytest.raises(SetUpBusy, match="Nothing was changed") as busy:
            act(tmp_path)
        before[".alice.set-up.lock"] = b""
        assert files_of(tmp_path) == before
    assert refused(busy.value).code == "set-up-busy"


def test_a_holder_that_is_just_ending_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    with held_elsewhere(tmp_path / "alice") as process:

        def end(wait_s: float) -> None:
            waits.append(wait_s)
            process.kill()
            process.wait()

        monkeypatch.setattr("console.unfinished.lock.time.sleep", end)
        with set_up_held(tmp_path / "alice"):
            assert len(waits) == 1


def test_a_lock_of_a_process_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path / "alice") as process:
        process.kill()
        process.wait()
        with set_up_held(tmp_path / "alice"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_directory_has_one_lock_by_all_its_names(tmp_path: Path) -> None:
    real, other = tmp_path / "disk" / "alice", tmp_path / "home" / "alice"
    real.mkdir(parents=True)
    other.parent.mkdir()
    other.symlink_to(real)
    with set_up_held(real), pytest.raises(SetUpBusy), set_up_held(other):
        pass


def test_a_lock_that_its_holder_removes_meanwhile_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, take = tmp_path / ".alice.set-up.lock", file_lock.take
    gone: list[int] = []

    def late(where: Path) -> int | None:
        descriptor = take(where)
        if not gone:
            path.unlink()
            gone.append(1)
        return descriptor

    monkeypatch.setattr(file_lock, "take", late)
    with set_up_held(tmp_path / "alice"):
        monkeypatch.undo()
        with pytest.raises(SetUpBusy), set_up_held(tmp_path / "alice"):
            pass


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_lock.fcntl, "flock", none)
    with pytest.raises(SettingsInvalid, match="keeps no locks"):
        make_keys(tmp_path, member(), secret(), None)
    assert not (tmp_path / "alice").exists()


def test_two_windows_do_not_make_two_demonstrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "not_possible_because", lambda: "")
    folder = tmp_path / "demonstration"
    acts: tuple[Callable[[], object], ...] = (
        lambda: trial.make(tmp_path, lambda _: None),
        lambda: trial.discard(tmp_path),
    )
    for act in acts:
        with held_elsewhere(folder), pytest.raises(SetUpBusy, match="demonstration"):
            act()
    assert not folder.exists()


def test_two_members_with_one_identity_key_get_no_roster(tmp_path: Path) -> None:
    line = set_up_member(tmp_path, member(), secret(), None)
    twin = RosterEntry("bob", "Bob", "127.0.0.1:2", line.identity_key, line.certificate)
    with pytest.raises(SettingsInvalid, match="alice and bob have the same identity key"):
        write_roster(tmp_path, (line, twin))
    assert not (tmp_path / "alice" / "roster.toml").exists()
