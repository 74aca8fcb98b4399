"""A member's set-up that fails, dies or is refused leaves nothing half-made, and can go on."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Never

import pytest
from pkcs11 import exceptions as p11
from pkcs11.types import Session
from typer.testing import CliRunner

from console.application.errors import HsmError, PinLocked, WrongPin
from console.application.ports.vault import HeadAnchor
from console.cli import app
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, set_up_member, vault_of, write_roster
from console.settings import MemberFiles, RosterEntry, SettingsInvalid, read_settings
from console.unfinished import UnfinishedSetUp
from hsm import SetUpUnfinished, TokenInsufficient, TokenTaken
from hsm.anchor import create_head
from hsm.keys import IDENTITY, PRESENCE, SIGNING_TRAITS, KeyRecord
from hsm.library import TokenChoice, library
from hsm.making import create_record, identifier_of, make_signing_key, point_of
from hsm.signed_files import SignedFiles
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.shim import NO_SEAL, Shim
from tests.softhsm import ALICE, USER_PIN

pytestmark = pytest.mark.hsm

MAKING = import_module("hsm.provision")
WRITING = import_module("console.provisioning.member_files")
# Where a set-up can end: (module, its function, at which call).
STEPS = [
    (MAKING, "make_signing_key", 1),
    (MAKING, "make_signing_key", 2),
    (MAKING, "make_sealing_key", 1),
    (MAKING, "create_head", 1),
    (MAKING, "create_head", 2),
    (MAKING, "create_record", 1),
    (MAKING, "load_keys", 1),
    (WRITING, "create_identity", 1),
    (WRITING, "create_identity", 3),
    (WRITING, "write_profile", 1),
    (WRITING, "entry_line", 1),
    (WRITING, "write_toml", 1),
]
IN_TOKEN = [step for step in STEPS if step[0] is MAKING]
OBJECTS = 8
OTHERS = 5
"""A key pair, two heads and a key record."""


class Died(BaseException):
    """The process ended here."""


@contextmanager
def ending(
    step: tuple[object, str, int], end: type[BaseException], *, after: bool
) -> Iterator[None]:
    """Let the set-up end before or after a step."""
    module, name, at = step
    real: Callable[..., object] = getattr(module, name)
    calls = 0

    def call(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at and not after:
            raise end
        result = real(*arguments, **named)
        if calls == at:
            raise end
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, call)
        if end is Died:
            # A process that is gone cleans nothing up.
            patch.setattr(UnfinishedSetUp, "undo", lambda *_, **__: None)
            patch.setattr(MAKING, "clean_up", lambda *_, **__: None)
        yield


def member(shim: Shim, label: str, **changed: object) -> NewMember:
    new = NewMember(
        member="alice",
        name="Alice",
        peer_address="127.0.0.1:7600",
        console_address="127.0.0.1:7601",
        module=str(shim.module),
        token=label,
        fresh_softhsm=False,
        chains=(),
    )
    return replace(new, **changed)  # type: ignore[arg-type]


def set_up(home: Path, new: NewMember, pin: bytes = USER_PIN, **how: bool) -> RosterEntry:
    return set_up_member(home, new, SecretBytes(pin), None, **how)


async def require_usable(shim: Shim, home: Path, label: str, entry: RosterEntry) -> None:
    """Check that the member is whole, and that the token holds its objects and no others."""
    files = MemberFiles(home / "alice")
    read_settings(files)
    # It is over when the roster is written.
    assert (files.directory / "set-up").exists()
    assert shim.objects(label) == OBJECTS
    vault = Pkcs11Vault(shim.settings(home, label))
    await vault.unlock(SecretBytes(USER_PIN))
    assert (await vault.identity.public_key()).hex() == entry.identity_key
    assert await vault.anchor.read() is None
    await vault.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[1]}-{step[2]}")
async def test_a_set_up_that_dies_goes_on(
    shim: Shim, tmp_path: Path, step: tuple[object, str, int], after: bool
) -> None:
    label = shim.token()
    with ending(step, Died, after=after), pytest.raises(Died):
        set_up(tmp_path, member(shim, label))
    assert not (tmp_path / "alice" / "member.toml").exists()
    entry = set_up(tmp_path, member(shim, label))
    await require_usable(shim, tmp_path, label, entry)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", IN_TOKEN, ids=lambda step: f"{step[1]}-{step[2]}")
def test_what_a_failed_set_up_made_is_removed(
    shim: Shim, tmp_path: Path, step: tuple[object, str, int], after: bool
) -> None:
    label = shim.token()
    with ending(step, p11.DeviceMemory, after=after), pytest.raises(HsmError, match="DeviceMemory"):
        set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == 0
    assert not any(tmp_path.iterdir())


async def test_a_full_disk_leaves_keys_that_the_next_set_up_uses(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    with ending((WRITING, "write_toml", 1), OSError, after=True), pytest.raises(OSError):
        set_up(tmp_path, member(shim, label))
    assert {path.name for path in (tmp_path / "alice").iterdir()} == {"set-up", "set-up.place"}
    entry = set_up(tmp_path, member(shim, label))
    await require_usable(shim, tmp_path, label, entry)


@pytest.mark.parametrize("error", [OSError(28, "full"), HsmError("gone"), KeyboardInterrupt()])
async def test_keys_that_could_not_be_noted_are_used_by_the_next_set_up(
    shim: Shim, tmp_path: Path, error: BaseException
) -> None:
    label = shim.token()

    def fail(*_: object) -> Never:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnfinishedSetUp, "keys_made", fail)
        with pytest.raises(type(error)):
            set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OBJECTS
    entry = set_up(tmp_path, member(shim, label))
    await require_usable(shim, tmp_path, label, entry)


async def test_keys_whose_record_could_not_be_written_are_used_by_the_next_set_up(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    shim.restrict("nothing-public")

    def fail(*_: object) -> Never:
        raise HsmError("the file cannot be stored: full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SignedFiles, "write_record", fail)
        with pytest.raises(SetUpUnfinished, match="again"):
            set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OBJECTS
    set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OBJECTS


async def test_a_token_that_goes_while_it_is_set_up(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()

    def go(*_: object, **__: object) -> None:
        shim.restrict("gone")
        raise p11.DeviceRemoved

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MAKING, "create_record", go)
        with pytest.raises(SetUpUnfinished, match="again"):
            set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OBJECTS - 1
    shim.restrict()
    library(shim.module).reset()
    entry = set_up(tmp_path, member(shim, label))
    await require_usable(shim, tmp_path, label, entry)


async def test_keys_of_a_member_are_never_taken_for_what_a_set_up_left(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    entry = set_up(tmp_path, member(shim, label))
    # Another home, another member, and this one when its files are gone: none has the identifier.
    for home, name in ((tmp_path / "b", "alice"), (tmp_path, "bob")):
        with pytest.raises(HsmError, match="already"):
            set_up(home, member(shim, label, member=name))
    with pytest.raises(SettingsInvalid, match="already"):
        set_up(tmp_path, member(shim, label, name="Alicia"))
    write_roster(tmp_path, (entry,))
    for missing in ("member.toml", "roster.toml"):
        (tmp_path / "alice" / missing).rename(tmp_path / f"kept-{missing}")
        with pytest.raises(SettingsInvalid, match="not touched"):
            set_up(tmp_path, member(shim, label))
    (tmp_path / "kept-member.toml").rename(tmp_path / "alice" / "member.toml")
    assert shim.objects(label) == OBJECTS
    vault = Pkcs11Vault(shim.settings(tmp_path / "alice", label))
    await vault.unlock(SecretBytes(USER_PIN))
    assert (await vault.identity.public_key()).hex() == entry.identity_key
    await vault.close()


def test_whole_keys_of_another_are_not_taken_for_what_is_left_of_this_one(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    set_up(tmp_path / "b", member(shim, label))
    new = member(shim, label)
    identifier = UnfinishedSetUp(tmp_path / "alice").begin(vault_of(new))
    owner = library(shim.module)
    with (
        owner.lock,
        owner.find(TokenChoice(label=label)).open(rw=True, user_pin=USER_PIN.decode()) as session,
    ):
        named = identifier_of(identifier, PRESENCE)
        make_signing_key(session, PRESENCE, SIGNING_TRAITS, named, stored=True)
    with pytest.raises(TokenTaken, match="already holds"):
        set_up(tmp_path, new)
    assert shim.objects(label) == OBJECTS


async def test_another_set_up_that_passes_this_one_is_left_whole(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    real = MAKING.probe
    winner = shim.settings(tmp_path / "winner", label)
    winner.files_dir.mkdir()
    keys: list[bytes] = []

    def passed(*arguments: object) -> object:
        table = real(*arguments)
        keys.append(made_by_another(winner))
        return table

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MAKING, "probe", passed)
        with pytest.raises(HsmError, match="already holds"):
            set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OBJECTS
    library(shim.module).reset()
    vault = Pkcs11Vault(winner)
    await vault.unlock(SecretBytes(USER_PIN))
    assert await vault.identity.public_key() == keys[0]
    assert await vault.anchor.read() is None
    await vault.close()


@pytest.mark.parametrize("fails", [False, True])
def test_of_two_set_ups_at_once_each_removes_its_own_objects_only(
    shim: Shim, tmp_path: Path, fails: bool
) -> None:
    label = shim.token()
    step = "create_record" if fails else "make_signing_key"
    real = getattr(MAKING, step)

    def beside(session: Session, *arguments: object, **named: object) -> object:
        patch.undo()
        traits = SIGNING_TRAITS
        public, _ = make_signing_key(session, IDENTITY, traits, bytes(16), stored=True)
        record = KeyRecord(ALICE, point_of(public), b"", bytes(32))
        for _ in range(2):
            create_head(session, 0, HeadAnchor(0, bytes(32)))
        create_record(session, record.encode(), stored=True)
        if fails:
            raise p11.DeviceMemory
        return real(session, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MAKING, step, beside)
        with pytest.raises(HsmError, match="DeviceMemory" if fails else "another set-up"):
            set_up(tmp_path, member(shim, label))
    assert shim.objects(label) == OTHERS


def made_by_another(settings: Pkcs11Settings) -> bytes:
    """Set the token up in a process of its own; return the identity key."""
    code = (
        "import sys; from pathlib import Path; from console.domain.ids import MemberId; "
        "from console.protocols.kernel.secret import SecretBytes; "
        "from hsm import Pkcs11Settings, provision; module, label, shares, tries = sys.argv[1:]; "
        "made = provision(Pkcs11Settings(Path(module), label, Path(shares), Path(tries), "
        "MemberId('alice')), SecretBytes(sys.stdin.buffer.read())); print(made.hex())"
    )
    where = (settings.module, settings.token_label, settings.shares_dir, settings.backoff_file)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, where)],
        input=USER_PIN,
        capture_output=True,
        check=True,
    )
    return bytes.fromhex(done.stdout.decode())


def test_a_refused_token_leaves_nothing(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    shim.restrict(*NO_SEAL)
    with pytest.raises(TokenInsufficient, match="AES_KEY_GEN is not listed"):
        set_up(tmp_path, member(shim, label))
    assert not any(tmp_path.iterdir())
    assert shim.objects(label) == 0


def test_wrong_pins_are_counted_for_the_token_whatever_the_member(
    shim: Shim, tmp_path: Path
) -> None:
    label = shim.token()
    shim.restrict("tries=3")
    with pytest.raises(WrongPin):
        set_up(tmp_path, member(shim, label), b"000000")
    with pytest.raises(PinLocked, match="next try"):
        set_up(tmp_path, member(shim, label, member="bob"), b"000000")
    assert not any(path.is_dir() for path in tmp_path.iterdir())


def test_a_fresh_softhsm_that_died_is_made_anew(tmp_path: Path) -> None:
    directory = tmp_path / "alice"
    again = UnfinishedSetUp(directory)
    identifier = again.begin()
    for half in ("tokens", "vault", "tls"):
        (again.make_folder(half) / "half").write_text("")
    (directory / "notes").write_text("kept")
    assert again.begin() == identifier
    assert again.begin() == identifier
    left = {path.name for path in directory.iterdir()}
    assert left == {"notes", "set-up", "set-up.place", "tls"}
    again.undo(keep=False)
    assert {path.name for path in directory.iterdir()} == {"notes"}


def test_a_damaged_identifier_is_told(tmp_path: Path) -> None:
    unfinished = UnfinishedSetUp(tmp_path / "alice")
    unfinished.begin()
    (tmp_path / "alice" / "set-up").write_text("x")
    with pytest.raises(SettingsInvalid, match="damaged"):
        unfinished.begin()


def run(*arguments: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["init", *arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_the_command_prints_the_table(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    where = ("--check", "--home", str(tmp_path), "--module", str(shim.module), "--token", label)
    code, shown = run(*where, given=f"{USER_PIN.decode()}\n")
    assert code == 0
    assert "This token suffices" in shown
    assert shown.count("\nyes ") == 9
    code, shown = run(*where)
    assert code == 0
    assert "With its PIN, the rest is tried" in shown
    shim.restrict(*NO_SEAL)
    code, shown = run(*where)
    assert code == 1
    assert "NO  Sealing" in shown
    assert "does not suffice: Sealing" in shown
    assert shim.objects(label) == 0
    assert not any(tmp_path.iterdir())


def test_without_check_the_member_is_asked_for(tmp_path: Path) -> None:
    code, shown = run("--home", str(tmp_path), "--member", "alice", "--name", "Alice")
    assert code == 2
    assert "--listen" in shown
    assert "--console" in shown
    assert run("--check", "--module", "file")[0] == 0
