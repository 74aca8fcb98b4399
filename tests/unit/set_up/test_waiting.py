"""What was begun here and is not over stands on the start page, however it ended."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Never

import msgspec
import pytest
from msgspec.structs import replace

from console.client.set_up import messages as m
from console.provisioning import join_vault, open_vault, write_roster
from console.set_up import drafts, exchange, members, trial, waiting
from console.set_up.trial_files import TrialFiles, fresh_record
from console.settings import (
    ChainEntry,
    MemberFiles,
    MemberSettings,
    Roster,
    SettingsInvalid,
    TokenSettings,
    VaultSettings,
    read_entries,
    read_roster,
    read_settings,
    write_toml,
)
from console.unfinished import TRIAL_FOLDER, UnfinishedSetUp
from hsm import Standing
from tests.unit.set_up.test_exchange import CHAIN, KEY, draft, entry_of, finished, keys_made

TOKEN = VaultSettings(kind="pkcs11", module="/maker.so", token="treasury", serial="7")
CHOICE = m.TokenChoice(kind=m.TokenKind.PKCS11, module="/maker.so", label="treasury", serial="7")


def by_init(home: Path, member: str = "ana") -> m.Draft:
    """Set a member up without a draft, as `quorate init` does."""
    keys_made(home, member)
    return finished(home, draft(member, chains=(CHAIN,)))


def test_a_member_of_init_waits_for_the_entries_of_others(tmp_path: Path) -> None:
    made = by_init(tmp_path)
    (found,), damaged = waiting.find(tmp_path)
    assert damaged == ()
    assert found == replace(made, step=6, keys_made=True)
    # It goes on from there: the vault is opened with the same entry.
    ben = entry_of(tmp_path / "b", "ben")
    again = finished(tmp_path, found)
    assert again.entry == made.entry
    exchange.open_(tmp_path, m.OpenVault(draft=replace(again, lines=(ben,))))
    assert waiting.find(tmp_path) == ((), ())


def test_a_member_of_init_can_be_thrown_away(tmp_path: Path) -> None:
    by_init(tmp_path)
    ((found,), _) = waiting.find(tmp_path)
    assert members.discard(tmp_path, m.Discard(draft=found)) == m.Discarded()
    assert list(tmp_path.iterdir()) == []


def test_what_a_terminal_has_set_is_kept(tmp_path: Path) -> None:
    by_init(tmp_path)
    files = MemberFiles(tmp_path / "ana")
    settings = read_settings(files)
    (chain,) = settings.chains
    told = msgspec.structs.replace(
        chain, tokens=(TokenSettings("0x1", "USD", 6),), trusted=("0x2",)
    )
    changed = msgspec.structs.replace(settings, chains=(told,), console_address="127.0.0.1:17999")
    write_toml(files.settings, changed)
    ((found,), _) = waiting.find(tmp_path)
    finished(tmp_path, found)
    assert read_settings(files) == changed
    another = replace(CHAIN, network="mainnet")
    finished(tmp_path, replace(found, chains=(another,), accepts_unproven=True))
    assert read_settings(files).chains[0].tokens == ()


@pytest.mark.parametrize(
    ("vault", "key", "step", "token"),
    [
        (None, b"", 2, None),
        (TOKEN, b"", 1, CHOICE),
        (TOKEN, KEY, 4, CHOICE),
        (VaultSettings(kind="file"), b"", 1, m.TokenChoice(kind=m.TokenKind.FILE)),
        (
            VaultSettings(kind="pkcs11", module="/s.so", token="t", softhsm_conf="c"),
            b"",
            1,
            m.TokenChoice(kind=m.TokenKind.SOFTHSM),
        ),
    ],
)
def test_a_set_up_that_died_without_a_draft_is_offered(
    tmp_path: Path,
    vault: VaultSettings | None,
    key: bytes,
    step: int,
    token: m.TokenChoice | None,
) -> None:
    unfinished = UnfinishedSetUp(tmp_path / "ana")
    unfinished.begin(vault)
    if key:
        unfinished.keys_made(key, Standing.PROVEN)
    ((found,), _) = waiting.find(tmp_path)
    assert (found.member, found.step, found.token, found.keys_made) == (
        "ana",
        step,
        token,
        bool(key),
    )


def test_a_draft_comes_before_what_is_guessed(tmp_path: Path) -> None:
    made = by_init(tmp_path)
    kept = replace(made, step=7, purpose=m.Purpose.JOIN)
    drafts.keep(tmp_path, m.KeepDraft(draft=kept))
    assert waiting.find(tmp_path) == ((kept,), ())


@pytest.mark.parametrize("with_draft", [False, True])
def test_a_member_with_a_roster_is_over_whatever_died_before(
    tmp_path: Path, *, with_draft: bool
) -> None:
    made = by_init(tmp_path)
    if with_draft:
        drafts.keep(tmp_path, m.KeepDraft(draft=made))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnfinishedSetUp, "finish", lambda _: None)
        write_roster(tmp_path, read_entries(MemberFiles(tmp_path / "ana").entry))
    assert (tmp_path / "ana" / "set-up").exists()
    before = read_roster(MemberFiles(tmp_path / "ana"))
    assert waiting.find(tmp_path) == ((), ())
    assert not (tmp_path / "ana" / "set-up").exists()
    assert not list((tmp_path / "ana").glob("*/.set-up"))
    assert not (tmp_path / ".set-up").exists()
    assert read_roster(MemberFiles(tmp_path / "ana")) == before


def cut_settings(directory: Path) -> None:
    (directory / "member.toml").write_text("[")


def cut_journal(directory: Path) -> None:
    (directory / "member.toml").unlink()
    (directory / "set-up").write_text("x")


def too_long(directory: Path) -> None:
    settings = read_settings(MemberFiles(directory))
    chain = ChainEntry("ethereum", "testnet", "u" * 500, ("v" * 500,) * 20)
    write_toml(directory / "member.toml", msgspec.structs.replace(settings, chains=(chain,)))


@pytest.mark.parametrize("damage", [cut_settings, cut_journal, too_long])
def test_what_cannot_be_read_is_named_and_left(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    by_init(tmp_path)
    by_init(tmp_path, "ben")
    damage(tmp_path / "ana")
    found, damaged = waiting.find(tmp_path)
    assert [each.member for each in found] == ["ben"]
    assert damaged == (str(tmp_path / "ana"),)


def test_what_is_no_member_is_not_listed(tmp_path: Path) -> None:
    settings = MemberSettings("x", "X", "127.0.0.1:1", "127.0.0.1:2", VaultSettings(kind="file"))
    for name in ("Not A Member", TRIAL_FOLDER, ".hidden", "empty"):
        (tmp_path / name).mkdir()
        if name != "empty":
            write_toml(tmp_path / name / "member.toml", settings)
    (tmp_path / "file").write_text("")
    assert waiting.find(tmp_path) == ((), ())


def test_a_roster_is_not_written_for_a_member_whose_set_up_is_not_over(tmp_path: Path) -> None:
    by_init(tmp_path / "b", "ana")
    keys_made(tmp_path)
    write_roster(tmp_path, read_entries(MemberFiles(tmp_path / "b" / "ana").entry))
    assert not MemberFiles(tmp_path / "ana").roster.exists()
    ((found,), _) = waiting.find(tmp_path)
    members.discard(tmp_path, m.Discard(draft=found))
    assert not (tmp_path / "ana").exists()


@pytest.mark.parametrize("whole", [False, True])
def test_a_demonstration_is_offered_also_if_it_was_cancelled(
    tmp_path: Path, *, whole: bool
) -> None:
    assert not trial.is_there(tmp_path)
    folder = tmp_path / TRIAL_FOLDER
    folder.mkdir()
    record = fresh_record(list(range(1000, 1007)))
    TrialFiles(folder).keep(msgspec.structs.replace(record, whole=whole))
    assert trial.is_there(tmp_path)
    assert trial.is_kept(tmp_path) == whole
    trial.discard(tmp_path)
    assert not trial.is_there(tmp_path)


def test_a_folder_that_is_no_demonstrations_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / TRIAL_FOLDER).mkdir()
    (tmp_path / TRIAL_FOLDER / "notes").write_text("")
    assert not trial.is_there(tmp_path)


def unseen(_home: Path, _member: str) -> Never:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("with_draft", [False, True])
def test_a_folder_that_cannot_be_looked_into_takes_no_draft_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_draft: bool
) -> None:
    made = by_init(tmp_path)
    if with_draft:
        drafts.keep(tmp_path, m.KeepDraft(draft=made))
    monkeypatch.setattr(waiting, "end_if_whole", unseen)
    found = ((made,), ()) if with_draft else ((), (str(tmp_path / "ana"),))
    assert waiting.find(tmp_path) == found
    assert drafts.is_kept(tmp_path, "ana") == with_draft


def test_folders_of_other_users_are_not_told_as_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: Path) -> Never:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "others").mkdir()
    monkeypatch.setattr(Path, "is_file", forbidden)
    assert waiting.find(tmp_path) == ((), ())


def test_a_home_that_is_read_only_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = by_init(tmp_path)
    drafts.keep(tmp_path, m.KeepDraft(draft=made))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnfinishedSetUp, "finish", lambda _: None)
        write_roster(tmp_path, read_entries(MemberFiles(tmp_path / "ana").entry))

    def read_only(*_: object, **__: object) -> Never:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    monkeypatch.setattr(os, "open", read_only)
    assert waiting.find(tmp_path) == ((), ())


def test_names_that_are_no_text_are_shown_all_the_same(tmp_path: Path) -> None:
    home = tmp_path / os.fsdecode(b"h\xff")
    by_init(home)
    cut_settings(home / "ana")
    (_, (shown,)) = waiting.find(home)
    msgspec.json.encode(shown)


def test_an_entry_that_changes_while_the_vault_is_opened_is_not_written(tmp_path: Path) -> None:
    by_init(tmp_path)
    old = read_entries(MemberFiles(tmp_path / "ana").entry)
    finished(tmp_path, draft(listen="127.0.0.1:7609"))
    with pytest.raises(SettingsInvalid, match="has changed"):
        open_vault(tmp_path, "ana", Roster(old))
    assert not MemberFiles(tmp_path / "ana").roster.exists()


@pytest.mark.parametrize("joins", [False, True])
def test_a_member_with_a_ledger_keeps_the_founders_that_it_began_with(
    tmp_path: Path, *, joins: bool
) -> None:
    by_init(tmp_path)
    by_init(tmp_path / "b", "ben")
    files = MemberFiles(tmp_path / "ana")
    (own,) = read_entries(files.entry)
    others = read_entries(MemberFiles(tmp_path / "b" / "ben").entry)
    write_roster(tmp_path, (own,))
    files.ledger.write_bytes(b"records")
    before = files.roster.read_bytes()

    def act() -> None:
        if joins:
            join_vault(tmp_path, "ana", others)
        else:
            write_roster(tmp_path, (own, *others))

    with pytest.raises(SettingsInvalid, match="another roster"):
        act()
    assert files.roster.read_bytes() == before
    moved = msgspec.structs.replace(own, address="127.0.0.1:7999")
    write_roster(tmp_path, (moved,))
    assert read_roster(files).members == (moved,)


def test_what_died_before_its_journal_goes_with_its_draft(tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "set-up.place").write_text("")
    (tmp_path / "ana" / "set-up.0123456789abcdef.tmp").write_text("{")
    drafts.keep(tmp_path, m.KeepDraft(draft=draft()))
    members.discard(tmp_path, m.Discard(draft=draft()))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_begins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Never:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("console.unfinished.set_up.create_file", full)
    with pytest.raises(OSError, match="space"):
        UnfinishedSetUp(tmp_path / "ana").begin(TOKEN)
    assert list(tmp_path.iterdir()) == []
