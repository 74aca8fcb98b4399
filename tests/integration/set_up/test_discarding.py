"""A discarded set-up leaves nothing, wherever its token keeps what is made."""

from pathlib import Path

import pytest

from console.application.errors import HsmError
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, PinNeeded, discard_member, finish_member, make_keys
from console.settings import SettingsInvalid
from console.unfinished import VAULT_FILES
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
    assert set(VAULT_FILES) == {RECORD_FILE, HEAD_FILE}


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
