"""The window's set-up of a member with keys in AWS KMS: checked, made, finished, discarded.

Over moto's server; `tests/kms.py` says what it does not enforce.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from console import bootstrap
from console.client.set_up import messages as m
from console.client.set_up.port import SetUpRefused
from console.client.set_up.process import SetUpProcess
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import CloudKeys, NewMember, cloud, make_keys, set_up_member
from console.set_up import cloud as in_cloud
from console.set_up import drafts, members, tokens, waiting
from console.set_up.refusing import NotDone
from console.settings import MemberFiles, SettingsInvalid, VaultSettings, read_settings
from hsm import SetUpUnfinished
from hsm.kms import KmsSettings
from tests.kms import CHEAP, REGION, MotoKms

PASSPHRASE = "a long passphrase of tests"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passphrases cost little in this process; other processes have their true cost."""
    real = bootstrap.kms_settings

    def settings(files: MemberFiles, name: str, vault: VaultSettings) -> KmsSettings:
        return replace(real(files, name, vault), cost=CHEAP, least_memory_kib=64)

    for module in (bootstrap, cloud):
        monkeypatch.setattr(module, "kms_settings", settings)


def place(kms: MotoKms, **changes: str) -> m.TokenChoice:
    plain = m.TokenChoice(kind=m.TokenKind.KMS, region=REGION, endpoint_url=kms.url)
    return structs.replace(plain, **changes)


def given(kms: MotoKms) -> dict[str, str]:
    return {"sealing_key": kms.key("sealing"), "identity_key": kms.key("identity")}


def draft(kms: MotoKms, **changes: object) -> m.Draft:
    plain = m.Draft(
        member="alice",
        name="Alice",
        purpose=m.Purpose.CREATE,
        token=place(kms),
        token_unproven=True,
        listen="127.0.0.1:7611",
    )
    return structs.replace(plain, **changes)


def by_init(kms: MotoKms) -> NewMember:
    """Return a member as `quorate init` sets it up."""
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


def secret() -> SecretBytes:
    return SecretBytes(PASSPHRASE.encode())


async def test_a_member_is_set_up_and_thrown_away_by_the_process(
    kms: MotoKms, tmp_path: Path
) -> None:
    process, made = SetUpProcess(tmp_path), draft(kms)
    checked = await process.ask(m.CheckToken(token=place(kms), member="alice"), m.TokenChecked)
    assert REGION in checked.token
    fits = {row.name: row.fits for row in checked.rows}
    assert fits["Credentials"] is True
    assert fits["Sealing"] is None
    assert kms.made() == {}
    await process.ask(m.MakeKeys(draft=made, pin=PASSPHRASE), m.KeysMade)
    made = structs.replace(made, keys_made=True)
    await process.ask(m.KeepDraft(draft=made), m.DraftKept)
    entry = (await process.ask(m.FinishMember(draft=made), m.MemberFinished)).entry
    assert entry.member == "alice"
    vault = read_settings(MemberFiles(tmp_path / "alice")).vault
    assert {vault.sealing_key, vault.identity_key} == {key.arn for key in kms.made().values()}
    assert (await process.ask(m.LookHere(), m.Here)).drafts == (made,)
    await process.ask(m.Discard(draft=made), m.Discarded)
    assert kms.states() == ["PendingDeletion"] * 2
    assert not (tmp_path / "alice").exists()
    assert (await process.ask(m.LookHere(), m.Here)).drafts == ()


async def test_what_kms_refuses_is_told_in_words_of_kms(kms: MotoKms, tmp_path: Path) -> None:
    kms.fail["CreateKey"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpRefused, match="must allow kms:CreateKey") as refused:
        await SetUpProcess(tmp_path).ask(m.MakeKeys(draft=draft(kms), pin=PASSPHRASE), m.KeysMade)
    assert refused.value.code == "kms-failed"
    words = f"{refused.value.safe} {refused.value.next_step}"
    assert "token" not in words.lower()
    assert "policies" in words


@pytest.mark.usefixtures("cheap")
def test_keys_that_are_given_are_tried_taken_and_left(kms: MotoKms, tmp_path: Path) -> None:
    named = given(kms)
    choice = place(kms, **named)
    checked = tokens.check_token(tmp_path, m.CheckToken(token=choice, member="alice"))
    assert all(row.fits for row in checked.rows)
    made = draft(kms, token=choice)
    members.make(tmp_path, m.MakeKeys(draft=made, pin=PASSPHRASE))
    members.finish(tmp_path, m.FinishMember(draft=made))
    assert read_settings(MemberFiles(tmp_path / "alice")).vault.identity_key == choice.identity_key
    members.discard(tmp_path, m.Discard(draft=made))
    assert kms.states() == ["Enabled"] * 2


