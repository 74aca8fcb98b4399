"""Machines from the command line: what is asked of the running node, and what is printed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console import cli, cli_machines
from console.application.commands import (
    ChangeAddress,
    ChangeLinkKey,
    Command,
    FinishLinkKey,
    SetPeerAddress,
)
from console.settings import SettingsInvalid
from tests.fakes.console import FakeConsole


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> FakeConsole:
    node = FakeConsole()

    async def connect(_profile: object) -> FakeConsole:
        return node

    monkeypatch.setattr(cli_machines, "connect", connect)
    return node


def quorate(tmp_path: Path, *arguments: str) -> str:
    options = ("--member", "ana", "--home", str(tmp_path))
    return CliRunner().invoke(cli.app, [*arguments, *options], catch_exceptions=False).output


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("address", "ana.example.net:1"), ChangeAddress("ana.example.net:1")),
        (("address", "192.0.2.7:1", "--peer", "ben"), SetPeerAddress("ben", "192.0.2.7:1")),
        (("address", "", "--peer", "ben"), SetPeerAddress("ben", "")),
        (("link-key",), ChangeLinkKey()),
        (("link-key", "--now"), FinishLinkKey()),
    ],
)
def test_a_command_is_given_to_the_running_node(
    tmp_path: Path, console: FakeConsole, arguments: tuple[str, ...], command: Command
) -> None:
    quorate(tmp_path, *arguments)
    assert console.executed == [command]


@pytest.mark.parametrize("address", ["", "ana.example.net", "ana:0", "a b:1"])
def test_what_is_no_address_is_not_sent(tmp_path: Path, console: FakeConsole, address: str) -> None:
    with pytest.raises(SettingsInvalid, match="host:port"):
        quorate(tmp_path, "address", address)
    assert console.executed == []


def test_machines_are_printed_with_what_is_wrong(tmp_path: Path, console: FakeConsole) -> None:
    lines = quorate(tmp_path, "machines").splitlines()
    assert lines[0].startswith("ana  ana.example.net:7443  online  version 0.1.0  certificate unt")
    assert "version 0.2.0, not yours" in lines[1]
    assert "192.0.2.7:7443 (entered here; it says chiara.example.net:7443)" in lines[2]
    assert "not reached" in lines[2]
    assert lines[3].endswith("Dara Levi\u2019s certificate ends in 41 days")
