"""Setting a member up with keys in AWS KMS: checked first, made or given, and undone if it fails.

Over moto's server; `tests/kms.py` says what it does not enforce.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console import bootstrap
from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from console.cli import app
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import CloudKeys, NewMember, cloud, discard_member, set_up_member
from console.provisioning import member_files as writing
from console.settings import (
    MemberFiles,
    SettingsInvalid,
    VaultSettings,
    read_entries,
    read_settings,
)
from console.unfinished import UnfinishedSetUp
from hsm import SetUpOver, SetUpUnfinished, SetUpUnproven, Standing, TokenInsufficient
from hsm.kms import KmsSettings, KmsSetUp, KmsVault, check_kms, provision_kms
from tests.architecture.sources import ROOT
from tests.kms import CHEAP, REGION, MotoKms, provisioned, settings_of

PASSPHRASE = "a long passphrase of tests"
ID = bytes(range(16))


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passphrases cost little in this process; other processes have their true cost."""
    real = bootstrap.kms_settings

    def settings(files: MemberFiles, name: str, vault: VaultSettings) -> KmsSettings:
        return replace(real(files, name, vault), cost=CHEAP, least_memory_kib=64)

    for module in (bootstrap, cloud):
        monkeypatch.setattr(module, "kms_settings", settings)


def options(kms: MotoKms, *more: str) -> list[str]:
    return ["--module", "kms", "--region", REGION, "--endpoint-url", kms.url, *more]


def init(kms: MotoKms, home: Path, *more: str) -> list[str]:
    who = ["--member", "alice", "--name", "Alice", "--listen", "127.0.0.1:1"]
    return ["init", *who, "--console", "127.0.0.1:2", "--home", str(home), *options(kms, *more)]


def given(kms: MotoKms) -> list[str]:
    return ["--sealing-key", kms.key("sealing"), "--identity-key", kms.key("identity")]


def member(kms: MotoKms) -> NewMember:
    return NewMember(
        member="alice",
        name="Alice",
        peer_address="127.0.0.1:1",
        console_address="127.0.0.1:2",
        module="kms",
        token="",
        fresh_softhsm=False,
        chains=(),
        cloud=CloudKeys(region=REGION, endpoint_url=kms.url),
    )


def provision(settings: KmsSettings, **how: object) -> bytes:
    set_up = replace(KmsSetUp(identifier=ID), **how)  # type: ignore[arg-type]
    return provision_kms(settings, SecretBytes(PASSPHRASE.encode()), set_up).identity_key


def signed_by(files: MemberFiles) -> bytes:
    """Unlock a member's vault, sign and write its head; return its public key."""

    async def use() -> bytes:
        vault = bootstrap.build_vault(files, read_settings(files))
        await vault.unlock(SecretBytes(PASSPHRASE.encode()))
        assert len(await vault.identity.sign(b"statement")) == 64
        await vault.anchor.write(HeadAnchor(1, bytes(32)))
        point = await vault.identity.public_key()
        await vault.close()
        return point

    return asyncio.run(use())


# ---------------------------------------------------------------- the check


def test_the_check_prints_the_table_and_leaves_nothing(kms: MotoKms, tmp_path: Path) -> None:
    arguments = ["init", "--check", "--home", str(tmp_path / "home"), *options(kms, *given(kms))]
    before = {key: vars(held).copy() for key, held in kms.made().items()}
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    for words in (
        "yes Sealing",
        "another context and altered data were refused",
        "yes Identity key",
        "signed and verified",
        "found: env",
        "is not AWS's own",
        "an old copy of the whole directory",
        "Nothing was left on it.",
    ):
        assert words in done.output
    assert {key: vars(held) for key, held in kms.made().items()} == before
    assert not (tmp_path / "home").exists()
    assert "CreateKey" not in kms.operations()


