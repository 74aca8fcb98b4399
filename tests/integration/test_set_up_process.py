"""The set-up process: it dies at every step and goes on, and what is discarded is gone."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.client.set_up import messages as m
from console.client.set_up.port import SetUpRefused
from console.client.set_up.process import SetUpProcess
from console.settings import MemberFiles, read_roster, read_settings
from tests.softhsm import MODULE, USER_PIN, SoftHsm

pytestmark = [pytest.mark.hsm, pytest.mark.timeout(300)]

OBJECTS = 8
PIN = USER_PIN.decode()
# Each step in the token is tried in `test_set_up`, in one process; here a process is killed.
IN_TOKEN = [
    "hsm.provision:create_head:2:before",
    "hsm.provision:create_record:1:after",
    "console.unfinished:UnfinishedSetUp.keys_made:1:after",
]
ON_DISK = [
    "console.provisioning.members:initialise_token:1:after",
    "console.unfinished:UnfinishedSetUp.keys_made:1:after",
]
FINISHING = [
    "console.provisioning.member_files:create_identity:3:before",
    "console.provisioning.member_files:write_toml:1:before",
    "console.set_up.members:finish_member:1:after",
]
OPENING = [
    "console.provisioning.rosters:write_toml:1:before",
    "console.provisioning.rosters:write_toml:1:after",
    "console.unfinished:UnfinishedSetUp.finish:1:before",
    "console.set_up.drafts:forget:1:before",
    "console.set_up.drafts:forget:1:after",
]


@dataclass
class Rig:
    """One home, and the tokens beside it."""

    home: Path
    softhsm: SoftHsm

    @property
    def setting_up(self) -> SetUpProcess:
        return SetUpProcess(self.home)

    async def dies(self, question: m.Question, step: str) -> None:
        """Ask a question of a process that kills itself at a step."""
        dying = SetUpProcess(self.home, (sys.executable, "-m", "tests.dying", step))
        with pytest.raises(SetUpRefused) as refused:
            await dying.ask(question, question.ANSWER)
        assert refused.value.code == "set-up-died"

    def objects(self, label: str) -> int:
        return len(list(self.softhsm.folder_of(label).glob("*.object"))) - 1

    def left(self) -> list[str]:
        """Return the files below the home but those that count PIN tries."""
        return [
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if path.is_file() and not path.name.startswith(".pin-tries")
        ]

    def require_whole(self, member: str) -> None:
        files = MemberFiles(self.home / member)
        assert read_settings(files).member == member
        assert read_roster(files).members
        assert not (files.directory / "set-up").exists()
        assert not (self.home / ".set-up").exists()


@pytest.fixture
def rig(softhsm: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("SOFTHSM2_CONF", str(softhsm.configuration))
    return Rig(tmp_path / "home", softhsm)


def on_softhsm(member: str = "ana", **changes: object) -> m.Draft:
    plain = m.Draft(
        member=member,
        name=member.title(),
        purpose=m.Purpose.CREATE,
        token=m.TokenChoice(kind=m.TokenKind.SOFTHSM),
        listen="127.0.0.1:7621",
    )
    return replace(plain, **changes)


def in_token(label: str) -> m.Draft:
    choice = m.TokenChoice(kind=m.TokenKind.PKCS11, module=str(MODULE), label=label)
    return on_softhsm(token=choice)


async def entry_of(rig: Rig, name: str, tmp_path: Path) -> str:
    """Return another member's entry, made in a home of its own."""
    other = SetUpProcess(tmp_path / f"of-{name}")
    made = on_softhsm(name)
    await other.ask(m.MakeKeys(draft=made, pin=PIN), m.KeysMade)
    return (await other.ask(m.FinishMember(draft=made), m.MemberFinished)).entry.line


