"""Drafts are written whole and read strictly; names are judged against what is there."""

from pathlib import Path

import msgspec
import pytest

from console.client.set_up import messages as m
from console.domain.errors import MalformedIdentifier
from console.set_up import drafts, naming
from console.set_up.refusing import NotDone


def draft(member: str = "ana", **changes: object) -> m.Draft:
    plain = m.Draft(member=member, name="Ana", purpose=m.Purpose.JOIN)
    return msgspec.structs.replace(plain, **changes)


def file_of(home: Path, member: str = "ana") -> Path:
    return home / ".set-up" / f"{member}.json"


def test_a_draft_is_for_its_owner_only_and_comes_back(tmp_path: Path) -> None:
    drafts.keep(tmp_path, m.KeepDraft(draft=draft(step=4)))
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".set-up").stat().st_mode & 0o777 == 0o700
    assert drafts.find(tmp_path) == ((draft(step=4),), ())
    drafts.forget(tmp_path, "ana")
    drafts.forget(tmp_path, "ana")
    assert not (tmp_path / ".set-up").exists()


def test_a_draft_of_before_is_read(tmp_path: Path) -> None:
    drafts.keep(tmp_path, m.KeepDraft(draft=draft()))
    file_of(tmp_path).write_text(
        '{"type":"Draft","member":"ana","name":"Ana","purpose":"join","step":2}'
    )
    assert drafts.find(tmp_path) == ((draft(step=2),), ())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"type":"Draft","member":"ana","name":"Ana","purpose":"join","more":1}',
        b'{"type":"Draft","member":"ana","name":"Ana","purpose":"nothing"}',
        b'{"type":"Draft","member":"ben","name":"Ben","purpose":"join"}',
        b" " * (m.MAX_LINE_BYTES + 1),
    ],
)
def test_a_damaged_draft_is_told_and_the_others_come_back(tmp_path: Path, content: bytes) -> None:
    for member in ("ana", "chiara"):
        drafts.keep(tmp_path, m.KeepDraft(draft=draft(member)))
    file_of(tmp_path).write_bytes(content)
    found, damaged = drafts.find(tmp_path)
    assert [each.member for each in found] == ["chiara"]
    assert damaged == (str(file_of(tmp_path)),)
    assert file_of(tmp_path).exists()


def test_a_link_is_no_draft(tmp_path: Path) -> None:
    drafts.keep(tmp_path, m.KeepDraft(draft=draft()))
    elsewhere = file_of(tmp_path).rename(tmp_path / "elsewhere")
    file_of(tmp_path).symlink_to(elsewhere)
    assert drafts.find(tmp_path) == ((), (str(file_of(tmp_path)),))


@pytest.mark.parametrize("member", ["", "../ana", "Ana", "a" * 33, "ana/x"])
def test_a_draft_stays_in_its_folder(tmp_path: Path, member: str) -> None:
    with pytest.raises(MalformedIdentifier):
        drafts.keep(tmp_path, m.KeepDraft(draft=draft(member)))
    assert not any(tmp_path.iterdir())


def test_drafts_are_bounded(tmp_path: Path) -> None:
    for number in range(64):
        drafts.keep(tmp_path, m.KeepDraft(draft=draft(f"m{number}")))
    with pytest.raises(NotDone):
        drafts.keep(tmp_path, m.KeepDraft(draft=draft("one-more")))
    drafts.keep(tmp_path, m.KeepDraft(draft=draft("m1", step=2)))


def judged(home: Path, name: str, member: str = "") -> m.NameJudged:
    return naming.judge(home, m.JudgeName(name=name, member=member))


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("Ana Ruiz", "ana-ruiz"),
        ("  José  Núñez ", "jose-nunez"),
        ("O'Neill", "o-neill"),
        ("Ольга", "member"),
        ("demonstration", "demonstration-2"),
        ("x" * 64, "x" * 32),
    ],
)
def test_an_identifier_is_given(tmp_path: Path, name: str, member: str) -> None:
    assert judged(tmp_path, name).member == member


def test_an_identifier_is_not_given_twice(tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    drafts.keep(tmp_path, m.KeepDraft(draft=draft("ana-2")))
    assert judged(tmp_path, "Ana") == m.NameJudged(member="ana-3", problem="")


@pytest.mark.parametrize("name", ["", "A  B", "A\u0430", "\u2800", "x" * 65])
def test_what_is_wrong_with_a_name_is_said(tmp_path: Path, name: str) -> None:
    assert judged(tmp_path, name, "ana").problem.endswith(".")


def test_identifiers_that_cannot_be_are_said(tmp_path: Path) -> None:
    for member in ("Ana", "-ana", "a" * 33, "demonstration"):
        assert judged(tmp_path, "Ana", member).problem
    (tmp_path / "ana").mkdir()
    # A set-up that is not over is no obstacle to itself.
    (tmp_path / "ana" / "set-up").write_text("")
    assert not judged(tmp_path, "Ana", "ana").problem
    (tmp_path / "ana" / "member.toml").write_text("")
    assert "start page" in judged(tmp_path, "Ana", "ana").problem
    drafts.keep(tmp_path, m.KeepDraft(draft=draft()))
    assert not judged(tmp_path, "Ana", "ana").problem
    (tmp_path / "ana" / "set-up").unlink()
    assert "already" in judged(tmp_path, "Ana", "ana").problem