def test_the_check_without_keys_tries_none(kms: MotoKms, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", "--check", "--home", str(tmp_path), *options(kms)])
    assert done.exit_code == 0, done.output
    assert "?   Sealing" in done.output
    assert "With the ARNs of both keys, the rest is tried." in done.output
    assert kms.calls == []


@pytest.mark.parametrize(
    ("sealing", "identity", "words"),
    [
        ("identity", "other-curve", "ECC_NIST_P256 for SIGN_VERIFY"),
        ("sealing", "other-curve", "ECC_SECG_P256K1 for SIGN_VERIFY"),
    ],
)
def test_keys_of_another_kind_do_not_suffice(
    kms: MotoKms, tmp_path: Path, sealing: str, identity: str, words: str
) -> None:
    named = ["--sealing-key", kms.key(sealing), "--identity-key", kms.key(identity)]
    done = CliRunner().invoke(
        app, ["init", "--check", "--home", str(tmp_path), *options(kms, *named)]
    )
    assert done.exit_code == 1
    assert words in done.output
    assert "This token does not suffice" in done.output


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda kms: kms.fail.update(Encrypt=("AccessDeniedException", 400)), "AccessDenied"),
        (lambda kms: kms.fail.update(Sign=("DisabledException", 400)), "disabled"),
        (lambda kms: kms.fail.update(DescribeKey=("NotFoundException", 400)), "NotFound"),
        (lambda kms: setattr(kms, "context_bound", False), "another context too"),
        (lambda kms: setattr(kms, "digest_signed", False), "does not verify"),
    ],
)
def test_what_kms_refuses_or_does_otherwise_is_a_row(
    kms: MotoKms, tmp_path: Path, spoil: Callable[[MotoKms], None], words: str
) -> None:
    settings = provisioned(kms, tmp_path)
    spoil(kms)
    table = check_kms(settings)
    assert any(words in row.found for row in table.missing), table.rows
    with pytest.raises(TokenInsufficient):
        provision(replace(settings, folder=tmp_path / "other"))


def test_the_check_fails_when_kms_does_not_answer(kms: MotoKms, tmp_path: Path) -> None:
    settings = provisioned(kms, tmp_path)
    gone = replace(settings, place=replace(settings.place, endpoint_url="http://127.0.0.1:1"))
    with pytest.raises(HsmError, match="is not reached"):
        check_kms(gone)