@pytest.mark.parametrize("step", IN_TOKEN)
async def test_keys_in_a_token_are_made_whole_or_removed(rig: Rig, step: str) -> None:
    label = rig.softhsm.blank()
    draft = in_token(label)
    question = m.MakeKeys(draft=draft, pin=PIN)
    await rig.dies(question, step)
    assert rig.objects(label) > 0
    # Without the PIN nothing is removed, and that is said.
    with pytest.raises(SetUpRefused) as refused:
        await rig.setting_up.ask(m.Discard(draft=draft), m.Discarded)
    assert refused.value.code == "pin-needed"
    await rig.setting_up.ask(m.Discard(draft=draft, pin=PIN), m.Discarded)
    assert rig.objects(label) == 0
    assert rig.left() == []
    await rig.dies(question, step)
    await rig.setting_up.ask(question, m.KeysMade)
    assert rig.objects(label) == OBJECTS
    await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)


@pytest.mark.parametrize("step", ON_DISK)
async def test_a_token_of_our_own_is_made_anew_or_removed(rig: Rig, step: str) -> None:
    draft = on_softhsm()
    question = m.MakeKeys(draft=draft, pin=PIN)
    await rig.dies(question, step)
    await rig.setting_up.ask(m.Discard(draft=draft), m.Discarded)
    assert rig.left() == []
    await rig.dies(question, step)
    # Another PIN than the first time: it is the one.
    await rig.setting_up.ask(replace(question, pin="77777777"), m.KeysMade)
    await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)


@pytest.mark.parametrize("step", FINISHING)
async def test_files_are_written_whole(rig: Rig, step: str) -> None:
    draft = on_softhsm()
    await rig.setting_up.ask(m.MakeKeys(draft=draft, pin=PIN), m.KeysMade)
    await rig.dies(m.FinishMember(draft=draft), step)
    moved = replace(draft, listen="127.0.0.1:7622")
    entry = (await rig.setting_up.ask(m.FinishMember(draft=moved), m.MemberFinished)).entry
    assert entry.address == "127.0.0.1:7622"
    assert read_settings(MemberFiles(rig.home / "ana")).peer_address == "127.0.0.1:7622"
    await rig.dies(m.FinishMember(draft=draft), step)
    await rig.setting_up.ask(m.Discard(draft=draft), m.Discarded)
    assert rig.left() == []


async def test_a_vault_is_opened_whole(rig: Rig, tmp_path: Path) -> None:
    draft = on_softhsm()
    await rig.setting_up.ask(m.MakeKeys(draft=draft, pin=PIN), m.KeysMade)
    made = await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)
    lines = (await entry_of(rig, "ben", tmp_path),)
    draft = replace(draft, entry=made.entry.line, lines=lines)
    await rig.setting_up.ask(m.KeepDraft(draft=draft), m.DraftKept)
    for step in OPENING:
        await rig.dies(m.OpenVault(draft=draft), step)
    await rig.setting_up.ask(m.OpenVault(draft=draft), m.VaultReady)
    rig.require_whole("ana")
    # It is a member now: as a set-up it is neither discarded nor made again.
    for question in (m.Discard(draft=draft), m.MakeKeys(draft=draft, pin=PIN)):
        with pytest.raises(SetUpRefused):
            await rig.setting_up.ask(question, question.ANSWER)
    rig.require_whole("ana")


async def test_another_token_is_not_taken_while_keys_may_be_in_the_first(rig: Rig) -> None:
    first, second = rig.softhsm.blank(), rig.softhsm.blank()
    await rig.dies(m.MakeKeys(draft=in_token(first), pin=PIN), IN_TOKEN[0])
    with pytest.raises(SetUpRefused, match=first):
        await rig.setting_up.ask(m.MakeKeys(draft=in_token(second), pin=PIN), m.KeysMade)
    assert rig.objects(second) == 0
    await rig.setting_up.ask(m.Discard(draft=in_token(first), pin=PIN), m.Discarded)
    await rig.setting_up.ask(m.MakeKeys(draft=in_token(second), pin=PIN), m.KeysMade)


