"""An installation without the `devnet` extra says so instead of failing at an import."""

import pytest

from console import cli, local_chains
from console.settings import SettingsInvalid


def _without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    found = local_chains.find_spec
    monkeypatch.setattr(
        local_chains, "find_spec", lambda name: None if name == missing else found(name)
    )


@pytest.mark.parametrize("missing", local_chains.PACKAGES)
@pytest.mark.parametrize("command", [cli.demo, cli.devnet])
def test_what_is_missing_is_said_before_anything_starts(monkeypatch, missing, command):
    _without(monkeypatch, missing)
    monkeypatch.setattr(cli.os, "execv", lambda *_: pytest.fail("it was started"))
    with pytest.raises(SettingsInvalid, match="`devnet` extra"):
        command()


def test_with_everything_there_it_starts(monkeypatch):
    started = []
    monkeypatch.setattr(cli.os, "execv", lambda _, arguments: started.append(arguments[1:3]))
    cli.devnet(port=1, with_parent=0)
    assert started == [["-m", "console.devnet"]]
