"""`quorate init`: what it asks the set-up for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console import cli
from console.client.set_up import messages as m
from console.provisioning import NewMember
from console.set_up import drafts
from console.settings import SettingsInvalid


class Asked(Exception):
    """The set-up was asked for."""


def test_the_longest_identifier_makes_a_label_that_tokens_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[NewMember] = []

    def set_up(_home: Path, new: NewMember, *_: object, **__: object) -> None:
        asked.append(new)
        raise Asked

    monkeypatch.setattr(cli, "set_up_member", set_up)
    monkeypatch.setattr(cli, "find_softhsm", lambda: Path("/softhsm.so"))
    where = ["--member", "m" * 32, "--name", "M", "--listen", "a:1", "--console", "127.0.0.1:2"]
    result = CliRunner().invoke(
        cli.app, ["init", *where, "--home", str(tmp_path)], input="12345678\n12345678\n"
    )
    assert isinstance(result.exception, Asked)
    assert len(asked[0].token) == 32


def test_what_the_window_has_begun_is_left_to_it(tmp_path: Path) -> None:
    draft = m.Draft(member="ana", name="Ana", purpose=m.Purpose.CREATE)
    drafts.keep(tmp_path, m.KeepDraft(draft=draft))
    where = ["--member", "ana", "--name", "Ana", "--listen", "a:1", "--console", "127.0.0.1:2"]
    arguments = ["init", *where, "--home", str(tmp_path), "--module", "file"]
    result = CliRunner().invoke(cli.app, arguments, input="a long passphrase\n")
    assert isinstance(result.exception, SettingsInvalid)
    assert "in the window" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == [".set-up"]