async def test_no_secret_is_seen_beside_the_question(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, started = rig.softhsm.blank(), []
    real = asyncio.create_subprocess_exec

    async def watched(*arguments: str, **named: object) -> asyncio.subprocess.Process:
        assert "env" not in named
        started.append(arguments)
        return await real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    draft = in_token(label)
    secret = "4711-wrong-4711"
    assert draft.token is not None
    for question in (
        m.MakeKeys(draft=draft, pin=secret),
        m.CheckToken(token=draft.token, pin=secret),
    ):
        with pytest.raises(SetUpRefused) as refused:
            await rig.setting_up.ask(question, question.ANSWER)
        said = refused.value
        assert secret not in f"{said!r} {said.code} {said.what} {said.safe} {said.next_step}"
        assert secret not in repr(question)
    assert started
    assert not any(secret in argument for arguments in started for argument in arguments)
    assert not any(secret in value for value in os.environ.values())
    await rig.setting_up.ask(m.KeepDraft(draft=draft), m.DraftKept)
    for path in rig.home.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


async def test_a_test_token_is_never_for_a_main_network(rig: Rig) -> None:
    chain = m.ChainChoice(chain="ethereum", network="mainnet", urls=("http://127.0.0.1:1",))
    draft = on_softhsm(chains=(chain,))
    await rig.setting_up.ask(m.MakeKeys(draft=draft, pin=PIN), m.KeysMade)
    with pytest.raises(SetUpRefused) as refused:
        await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)
    assert refused.value.code == "test-token"
    assert not MemberFiles(rig.home / "ana").settings.exists()
    said = replace(draft, accepts_unproven=True)
    with pytest.raises(SetUpRefused, match="for tests"):
        await rig.setting_up.ask(m.FinishMember(draft=said), m.MemberFinished)


async def test_encrypted_files_are_for_a_main_network_only_if_that_is_said(rig: Rig) -> None:
    chain = m.ChainChoice(chain="ethereum", network="mainnet", urls=("http://127.0.0.1:1",))
    files = m.TokenChoice(kind=m.TokenKind.FILE)
    draft = on_softhsm(token=files, chains=(chain,))
    await rig.setting_up.ask(m.MakeKeys(draft=draft, pin="a long passphrase"), m.KeysMade)
    with pytest.raises(SetUpRefused) as refused:
        await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)
    assert refused.value.code == "unproven-token"
    said = replace(draft, accepts_unproven=True)
    await rig.setting_up.ask(m.FinishMember(draft=said), m.MemberFinished)


async def test_a_machine_joins_with_the_founders_entries(rig: Rig, tmp_path: Path) -> None:
    founders = [await entry_of(rig, name, tmp_path) for name in ("ben", "chiara")]
    draft = on_softhsm(purpose=m.Purpose.JOIN)
    await rig.setting_up.ask(m.MakeKeys(draft=draft, pin=PIN), m.KeysMade)
    made = await rig.setting_up.ask(m.FinishMember(draft=draft), m.MemberFinished)
    draft = replace(draft, entry=made.entry.line)
    with pytest.raises(SetUpRefused):
        await rig.setting_up.ask(m.OpenVault(draft=draft), m.VaultReady)
    whole = replace(draft, lines=tuple(founders))
    await rig.setting_up.ask(m.OpenVault(draft=whole), m.VaultReady)
    roster = read_roster(MemberFiles(rig.home / "ana"))
    assert [entry.member for entry in roster.members] == ["ben", "chiara"]
    assert roster.joining is not None
    assert roster.joining.member == "ana"


async def test_keys_that_a_set_up_left_are_no_hindrance_to_itself_alone(rig: Rig) -> None:
    label = rig.softhsm.blank()
    draft = in_token(label)
    assert draft.token is not None
    await rig.dies(m.MakeKeys(draft=draft, pin=PIN), IN_TOKEN[1])
    for member, fits in (("ana", None), ("ben", False), ("", False)):
        question = m.CheckToken(token=draft.token, member=member)
        checked = await rig.setting_up.ask(question, m.TokenChecked)
        (room,) = [row for row in checked.rows if row.name == "Room"]
        assert (member, room.fits) == (member, fits)
