"""`quorate init`: what it asks the set-up for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console import cli
from console.provisioning import NewMember


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
