"""Addresses are really listened at, and chains really asked."""

import socket
from pathlib import Path

import pytest

from console.client.set_up.messages import ChainChoice, TestAddress, TestChain
from console.set_up import checks, ports
from console.settings import MemberFiles, MemberSettings, VaultSettings, write_toml


def tried(home: Path, listen: str) -> tuple[bool, str, str]:
    told = checks.test_address(home, TestAddress(listen=listen))
    return told.works, told.found, told.suggestion


def test_a_free_address_works(tmp_path: Path) -> None:
    port = ports.free_port("127.0.0.1", ())
    works, found, _ = tried(tmp_path, f"127.0.0.1:{port}")
    assert works
    assert "same machine" in found


def test_a_suggestion_works(tmp_path: Path) -> None:
    works, found, suggestion = tried(tmp_path, "")
    assert not works
    assert not found
    assert tried(tmp_path, suggestion)[0]


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("no port", "host:port"),
        ("127.0.0.1:0", "host:port"),
        ("127.0.0.1:70000", "host:port"),
        ("192.0.2.77:7600", "no address of this machine"),
        ("host.invalid:7600", "not known"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(tmp_path: Path, listen: str, why: str) -> None:
    works, found, suggestion = tried(tmp_path, listen)
    assert not works
    assert why in found
    assert suggestion


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        works, found, suggestion = tried(tmp_path, f"127.0.0.1:{port}")
    assert not works
    assert "another program" in found
    assert not suggestion.endswith(f":{port}")


def test_the_port_of_a_member_that_does_not_run_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "ben").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "member.toml").write_text("damaged")
    settings = MemberSettings(
        member="ben",
        name="Ben",
        peer_address="127.0.0.1:7600",
        console_address="127.0.0.1:7601",
        vault=VaultSettings(kind="file"),
    )
    write_toml(MemberFiles(tmp_path / "ben").settings, settings)
    assert ports.ports_in_use(tmp_path) == {7600, 7601}
    assert ports.ports_in_use(tmp_path, but="ben") == frozenset()
    assert "another member" in tried(tmp_path, "127.0.0.1:7601")[1]
    (tmp_path / "ben" / "set-up").write_text("")
    assert "another member" not in tried(tmp_path, "127.0.0.1:7601")[1]
    assert ports.ports_in_use(tmp_path) == {7600, 7601}
    assert ports.free_port("127.0.0.1", {7600, 7601}, first=7600) not in {7600, 7601}


def test_ports_of_one_call_differ() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (ChainChoice(chain="dogecoin", network="devnet", urls=("http://127.0.0.1:1",)), "known"),
        (ChainChoice(chain="bitcoin", network="moon", urls=("http://127.0.0.1:1",)), "known"),
        (ChainChoice(chain="bitcoin", network="devnet", urls=("  ",)), "empty"),
    ],
)
def test_what_is_no_chain_is_refused(choice: ChainChoice, why: str) -> None:
    with pytest.raises(checks.SettingsInvalid, match=why):
        checks.chain_entry(choice)


def test_an_option_that_a_chain_has_not_is_said() -> None:
    choice = ChainChoice(
        chain="bitcoin",
        network="devnet",
        urls=("http://127.0.0.1:1",),
        websocket="ws://127.0.0.1:1",
    )
    told = checks.test_chain(TestChain(chain=choice))
    assert not told.works
    assert "websocket" in told.found
