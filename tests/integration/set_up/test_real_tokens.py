"""Real libraries through the set-up process: tokens appear, are taken, and stall alone."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from console.client.set_up import messages as m
from console.client.set_up.port import SetUpRefused
from console.client.set_up.process import SetUpProcess
from console.set_up import tokens
from hsm import listing
from tests.shim import Shim
from tests.softhsm import USER_PIN, SoftHsm

pytestmark = [pytest.mark.hsm, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
PIN = USER_PIN.decode()


@pytest.fixture
def softhsm(softhsm_apart: SoftHsm) -> SoftHsm:
    return softhsm_apart


@pytest.fixture
def setting_up(softhsm: SoftHsm, tmp_path: Path) -> SetUpProcess:
    assert os.environ["SOFTHSM2_CONF"] == str(softhsm.configuration)
    return SetUpProcess(tmp_path / "home")


def tokens_of(seen: m.TokensSeen, module: Path) -> dict[str, m.TokenSeen]:
    found = [each for each in seen.modules if each.module == str(module)]
    return {token.label: token for each in found for token in each.tokens}


def draft_with(choice: m.TokenChoice) -> m.Draft:
    return m.Draft(member="ana", name="Ana", purpose=m.Purpose.CREATE, token=choice)


async def until(watching: AsyncIterator[m.TokensSeen], module: Path, label: str) -> m.TokenSeen:
    async with asyncio.timeout(120):
        async for seen in watching:
            found = tokens_of(seen, module)
            if label in found:
                return found[label]
    raise AssertionError("the watch ended")


async def test_a_token_appears_and_is_taken(setting_up: SetUpProcess, softhsm: SoftHsm) -> None:
    question = m.WatchTokens(modules=(str(softhsm.module),))
    async with aclosing(setting_up.watch(question)) as watching:
        await anext(watching)
        label = softhsm.blank()
        token = await until(watching, softhsm.module, label)
    assert token.for_tests_only
    assert not token.in_use
    assert token.missing == ()
    assert token.serial
    choice = m.TokenChoice(
        kind=m.TokenKind.PKCS11,
        module=str(softhsm.module),
        label=label,
        serial=token.serial,
    )
    checked = await setting_up.ask(m.CheckToken(token=choice, pin=PIN), m.TokenChecked)
    assert all(row.fits for row in checked.rows)
    await setting_up.ask(m.MakeKeys(draft=draft_with(choice), pin=PIN), m.KeysMade)
    async with aclosing(setting_up.watch(question)) as watching:
        assert (await until(watching, softhsm.module, label)).in_use


async def test_another_token_with_the_same_label_is_not_taken(
    setting_up: SetUpProcess, softhsm: SoftHsm
) -> None:
    choice = m.TokenChoice(
        kind=m.TokenKind.PKCS11,
        module=str(softhsm.module),
        label=softhsm.blank(),
        serial="another",
    )
    with pytest.raises(SetUpRefused, match="serial number"):
        await setting_up.ask(m.MakeKeys(draft=draft_with(choice), pin=PIN), m.KeysMade)


def test_no_token_is_out_of_reach_of_a_full_list(
    softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_TOKENS", 2)
    labels = [softhsm.blank() for _ in range(5)]
    seen = tokens.look_once(str(softhsm.module), again=True)
    assert len(seen.tokens) == 2
    assert "2 of its 5 tokens" in seen.problem
    for label in labels:
        tokens.require_token(
            m.TokenChoice(kind=m.TokenKind.PKCS11, module=str(softhsm.module), label=label)
        )


async def test_a_stalled_library_stands_alone(setting_up: SetUpProcess, shim: Shim) -> None:
    label = shim.over.blank()
    shim.restrict("stalled")
    question = m.WatchTokens(modules=(str(shim.module), str(shim.over.module)))
    async with aclosing(setting_up.watch(question)) as watching:
        assert await until(watching, shim.over.module, label)
        shim.restrict()
        assert await until(watching, shim.module, label)


async def test_the_bundled_program_answers_too(tmp_path: Path) -> None:
    program = (sys.executable, str(ROOT / "packaging" / "entry.py"), "-m", "console.cli")
    here = await SetUpProcess(tmp_path, program).ask(m.LookHere(), m.Here)
    assert here.drafts == ()


async def test_a_last_try_is_made_when_that_is_said(setting_up: SetUpProcess, shim: Shim) -> None:
    label = shim.over.blank()
    shim.restrict("tries=2")
    choice = m.TokenChoice(kind=m.TokenKind.PKCS11, module=str(shim.module), label=label)
    wrong = m.MakeKeys(draft=draft_with(choice), pin="000000")
    with pytest.raises(SetUpRefused) as refused:
        await setting_up.ask(wrong, m.KeysMade)
    assert refused.value.code == "wrong-pin"
    right = m.MakeKeys(draft=draft_with(choice), pin=PIN)
    with pytest.raises(SetUpRefused) as refused:
        await setting_up.ask(right, m.KeysMade)
    assert refused.value.code == "last-try"
    sure = m.MakeKeys(draft=draft_with(choice), pin=PIN, last_try=True)
    await setting_up.ask(sure, m.KeysMade)