def test_the_check_without_credentials_says_so(
    kms: MotoKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = provisioned(kms, tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    table = check_kms(settings)
    assert [row.name for row in table.missing] == ["Credentials"]
    unknown = replace(settings, place=replace(settings.place, profile="nobody"))
    assert "ProfileNotFound" in check_kms(unknown).missing[0].found


# ---------------------------------------------------------------- the set-up


def test_a_member_is_set_up_with_keys_that_are_made(kms: MotoKms, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, init(kms, tmp_path), input=f"{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    files = MemberFiles(tmp_path / "alice")
    vault = read_settings(files).vault
    assert vault.kind == "kms"
    assert {vault.sealing_key, vault.identity_key} == {key.arn for key in kms.made().values()}
    text = files.settings.read_text()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert os.environ[name] not in text
    (entry,) = read_entries(files.entry)
    journal = UnfinishedSetUp(files.directory).read()
    assert journal is not None, "it is open until the roster is written"
    assert journal.vault == vault
    assert journal.identity_key.hex() == entry.identity_key
    calls = [*kms.calls]
    again = CliRunner().invoke(app, init(kms, tmp_path), input=f"{PASSPHRASE}\n")
    assert again.output.splitlines()[-1] == done.output.splitlines()[-1]
    assert kms.calls == calls
    assert signed_by(files).hex() == entry.identity_key
    created = [asked for name, asked in kms.calls if name == "CreateKey"]
    for asked, word in zip(created, ("sealing", "identity"), strict=True):
        tags = {tag["TagKey"]: tag["TagValue"] for tag in asked["Tags"]}
        assert tags["quorate-member"] == "alice"
        assert tags["quorate-key"] == word
        assert len(tags["quorate-set-up"]) == 32
    aliases = [asked["AliasName"] for name, asked in kms.calls if name == "CreateAlias"]
    assert [name.rpartition("-")[2] for name in aliases] == ["sealing", "identity"]
    assert all(name.startswith("alias/quorate-alice-") for name in aliases)
    assert "ListKeys" not in kms.operations()


def test_a_member_is_set_up_with_keys_that_are_given(kms: MotoKms, tmp_path: Path) -> None:
    named = given(kms)
    done = CliRunner().invoke(app, init(kms, tmp_path, *named), input=f"{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    assert "CreateKey" not in kms.operations()
    vault = read_settings(MemberFiles(tmp_path / "alice")).vault
    assert [vault.sealing_key, vault.identity_key] == named[1::2]
    signed_by(MemberFiles(tmp_path / "alice"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sealing-key"], "name both KMS keys"),
        (["--identity-key"], "name both KMS keys"),
    ],
)
def test_one_key_alone_is_refused(
    kms: MotoKms, tmp_path: Path, arguments: list[str], words: str
) -> None:
    named = [*arguments, kms.key(arguments[0][2:-4])]
    done = subprocess_init(init(kms, tmp_path, *named))
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "alice").exists()
    assert len(kms.made()) == 1


def subprocess_init(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *arguments],
        cwd=ROOT,
        input=f"{PASSPHRASE}\n",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_options_of_kms_go_with_kms(tmp_path: Path) -> None:
    for arguments, words in (
        (["--module", "file", "--region", REGION], "only with --module kms"),
        (["--module", "kms"], "missing: --region"),
    ):
        done = CliRunner().invoke(app, ["init", "--check", "--home", str(tmp_path), *arguments])
        assert done.exit_code == 2
        assert words in done.output


def test_a_short_passphrase_makes_nothing(kms: MotoKms, tmp_path: Path) -> None:
    with pytest.raises(HsmError, match="at least 6 bytes"):
        provision_kms(settings_of(kms, tmp_path), SecretBytes(b"short"), KmsSetUp(identifier=ID))
    assert kms.calls == []


def test_a_key_that_kms_does_not_know_everywhere_yet_is_waited_for(
    kms: MotoKms, tmp_path: Path
) -> None:
    waits: list[float] = []
    kms.fail["DescribeKey"] = ("NotFoundException", 400)

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            kms.fail.clear()

    provision(settings_of(kms, tmp_path), sleep=wait)
    assert waits == [1.0, 1.0, 1.0]


def test_a_key_that_kms_never_knows_ends_the_set_up(kms: MotoKms, tmp_path: Path) -> None:
    kms.fail["DescribeKey"] = ("NotFoundException", 400)
    with pytest.raises(HsmError, match=r"NotFoundException.* deletes them in 7 days"):
        provision(settings_of(kms, tmp_path), sleep=lambda _: None)
    assert kms.states() == ["PendingDeletion"] * 2


# ---------------------------------------------------------------- failures

STEPS = ["CreateKey", "CreateAlias", "DescribeKey", "Encrypt", "Decrypt", "Sign", "GetPublicKey"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", ["AccessDeniedException", "KMSInternalException"])
def test_a_set_up_that_fails_has_its_keys_deleted_and_says_so(
    kms: MotoKms, tmp_path: Path, step: str, code: str
) -> None:
    kms.fail[step] = (code, 400)
    with pytest.raises(HsmError, match=code) as refused:
        set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    assert set(kms.states()) <= {"PendingDeletion"}
    if step != "CreateKey":
        for key in kms.made().values():
            assert key.arn in str(refused.value)
        assert "AWS deletes them in 7 days" in str(refused.value)
    scheduled = [asked for name, asked in kms.calls if name == "ScheduleKeyDeletion"]
    assert all(asked["PendingWindowInDays"] == 7 for asked in scheduled)
    assert not (tmp_path / "alice").exists()
    kms.fail.clear()
    set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    assert kms.states().count("Enabled") == 2
    signed_by(MemberFiles(tmp_path / "alice"))


def test_given_keys_are_never_deleted(kms: MotoKms, tmp_path: Path) -> None:
    settings = provisioned(kms, tmp_path / "a")
    kms.fail["Sign"] = ("AccessDeniedException", 400)
    with pytest.raises(TokenInsufficient):
        provision(replace(settings, folder=tmp_path / "b"))
    assert kms.states() == ["Enabled"] * 2
    assert "ScheduleKeyDeletion" not in kms.operations()


def test_a_created_key_whose_answer_was_lost_is_found_by_its_tags(
    kms: MotoKms, tmp_path: Path
) -> None:
    def nonsense(answer: dict[str, object]) -> None:
        answer.clear()

    kms.change["CreateKey"] = nonsense
    with pytest.raises(HsmError, match=r"CreateKey.*without a fit Arn.*in 7 days"):
        provision(settings_of(kms, tmp_path))
    assert kms.states() == ["PendingDeletion"]


def test_keys_that_cannot_be_removed_are_told_and_used_by_the_next_set_up(
    kms: MotoKms, tmp_path: Path
) -> None:
    kms.fail["Sign"] = kms.fail["ScheduleKeyDeletion"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished, match="Start the same set-up again") as refused:
        set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    for key in kms.made().values():
        assert key.arn in str(refused.value)
    assert kms.states() == ["Enabled"] * 2
    kms.fail.clear()
    entry = set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    assert kms.states() == ["Enabled"] * 2
    assert signed_by(MemberFiles(tmp_path / "alice")).hex() == entry.identity_key


def test_a_set_up_that_is_interrupted_leaves_no_key(kms: MotoKms, tmp_path: Path) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(_: float) -> None:
        raise Interrupted

    kms.fail["DescribeKey"] = ("NotFoundException", 400)
    with pytest.raises(Interrupted):
        provision(settings_of(kms, tmp_path), sleep=interrupt)
    assert kms.states() == ["PendingDeletion"] * 2


def test_files_that_cannot_be_written_undo_the_keys_that_are_named_then(
    kms: MotoKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails after the keys are made keeps them, for the same set-up again."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_toml", full)
        with pytest.raises(OSError, match="No space"):
            set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    assert kms.states() == ["Enabled"] * 2
    journal = UnfinishedSetUp(tmp_path / "alice").read()
    assert journal is not None
    assert journal.standing is Standing.FOR_TESTS
    assert journal.vault is not None
    assert journal.vault.sealing_key
    before = set(kms.made())
    set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    assert set(kms.made()) == before
    signed_by(MemberFiles(tmp_path / "alice"))


def test_another_place_is_refused_while_keys_may_be_in_the_first(
    kms: MotoKms, tmp_path: Path
) -> None:
    kms.fail["Sign"] = kms.fail["ScheduleKeyDeletion"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished):
        set_up_member(tmp_path, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    other = replace(member(kms), cloud=CloudKeys(region="us-east-1", endpoint_url=kms.url))
    with pytest.raises(SettingsInvalid, match=f"keys in AWS KMS in {REGION}"):
        set_up_member(tmp_path, other, SecretBytes(PASSPHRASE.encode()), None)
    kms.fail.clear()
    discard_member(tmp_path, "alice", None)
    assert kms.states() == ["PendingDeletion"] * 2
    assert not (tmp_path / "alice").exists()


def finished(kms: MotoKms, home: Path) -> MemberFiles:
    set_up_member(home, member(kms), SecretBytes(PASSPHRASE.encode()), None)
    return MemberFiles(home / "alice")


def test_a_set_up_without_a_roster_is_discarded_with_its_keys(kms: MotoKms, tmp_path: Path) -> None:
    files = finished(kms, tmp_path)
    discard_member(tmp_path, "alice", None)
    assert kms.states() == ["PendingDeletion"] * 2
    assert not files.directory.exists()


def test_given_keys_are_not_deleted_when_a_set_up_is_discarded(
    kms: MotoKms, tmp_path: Path
) -> None:
    named = given(kms)
    CliRunner().invoke(app, init(kms, tmp_path, *named), input=f"{PASSPHRASE}\n")
    discard_member(tmp_path, "alice", None)
    assert kms.states() == ["Enabled"] * 2
    assert not (tmp_path / "alice").exists()


def copied(files: MemberFiles) -> Path:
    home = files.directory.parent / "copy"
    shutil.copytree(files.directory, home / "alice")
    return home


def without_head(files: MemberFiles) -> Path:
    (files.directory / "ledger-head").unlink()
    return files.directory.parent


def with_a_head(files: MemberFiles) -> Path:
    signed_by(files)
    return files.directory.parent


def with_other_keys_noted(files: MemberFiles) -> Path:
    UnfinishedSetUp(files.directory).keys_made(b"\4" + bytes(64), Standing.FOR_TESTS)
    return files.directory.parent


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (copied, "a copy of the one"),
        (without_head, "shows no head of a ledger"),
        (with_a_head, "this set-up is over"),
        (with_other_keys_noted, "are not those that it has noted"),
    ],
)
def test_keys_that_may_be_a_member_s_are_not_deleted(
    kms: MotoKms, tmp_path: Path, change: Callable[[MemberFiles], Path], words: str
) -> None:
    files = finished(kms, tmp_path)
    home = change(files)
    with pytest.raises(SetUpOver, match=words):
        discard_member(home, "alice", None)
    assert kms.states() == ["Enabled"] * 2
    assert files.settings.exists()


def test_a_copy_makes_no_keys(kms: MotoKms, tmp_path: Path) -> None:
    kms.fail["Sign"] = kms.fail["ScheduleKeyDeletion"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished):
        finished(kms, tmp_path)
    kms.fail.clear()
    home = copied(MemberFiles(tmp_path / "alice"))
    kms.calls.clear()
    with pytest.raises(SetUpUnproven):
        finished(kms, home)
    assert kms.calls == []


def test_keys_of_before_stay_when_the_next_call_fails(kms: MotoKms, tmp_path: Path) -> None:
    kms.fail["Sign"] = kms.fail["ScheduleKeyDeletion"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished):
        finished(kms, tmp_path)
    del kms.fail["ScheduleKeyDeletion"]
    with pytest.raises(TokenInsufficient):
        finished(kms, tmp_path)
    assert kms.states() == ["Enabled"] * 2
    kms.fail.clear()
    finished(kms, tmp_path)
    assert kms.states() == ["Enabled"] * 2


def test_the_proof_stays_when_the_next_call_fails(kms: MotoKms, tmp_path: Path) -> None:
    new, files = member(kms), finished(kms, tmp_path)
    files.settings.unlink()
    kms.fail["ListKeys"] = ("AccessDeniedException", 400)
    for attempt in (
        lambda: set_up_member(tmp_path, new, SecretBytes(PASSPHRASE.encode()), None),
        lambda: discard_member(tmp_path, "alice", None),
    ):
        with pytest.raises(HsmError, match="AccessDeniedException"):
            attempt()
    kms.fail.clear()
    discard_member(tmp_path, "alice", None)
    assert kms.states() == ["PendingDeletion"] * 2
    assert not files.directory.exists()


def test_nothing_of_a_member_with_a_ledger_is_touched(kms: MotoKms, tmp_path: Path) -> None:
    settings = provisioned(kms, tmp_path)

    async def write() -> None:
        vault = KmsVault(settings)
        await vault.unlock(SecretBytes(b"482913"))
        await vault.anchor.write(HeadAnchor(1, bytes(32)))
        await vault.close()

    asyncio.run(write())
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kms.calls.clear()
    with pytest.raises(SetUpOver):
        provision(settings)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert kms.calls == []


def test_keys_of_others_are_left_alone(kms: MotoKms, tmp_path: Path) -> None:
    """Another member's, another set-up's, and a stranger's with the same words in one tag."""
    provisioned(kms, tmp_path / "bob", member="bob")
    provisioned(kms, tmp_path / "alice-before")
    kms.key("sealing")
    kms.fail["ScheduleKeyDeletion"] = kms.fail["Sign"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished):
        provision(settings_of(kms, tmp_path / "alice"))
    kms.fail.clear()
    kms.calls.clear()
    provision(settings_of(kms, tmp_path / "alice"), resumed=True)
    assert "CreateKey" not in kms.operations()
    assert "ScheduleKeyDeletion" not in kms.operations()
    assert kms.states() == ["Enabled"] * 7


# ---------------------------------------------------------------- crashes


@pytest.mark.parametrize(
    ("step", "at", "after"),
    [
        ("CreateKey", 1, True),
        ("CreateKey", 2, False),
        ("CreateAlias", 2, True),
        ("Encrypt", 2, False),
        ("Sign", 2, True),
        ("Sign", 3, True),
    ],
)
def test_a_set_up_that_dies_is_taken_up_by_the_next(
    kms: MotoKms, tmp_path: Path, step: str, at: int, after: bool
) -> None:
    arguments = init(kms, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "console.cli", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as dying:
        count = 0

        def kill(*_: object) -> None:
            nonlocal count
            count += 1
            if count == at:
                dying.kill()
                dying.wait()

        if after:
            kms.change[step] = kill
        else:
            kms.before[step] = kill
        _, said = dying.communicate(f"{PASSPHRASE}\n".encode())
    assert dying.returncode == -signal.SIGKILL, said.decode()
    kms.change.clear()
    kms.before.clear()
    done = subprocess_init(arguments)
    assert done.returncode == 0, done.stderr
    files = MemberFiles(tmp_path / "alice")
    vault = read_settings(files).vault
    enabled = {key.arn for key in kms.made().values() if key.key_state == "Enabled"}
    assert enabled == {vault.sealing_key, vault.identity_key}
    assert len(kms.made()) == 2, "what was left is used, and nothing is made beside it"
    signed_by(files)