@pytest.mark.usefixtures("cheap")
def test_keys_that_do_not_suffice_are_refused(kms: MotoKms, tmp_path: Path) -> None:
    wrong = place(kms, sealing_key=kms.key("identity"), identity_key=kms.key("other-curve"))
    with pytest.raises(NotDone) as refused:
        members.make(tmp_path, m.MakeKeys(draft=draft(kms, token=wrong), pin=PASSPHRASE))
    assert refused.value.refused.code == "kms-insufficient"
    assert not (tmp_path / "alice").exists()


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize(
    "changes",
    [
        {"region": "Frankfurt"},
        {"sealing_key": "alias/quorate"},
        {"endpoint_url": "http://kms.example.org"},
    ],
)
def test_a_place_that_is_none_is_refused(
    kms: MotoKms, tmp_path: Path, changes: dict[str, str]
) -> None:
    choice = place(kms, **changes)
    with pytest.raises(SettingsInvalid):
        tokens.check_token(tmp_path, m.CheckToken(token=choice))
    with pytest.raises(SettingsInvalid):
        members.make(tmp_path, m.MakeKeys(draft=draft(kms, token=choice), pin=PASSPHRASE))
    assert kms.calls == []


@pytest.mark.usefixtures("cheap")
def test_what_died_is_gone_on_with_and_the_passphrase_is_the_one_entered_last(
    kms: MotoKms, tmp_path: Path
) -> None:
    """The keys were made, and the window died before it had kept that."""
    made = draft(kms)
    members.make(tmp_path, m.MakeKeys(draft=made, pin="another passphrase"))
    members.make(tmp_path, m.MakeKeys(draft=made, pin=PASSPHRASE))
    assert kms.states() == ["Enabled"] * 2
    members.finish(tmp_path, m.FinishMember(draft=made))
    _unlocks(tmp_path)


def _unlocks(home: Path) -> None:
    files = MemberFiles(home / "alice")

    async def use() -> None:
        vault = bootstrap.build_vault(files, read_settings(files))
        await vault.unlock(secret())
        await vault.close()

    asyncio.run(use())


@pytest.mark.usefixtures("cheap")
def test_a_set_up_of_the_terminal_is_gone_on_with(kms: MotoKms, tmp_path: Path) -> None:
    kms.fail["Sign"] = kms.fail["ScheduleKeyDeletion"] = ("AccessDeniedException", 400)
    with pytest.raises(SetUpUnfinished):
        set_up_member(tmp_path, by_init(kms), secret(), None)
    ((found,), damaged) = waiting.find(tmp_path)
    assert damaged == ()
    assert found.token == place(kms)
    assert found.token_unproven
    assert not found.keys_made
    with pytest.raises(NotDone) as refused:
        members.make(tmp_path, m.MakeKeys(draft=found, pin=PASSPHRASE))
    assert refused.value.refused.code in {"kms-unfinished", "kms-insufficient"}
    files = structs.replace(found, token=m.TokenChoice(kind=m.TokenKind.FILE))
    with pytest.raises(SettingsInvalid, match="keys in AWS KMS"):
        members.make(tmp_path, m.MakeKeys(draft=files, pin=PASSPHRASE))
    kms.fail.clear()
    members.make(tmp_path, m.MakeKeys(draft=found, pin=PASSPHRASE))
    assert kms.states() == ["Enabled"] * 2
    members.finish(tmp_path, m.FinishMember(draft=structs.replace(found, listen="127.0.0.1:1")))
    _unlocks(tmp_path)


@pytest.mark.usefixtures("cheap")
def test_a_finished_set_up_of_the_terminal_is_offered(kms: MotoKms, tmp_path: Path) -> None:
    set_up_member(tmp_path, by_init(kms), secret(), None)
    ((found,), _) = waiting.find(tmp_path)
    assert found.keys_made
    assert found.token is not None
    assert {found.token.sealing_key, found.token.identity_key} == {
        key.arn for key in kms.made().values()
    }
    members.finish(tmp_path, m.FinishMember(draft=found))
    members.discard(tmp_path, m.Discard(draft=found))
    assert kms.states() == ["PendingDeletion"] * 2


@pytest.mark.usefixtures("cheap")
def test_a_draft_that_knew_kms_as_a_label_is_read(kms: MotoKms, tmp_path: Path) -> None:
    make_keys(tmp_path, by_init(kms), secret(), None)
    label = m.TokenChoice(kind=m.TokenKind.PKCS11, label=f"AWS KMS, {REGION}")
    drafts.keep(tmp_path, m.KeepDraft(draft=draft(kms, token=label, token_unproven=False)))
    ((found,), _) = waiting.find(tmp_path)
    assert found.token is not None
    assert found.token.kind is m.TokenKind.KMS
    assert found.token_unproven
    members.make(tmp_path, m.MakeKeys(draft=found, pin=PASSPHRASE))
    members.finish(tmp_path, m.FinishMember(draft=found))
    _unlocks(tmp_path)


def test_without_its_packages_kms_is_told_as_not_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_cloud.not_possible_because() == ""
    monkeypatch.setattr(in_cloud, "missing_package", lambda: "boto3")
    assert "boto3 is not installed" in in_cloud.not_possible_because()
