"""The demonstration's folder: what no demonstration made is never removed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, set_up_member
from console.set_up import trial
from console.set_up.refusing import NotDone
from console.set_up.trial_files import TrialFiles, fresh_record
from console.settings import SettingsInvalid

RECORD = fresh_record(list(range(1000, 1007)))


class Made(Exception):
    """The folder was free, and a demonstration would be made in it."""


@pytest.fixture(autouse=True)
def possible(monkeypatch: pytest.MonkeyPatch) -> None:
    def set_up(*_: object) -> None:
        raise Made

    monkeypatch.setattr(trial, "not_possible_because", lambda: "")
    monkeypatch.setattr(trial, "set_up_all", set_up)


def make(home: Path) -> None:
    trial.make(home, lambda _: None)


def ours(folder: Path) -> None:
    folder.mkdir()
    TrialFiles(folder).keep(RECORD)
    (folder / "ana").mkdir()
    (folder / "ana" / "member.toml").write_text("")


def someones(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes").write_text("kept")


def a_damaged_record(folder: Path) -> None:
    ours(folder)
    (folder / "demonstration.json").write_text("{}")


def a_member(folder: Path) -> None:
    folder.mkdir()
    (folder / "member.toml").write_text("")


def a_member_with_a_record(folder: Path) -> None:
    ours(folder)
    (folder / "member.toml").write_text("")


def a_begun_member(folder: Path) -> None:
    ours(folder)
    (folder / "set-up").write_text("ab" * 16)


def a_link(folder: Path) -> None:
    target = folder.with_name("target")
    ours(target)
    folder.symlink_to(target)


def a_file(folder: Path) -> None:
    folder.write_text("kept")


@pytest.mark.parametrize("act", [make, trial.discard])
@pytest.mark.parametrize(
    "prepare",
    [
        someones,
        a_damaged_record,
        a_member,
        a_member_with_a_record,
        a_begun_member,
        a_link,
        a_file,
    ],
)
def test_what_no_demonstration_made_is_not_touched(
    tmp_path: Path, prepare: Callable[[Path], None], act: Callable[[Path], object]
) -> None:
    prepare(tmp_path / "demonstration")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotDone) as refused:
        act(tmp_path)
    assert refused.value.refused.code == "demonstration-not-ours"
    assert sorted(tmp_path.rglob("*")) == before


def died_before_its_record(folder: Path) -> None:
    folder.mkdir()
    (folder / "demonstration.json.0123456789abcdef.tmp").write_text("{")


@pytest.mark.parametrize("prepare", [ours, died_before_its_record, Path.mkdir])
def test_what_a_demonstration_left_is_removed(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    for act in (make, trial.discard):
        prepare(tmp_path / "demonstration")
        if act is make:
            with pytest.raises(Made):
                act(tmp_path)
        else:
            act(tmp_path)
        assert not (tmp_path / "demonstration").exists()


def test_a_removal_that_ends_in_the_middle_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demonstration"
    ours(folder)
    remove = shutil.rmtree

    def die(path: Path) -> None:
        (path / "demonstration.json").unlink(missing_ok=True)
        raise OSError("full")

    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(OSError, match="full"):
        trial.discard(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", remove)
    trial.discard(tmp_path)
    assert not folder.exists()


def test_no_member_has_the_demonstrations_identifier(tmp_path: Path) -> None:
    new = NewMember(
        member="demonstration",
        name="Dora",
        peer_address="127.0.0.1:7600",
        console_address="127.0.0.1:7601",
        module="file",
        token="",
        fresh_softhsm=False,
        chains=(),
    )
    with pytest.raises(SettingsInvalid, match="kept for the demonstration"):
        set_up_member(tmp_path, new, SecretBytes(b"a long passphrase"), None)
    assert list(tmp_path.iterdir()) == []
