"""A discarded set-up leaves nothing, wherever its token keeps what is made."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Never

import msgspec
import pytest
from pkcs11 import Attribute
from pkcs11.types import Object, Session

from console.application.errors import HsmError, KeyCheckFailed, WrongPin
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, PinNeeded, discard_member, finish_member, make_keys
from console.settings import SettingsInvalid
from console.unfinished import VAULT_FILES
from hsm import Pkcs11Vault, SetUpOver, SetUpUnproven, removal
from hsm.anchor import HEAD
from hsm.keys import RECORD
from hsm.kms.lock_file import LOCK_FILE
from hsm.library import TokenChoice, library
from hsm.signed_files import HEAD_FILE, RECORD_FILE
from tests.shim import Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm


def member(shim: Shim, label: str) -> NewMember:
    return NewMember(
        member="alice",
        name="Alice",
        peer_address="127.0.0.1:7600",
        console_address="127.0.0.1:7601",
        module=str(shim.module),
        token=label,
        fresh_softhsm=False,
        chains=(),
    )


def pin() -> SecretBytes:
    return SecretBytes(USER_PIN)


def test_the_files_of_a_vault_are_known_here() -> None:
    assert set(VAULT_FILES) == {RECORD_FILE, HEAD_FILE, LOCK_FILE}


@pytest.mark.parametrize("words", ["", "no-data"])
def test_nothing_is_left(shim: Shim, tmp_path: Path, words: str) -> None:
    label = shim.token()
    shim.restrict(words)
    new = member(shim, label)
    make_keys(tmp_path, new, pin(), None)
    in_files = [name for name in VAULT_FILES if (tmp_path / "alice" / name).exists()]
    assert bool(in_files) == (words == "no-data")
    finish_member(tmp_path, new)
    with pytest.raises(PinNeeded):
        discard_member(tmp_path, "alice", None)
    with pytest.raises(HsmError):
        discard_member(tmp_path, "alice", SecretBytes(b"000000"))
    assert shim.objects(label) > 0
    (next(tmp_path.glob(".pin-tries-*"))).unlink()
    discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == 0
    assert list(tmp_path.iterdir()) == []
    # There is nothing more to discard, and the token can be set up again.
    discard_member(tmp_path, "alice", None)
    make_keys(tmp_path, new, pin(), None)


def test_a_whole_member_is_not_discarded(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    new = member(shim, label)
    make_keys(tmp_path, new, pin(), None)
    finish_member(tmp_path, new)
    before = shim.objects(label)
    (tmp_path / "alice" / "set-up").rename(tmp_path / "kept")
    with pytest.raises(SettingsInvalid, match="whole member"):
        discard_member(tmp_path, "alice", pin())
    (tmp_path / "kept").rename(tmp_path / "alice" / "set-up")
    (tmp_path / "alice" / "roster.toml").write_text("")
    with pytest.raises(SettingsInvalid, match="whole member"):
        discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == before


@pytest.mark.parametrize("words", ["", "no-data"])
async def test_keys_of_a_member_outlive_an_old_copy_of_its_set_up(
    shim: Shim, tmp_path: Path, words: str
) -> None:
    label = shim.token()
    shim.restrict(words)
    new, here = member(shim, label), tmp_path / "alice"
    make_keys(tmp_path, new, pin(), None)
    journal = (here / "set-up").read_bytes()
    vault = Pkcs11Vault(shim.settings(here, label))
    await vault.unlock(pin())
    head = HeadAnchor(7, bytes([7]) * 32)
    await vault.anchor.write(head)
    await vault.close()
    before = shim.objects(label)
    for damage in (False, True):
        if damage and not words:
            remove_record(shim, label)
            before -= 1
        (here / "set-up").write_bytes(journal)
        with pytest.raises(SetUpOver):
            discard_member(tmp_path, "alice", pin())
        if damage or words:
            with pytest.raises(SetUpOver):
                make_keys(tmp_path, new, pin(), None)
        else:
            make_keys(tmp_path, new, pin(), None)
        assert shim.objects(label) == before
        if not damage:
            again = Pkcs11Vault(shim.settings(here, label))
            await again.unlock(pin())
            assert await again.anchor.read() == head
            await again.close()


def test_a_record_in_a_file_saves_keys_that_a_set_up_would_make_anew(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    shim.restrict("no-data")
    new, here = member(shim, label), tmp_path / "alice"
    make_keys(tmp_path, new, pin(), None)
    key = (here / RECORD_FILE).read_bytes()
    make_keys(tmp_path, new, pin(), None)
    assert (here / RECORD_FILE).read_bytes() == key


@pytest.mark.parametrize("words", ["", "no-data"])
def test_a_wrong_pin_does_not_forget_whose_the_keys_are(
    shim: Shim, tmp_path: Path, words: str
) -> None:
    label = shim.token()
    shim.restrict(words)
    new = member(shim, label)
    make_keys(tmp_path, new, pin(), None)
    key = finish_member(tmp_path, new).identity_key
    (tmp_path / "alice" / "member.toml").unlink()
    with pytest.raises(WrongPin):
        make_keys(tmp_path, new, SecretBytes(b"000000"), None)
    next(tmp_path.glob(".pin-tries-*")).unlink()
    make_keys(tmp_path, new, pin(), None)
    assert finish_member(tmp_path, new).identity_key == key


@pytest.mark.parametrize("words", ["", "no-data"])
def test_a_copy_of_a_set_up_removes_and_makes_no_keys(
    shim: Shim, tmp_path: Path, words: str
) -> None:
    label = shim.token()
    shim.restrict(words)
    new, home = member(shim, label), tmp_path / "home"
    make_keys(home, new, pin(), None)
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    finish_member(home, new)
    before = shim.objects(label)
    with pytest.raises(SetUpUnproven, match="copy"):
        discard_member(copy, "alice", pin())
    assert shim.objects(label) == before
    # From where it began it can be thrown away; the copy is files only, then.
    discard_member(home, "alice", pin())
    assert shim.objects(label) == 0
    with pytest.raises(SetUpUnproven, match="copy"):
        make_keys(copy, new, pin(), None)
    assert shim.objects(label) == 0
    discard_member(copy, "alice", pin())
    assert not (copy / "alice").exists()


@pytest.mark.parametrize("again", [False, True])
def test_keys_of_a_token_that_hides_its_data_are_not_removed(
    shim: Shim, tmp_path: Path, *, again: bool
) -> None:
    label = shim.token()
    new = member(shim, label)
    make_keys(tmp_path, new, pin(), None)
    before = shim.objects(label)

    def act() -> None:
        if again:
            make_keys(tmp_path, new, pin(), None)
        else:
            discard_member(tmp_path, "alice", pin())

    with hidden_data(), pytest.raises(SetUpUnproven, match="no head"):
        act()
    assert shim.objects(label) == before
    discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == 0


def test_keys_that_are_not_those_of_the_journal_are_not_removed(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    make_keys(tmp_path, member(shim, label), pin(), None)
    before = shim.objects(label)
    note(tmp_path, identity_key="04" + "ab" * 64)
    with pytest.raises(SetUpUnproven, match="not those"):
        discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == before


@pytest.mark.parametrize("words", ["", "no-data"])
def test_a_set_up_of_before_needs_the_proof_of_a_head(
    shim: Shim, tmp_path: Path, words: str
) -> None:
    label = shim.token()
    shim.restrict(words)
    make_keys(tmp_path, member(shim, label), pin(), None)
    before = shim.objects(label)
    note(tmp_path, place=0, identity_key="")
    head = tmp_path / "alice" / HEAD_FILE
    if words:
        head.rename(tmp_path / "kept")
    with hidden_data(), pytest.raises(SetUpUnproven, match="no head"):
        discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == before
    if words:
        (tmp_path / "kept").rename(head)
    discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == 0


@pytest.mark.parametrize("words", ["", "no-data"])
def test_a_removal_that_ends_in_the_middle_goes_on(shim: Shim, tmp_path: Path, words: str) -> None:
    label = shim.token()
    shim.restrict(words)
    make_keys(tmp_path, member(shim, label), pin(), None)

    class Died(BaseException):
        """The process ended here."""

    def remove(session: Session, keys: list[Object], made: list[Object]) -> Never:
        # All but the keys that tell whose the rest is.
        for kind in (RECORD, HEAD):
            for found in session.get_objects({Attribute.LABEL: kind}):
                found.destroy()
        keys[-1].destroy()
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removal, "destroy", remove)
        with pytest.raises(Died):
            discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) > 0
    if words:
        (tmp_path / "alice" / HEAD_FILE).unlink()
    discard_member(tmp_path, "alice", pin())
    assert shim.objects(label) == 0
    assert list(tmp_path.iterdir()) == []


@contextmanager
def hidden_data() -> Iterator[None]:
    """Let the token show no data objects, though it has them."""

    def damaged(*_: object) -> Never:
        raise KeyCheckFailed("no record")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removal, "find_all", lambda *_: [])
        patch.setattr(import_module("hsm.provision"), "read_record", damaged)
        yield


def note(home: Path, **changes: object) -> None:
    """Change what the set-up's journal says."""
    journal = home / "alice" / "set-up"
    said = msgspec.json.decode(journal.read_bytes())
    journal.write_bytes(msgspec.json.encode({**said, **changes}))


def remove_record(shim: Shim, label: str) -> None:
    """Take the key record away, so that a set-up takes the keys for those of one that failed."""
    owner = library(shim.module)
    with (
        owner.lock,
        owner.find(TokenChoice(label=label)).open(rw=True, user_pin=USER_PIN.decode()) as session,
    ):
        for found in session.get_objects({Attribute.LABEL: RECORD}):
            found.destroy()
