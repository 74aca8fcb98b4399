"""What is left of a set-up is removed by its mark or its name; what others made is not touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.adapters.shares.vault import FileVaultSettings
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, discard_member, make_keys, members, set_up_member
from console.settings import SettingsInvalid
from console.unfinished import UnfinishedSetUp

PASSPHRASE = b"a long passphrase"


KEY = b"\x04" + bytes(64)


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keys without what makes guesses expensive."""

    def create(settings: FileVaultSettings, passphrase: SecretBytes) -> bytes:
        (settings.directory / "keys").write_bytes(b"keys")
        passphrase.wipe()
        return KEY

    monkeypatch.setattr(members, "create_file_vault", create)


def member(**changes: object) -> NewMember:
    plain: dict[str, object] = {
        "member": "alice",
        "name": "Alice",
        "peer_address": "127.0.0.1:7600",
        "console_address": "127.0.0.1:7601",
        "module": "file",
        "token": "",
        "fresh_softhsm": False,
        "chains": (),
    }
    return NewMember(**{**plain, **changes})  # type: ignore[arg-type]


def make(home: Path) -> None:
    make_keys(home, member(), SecretBytes(PASSPHRASE), None)


def discard(home: Path) -> None:
    discard_member(home, "alice", None)


def files_of(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()
    }


def softhsm_of_another(directory: Path) -> None:
    (directory / "tokens" / "0123").mkdir(parents=True)
    (directory / "tokens" / "0123" / "token.object").write_bytes(b"keys")


def vault_of_another(directory: Path) -> None:
    (directory / "vault").mkdir()
    (directory / "vault" / "keys").write_bytes(b"keys")


def vault_of_another_set_up(directory: Path) -> None:
    vault_of_another(directory)
    (directory / "vault" / ".set-up").write_text("cd" * 16)


def tls_keys_of_another(directory: Path) -> None:
    (directory / "tls").mkdir()
    (directory / "tls" / "peer.key").write_bytes(b"key")


def ledger(directory: Path) -> None:
    (directory / "ledger.db").write_bytes(b"records")


def shares(directory: Path) -> None:
    (directory / "shares").mkdir()
    (directory / "shares" / "1.share").write_bytes(b"share")


@pytest.mark.parametrize("act", [make, discard])
@pytest.mark.parametrize(
    "meanwhile",
    [softhsm_of_another, vault_of_another, vault_of_another_set_up, ledger, shares],
)
def test_a_journal_that_is_left_makes_nobodys_keys_its_own(
    tmp_path: Path, meanwhile: Callable[[Path], None], act: Callable[[Path], None]
) -> None:
    UnfinishedSetUp(tmp_path / "alice").begin(None)
    meanwhile(tmp_path / "alice")
    before = files_of(tmp_path)
    with pytest.raises(SettingsInvalid, match="not touched"):
        act(tmp_path)
    assert files_of(tmp_path) == before


def test_tls_keys_of_another_are_not_removed_with_a_set_up(tmp_path: Path) -> None:
    UnfinishedSetUp(tmp_path / "alice").begin(None)
    tls_keys_of_another(tmp_path / "alice")
    before = files_of(tmp_path)
    with pytest.raises(SettingsInvalid, match="not touched"):
        discard(tmp_path)
    assert files_of(tmp_path) == before


def test_an_empty_folder_of_a_set_up_that_died_is_removed(tmp_path: Path) -> None:
    for act in (make, discard):
        UnfinishedSetUp(tmp_path / "alice").begin(None)
        (tmp_path / "alice" / "vault").mkdir()
        act(tmp_path)
        discard(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_mark_that_was_half_written_does_not_keep_a_folder(tmp_path: Path) -> None:
    UnfinishedSetUp(tmp_path / "alice").begin(None)
    (tmp_path / "alice" / "vault").mkdir()
    (tmp_path / "alice" / "vault" / ".set-up").write_text("cd")
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_what_they_lead_to(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "kept").write_text("kept")
    home = tmp_path / "home"
    UnfinishedSetUp(home / "alice").begin(None)
    for name in ("vault", "tls", "profile.json"):
        (home / "alice" / name).symlink_to(target)
    discard(home)
    assert list(home.iterdir()) == []
    assert (target / "kept").read_text() == "kept"


def test_a_link_to_nowhere_is_a_file_of_somebody(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "vault").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsInvalid, match="not touched"):
        make(tmp_path)
    assert (tmp_path / "alice" / "vault").readlink() == tmp_path / "nowhere"


LEFT = ("set-up.0123456789abcdef.tmp", "entry.json.0123456789abcdef.tmp")
NOT_OURS = ("notes.0123456789abcdef.tmp", "set-up.tmp", "set-up.0123.tmp", "x.tmp")


def test_temporary_files_that_a_crash_left_do_not_keep_a_folder(tmp_path: Path) -> None:
    make(tmp_path)
    for name in LEFT:
        (tmp_path / "alice" / name).write_text("")
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_others_are_kept(tmp_path: Path) -> None:
    make(tmp_path)
    for name in (*LEFT, *NOT_OURS):
        (tmp_path / "alice" / name).write_text("")
    discard(tmp_path)
    assert {path.name for path in (tmp_path / "alice").iterdir()} == set(NOT_OURS)


def test_a_folder_that_died_before_its_journal_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / LEFT[0]).write_text("")
    (tmp_path / "alice" / "set-up.place").write_text("")
    make(tmp_path)
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_member_is_returned_again(tmp_path: Path) -> None:
    first = set_up_member(tmp_path, member(), SecretBytes(PASSPHRASE), None)
    before = files_of(tmp_path)
    pin = SecretBytes(b"another passphrase")
    assert set_up_member(tmp_path, member(), pin, None) == first
    assert pin.wiped
    assert files_of(tmp_path) == before
    with pytest.raises(SettingsInvalid, match=r"already; its entry is in .*entry\.json"):
        set_up_member(tmp_path, member(name="Alicia"), SecretBytes(PASSPHRASE), None)
    assert files_of(tmp_path) == before


def test_keys_whose_entry_is_given_out_are_not_made_anew(tmp_path: Path) -> None:
    first = set_up_member(tmp_path, member(), SecretBytes(PASSPHRASE), None)
    (tmp_path / "alice" / "member.toml").unlink()
    keys = tmp_path / "alice" / "vault" / "keys"
    keys.write_bytes(b"the first ones")
    softhsm = member(module="/softhsm.so", token="t", fresh_softhsm=True)
    with pytest.raises(SettingsInvalid, match="others may have its entry"):
        set_up_member(tmp_path, softhsm, SecretBytes(PASSPHRASE), None)
    # The same set-up goes on, and its member is the same.
    assert set_up_member(tmp_path, member(), SecretBytes(PASSPHRASE), None) == first
    assert keys.read_bytes() == b"the first ones"
    assert (tmp_path / "alice" / "member.toml").exists()


def test_a_directory_behind_a_link_is_emptied(tmp_path: Path) -> None:
    home, disk = tmp_path / "home", tmp_path / "disk"
    home.mkdir()
    disk.mkdir()
    (home / "alice").symlink_to(disk)
    make(home)
    discard(home)
    assert list(disk.iterdir()) == []
