"""The contract of `SettingUp`: the questions that every implementation answers alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from console.client.set_up import messages as m
from console.client.set_up.port import SettingUp, SetUpRefused
from tests.contract.setting_up import FACTORIES, Factory

pytestmark = pytest.mark.hsm

PIN = "123456"


@pytest.fixture(params=sorted(FACTORIES))
def factory(request: pytest.FixtureRequest) -> Factory:
    return FACTORIES[request.param]


@pytest.fixture
def setting_up(factory: Factory, tmp_path: Path) -> SettingUp:
    return factory(tmp_path / "home")


def draft(member: str = "ana", name: str = "Ana Ruiz", **changes: object) -> m.Draft:
    choice = m.TokenChoice(kind=m.TokenKind.SOFTHSM)
    plain = m.Draft(
        member=member,
        name=name,
        purpose=m.Purpose.CREATE,
        token=choice,
        listen="127.0.0.1:7611",
    )
    return replace(plain, **changes)


async def finished(setting_up: SettingUp, made: m.Draft) -> m.Draft:
    """Return a draft whose keys and files are made."""
    await setting_up.ask(m.MakeKeys(draft=made, pin=PIN), m.KeysMade)
    entry = (await setting_up.ask(m.FinishMember(draft=made), m.MemberFinished)).entry
    assert entry.member == made.member
    return replace(made, keys_made=True, entry=entry.line)


async def test_a_fresh_machine_has_nothing(setting_up: SettingUp) -> None:
    here = await setting_up.ask(m.LookHere(), m.Here)
    assert here.drafts == ()
    assert not here.trial


async def test_a_draft_is_kept_and_replaced(setting_up: SettingUp) -> None:
    await setting_up.ask(m.KeepDraft(draft=draft(step=2)), m.DraftKept)
    await setting_up.ask(m.KeepDraft(draft=draft(step=3)), m.DraftKept)
    await setting_up.ask(m.KeepDraft(draft=draft("ben", "Ben")), m.DraftKept)
    here = await setting_up.ask(m.LookHere(), m.Here)
    assert {each.member: each.step for each in here.drafts} == {"ana": 3, "ben": 1}


async def test_names_are_judged(setting_up: SettingUp) -> None:
    judged = await setting_up.ask(m.JudgeName(name="Ana Ruiz"), m.NameJudged)
    assert judged == m.NameJudged(member="ana-ruiz", problem="")
    wrong = await setting_up.ask(m.JudgeName(name="Ana Ruiz", member="Ana!"), m.NameJudged)
    assert wrong.member == "Ana!"
    assert wrong.problem


async def test_presets_have_main_networks_and_name_them(setting_up: SettingUp) -> None:
    presets = (await setting_up.ask(m.GetPresets(), m.Presets)).presets
    assert {each.is_main for each in presets} == {True, False}
    assert all(each.chain and each.chain_name and each.network_name for each in presets)
    assert all(each.network == "mainnet" for each in presets if each.is_main)


async def test_an_address_is_suggested(setting_up: SettingUp) -> None:
    told = await setting_up.ask(m.TestAddress(listen=""), m.AddressTested)
    assert told.suggestion.rpartition(":")[2].isdigit()


async def test_a_vault_is_created_by_two(factory: Factory, tmp_path: Path) -> None:
    homes = {name: factory(tmp_path / name) for name in ("ana", "ben")}
    ana = await finished(homes["ana"], draft())
    ben = await finished(homes["ben"], draft("ben", "Ben Okafor"))
    for member, made, other in (("ana", ana, ben), ("ben", ben, ana)):
        setting_up = homes[member]
        text = f"\n{other.entry}\n\n"
        read = await setting_up.ask(m.ReadEntries(text=text), m.EntriesRead)
        assert [entry.member for entry in read.entries] == [other.member]
        assert all(entry.code for entry in read.entries)
        whole = replace(made, lines=tuple(entry.line for entry in read.entries))
        await setting_up.ask(m.KeepDraft(draft=whole), m.DraftKept)
        ready = await setting_up.ask(m.OpenVault(draft=whole), m.VaultReady)
        assert ready.member == member
        assert (await setting_up.ask(m.LookHere(), m.Here)).drafts == ()


async def test_what_is_no_entry_is_refused_in_words(setting_up: SettingUp) -> None:
    with pytest.raises(SetUpRefused) as refused:
        await setting_up.ask(m.ReadEntries(text="hello"), m.EntriesRead)
    assert refused.value.what
    assert refused.value.safe
    assert refused.value.next_step


async def test_a_discarded_set_up_is_gone(setting_up: SettingUp) -> None:
    made = await finished(setting_up, draft())
    await setting_up.ask(m.KeepDraft(draft=made), m.DraftKept)
    await setting_up.ask(m.Discard(draft=made, pin=PIN), m.Discarded)
    assert (await setting_up.ask(m.LookHere(), m.Here)).drafts == ()


async def test_a_set_up_in_kms_is_discarded_without_a_pin(setting_up: SettingUp) -> None:
    place = m.TokenChoice(kind=m.TokenKind.KMS, region="eu-central-1")
    made = draft(token=place, keys_made=True)
    await setting_up.ask(m.KeepDraft(draft=made), m.DraftKept)
    assert (await setting_up.ask(m.LookHere(), m.Here)).drafts == (made,)
    await setting_up.ask(m.Discard(draft=made), m.Discarded)
    assert (await setting_up.ask(m.LookHere(), m.Here)).drafts == ()


async def test_tokens_are_told_at_once_and_the_watch_ends(setting_up: SettingUp) -> None:
    watching = cast("AsyncIterator[m.TokensSeen]", setting_up.watch(m.WatchTokens()))
    async with asyncio.timeout(60), aclosing(watching):  # type: ignore[type-var]
        async for seen in watching:
            assert isinstance(seen.modules, tuple)
            break


async def test_a_cancelled_question_ends(setting_up: SettingUp) -> None:
    asking = asyncio.ensure_future(setting_up.ask(m.MakeKeys(draft=draft(), pin=PIN), m.KeysMade))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    # What it left is no obstacle.
    await finished(setting_up, draft())
