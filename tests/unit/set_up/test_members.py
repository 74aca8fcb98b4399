"""What is written for a member: on main networks with proven tokens, or by the operator's word."""

from pathlib import Path

import msgspec
import pytest

from console.client.set_up import messages as m
from console.set_up import members
from console.set_up.refusing import NotDone
from console.settings import MemberFiles, SettingsInvalid, VaultSettings, read_settings
from console.unfinished import UnfinishedSetUp
from hsm import Standing

KEY = b"\x04" + bytes(range(64))
VAULT = VaultSettings(kind="pkcs11", module="/maker.so", token="treasury", serial="1")
MAIN = m.ChainChoice(chain="ethereum", network="mainnet", urls=("http://127.0.0.1:1",))
TEST = msgspec.structs.replace(MAIN, network="testnet")


def draft(**changes: object) -> m.Draft:
    plain = m.Draft(
        member="ana",
        name="Ana Ruiz",
        purpose=m.Purpose.CREATE,
        token=m.TokenChoice(
            kind=m.TokenKind.PKCS11, module="/maker.so", label="treasury", serial="1"
        ),
        listen="127.0.0.1:7600",
        chains=(MAIN,),
    )
    return msgspec.structs.replace(plain, **changes)


def with_keys(home: Path, standing: Standing = Standing.PROVEN) -> UnfinishedSetUp:
    unfinished = UnfinishedSetUp(home / "ana")
    unfinished.begin(VAULT)
    unfinished.keys_made(KEY, standing)
    return unfinished


def finished(home: Path, **changes: object) -> VaultSettings:
    members.finish(home, m.FinishMember(draft=draft(**changes)))
    return read_settings(MemberFiles(home / "ana")).vault


def test_a_proven_token_needs_no_word(tmp_path: Path) -> None:
    with_keys(tmp_path)
    assert finished(tmp_path) == VAULT


def test_an_unproven_token_needs_the_operators_word(tmp_path: Path) -> None:
    with_keys(tmp_path, Standing.UNPROVEN)
    with pytest.raises(NotDone) as refused:
        finished(tmp_path)
    assert refused.value.refused.code == "unproven-token"
    assert not MemberFiles(tmp_path / "ana").settings.exists()
    assert not finished(tmp_path, chains=(TEST,)).accept_unproven
    assert finished(tmp_path, accepts_unproven=True).accept_unproven


def test_a_test_token_is_taken_by_no_word(tmp_path: Path) -> None:
    with_keys(tmp_path, Standing.FOR_TESTS)
    with pytest.raises(NotDone) as refused:
        finished(tmp_path, accepts_unproven=True)
    assert refused.value.refused.code == "test-token"
    finished(tmp_path, chains=(TEST,))


def test_keys_that_are_made_already_are_not_made_again(tmp_path: Path) -> None:
    with_keys(tmp_path)
    assert members.make(tmp_path, m.MakeKeys(draft=draft(), pin="123456")) == m.KeysMade()


@pytest.mark.parametrize("changes", [{"listen": "nowhere"}, {"name": "A  B"}, {"token": None}])
def test_what_cannot_be_written_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with_keys(tmp_path)
    with pytest.raises((SettingsInvalid, NotDone)):
        finished(tmp_path, **changes)
    assert not MemberFiles(tmp_path / "ana").settings.exists()


def test_without_keys_nothing_is_written(tmp_path: Path) -> None:
    for prepare in (lambda: None, lambda: UnfinishedSetUp(tmp_path / "ana").begin(VAULT)):
        prepare()
        with pytest.raises(SettingsInvalid, match="not made yet"):
            finished(tmp_path)


def test_a_console_gets_another_port_than_the_members_beside(tmp_path: Path) -> None:
    with_keys(tmp_path)
    finished(tmp_path)
    console = read_settings(MemberFiles(tmp_path / "ana")).console_address
    host, _, port = console.rpartition(":")
    assert host == "127.0.0.1"
    assert port not in {"0", "7600"}


def test_a_journal_of_before_is_read(tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "set-up").write_text("ab" * 16)
    journal = UnfinishedSetUp(tmp_path / "ana").read()
    assert journal is not None
    assert journal.identifier == b"\xab" * 16
    assert (journal.vault, journal.identity_key) == (None, b"")


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"ab" * 15, b"{}", b'{"identifier":"' + b"ab" * 15 + b'"}', b"{" + b" " * 9000],
)
def test_a_damaged_journal_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "set-up").write_bytes(content)
    with pytest.raises(SettingsInvalid, match="damaged"):
        UnfinishedSetUp(tmp_path / "ana").read()
