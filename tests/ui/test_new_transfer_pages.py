"""A preview belongs to one page, one moment and the account that the page names."""

import asyncio
import dataclasses

import pytest
from msgspec.structs import replace

from console.application.api import PreviewReplacement, PreviewTransfer
from console.application.commands import ProposeTransfer
from console.application.views import FieldView, TokenView
from tests.fakes import scenario
from tests.fakes.console import REFUSED
from ui.view_model import LoadState
from ui.wording import MASK

ETHER = "ethereum:m/44/60/0/0/0"
PAGE = f"{scenario.WALLET}#{ETHER}"
CHEAP = "0x52908400098527886E0F7030069857D2E4169EE7"


@pytest.fixture
def slow(driver):
    """Let transfers be built only when told; `let[1]` is what then goes wrong."""
    let, ask, troubles = asyncio.Event(), driver.console.ask, []

    async def waiting(query):
        if isinstance(query, PreviewTransfer):
            driver.console.previewed.append(query)
            await let.wait()
            if troubles:
                raise troubles[0]
        return await ask(query)

    driver.console.ask = waiting
    return let, troubles


def drafted(driver, subject=PAGE):
    driver.show("new_transfer", subject)
    view = driver.front
    view.form.to.setText(CHEAP)
    view.form.amount.setText("0.5")
    return view


def previewed(driver, view):
    view.form.preview_button.click()
    driver.until(lambda: view.model.preview is not None)


def test_a_slow_preview_holds_up_no_other_page(driver, slow):
    let, troubles = slow
    view = drafted(driver)
    view.form.preview_button.click()
    driver.until(lambda: driver.console.previewed)
    request = scenario.request_name(scenario.STAGES[0])
    driver.show("new_transfer", f"{PAGE}#speed-up:{request}")
    driver.until(lambda: view.model.preview is not None)
    assert driver.console.previewed[-1] == PreviewReplacement(request)
    shown = view.model.preview
    troubles.append(REFUSED)
    let.set()
    driver.pass_time(0.05)
    assert view.model.preview is shown
    assert view.model.refusal is None


def test_what_was_built_for_an_emptied_form_is_not_shown_beside_it(driver, slow):
    let, _ = slow
    view = drafted(driver)
    view.form.preview_button.click()
    driver.until(lambda: driver.console.previewed)
    driver.show("new_transfer", f"{scenario.RESERVE}#{ETHER}")
    driver.show("new_transfer", PAGE)
    let.set()
    driver.pass_time(0.05)
    assert view.form.to.text() == ""
    assert view.model.preview is None
    assert not view.model.previewing


def test_another_account_begins_with_the_coin(driver):
    view = drafted(driver)
    assert view.form.assets is not None
    view.form.assets.choose(scenario.TOKEN)
    view.form.durable.setChecked(False)
    driver.show("new_transfer", f"{scenario.RESERVE}#{ETHER}")
    assert view.form.draft.asset == ""
    assert view.form.durable.isChecked()


def test_two_tokens_of_one_name_show_their_own_balances(driver):
    wallet = driver.console.wallets[scenario.WALLET]
    ether = next(a for a in wallet.accounts if a.chain == "ethereum")
    tokens = (
        TokenView(address="0x1", unit="USDX", decimals=6, balance="1", balance_base_units="1"),
        TokenView(address="0x2", unit="USDX", decimals=6, balance="2", balance_base_units="2"),
    )
    accounts = tuple(replace(a, tokens=tokens) if a is ether else a for a in wallet.accounts)
    driver.console.wallets[scenario.WALLET] = replace(wallet, accounts=accounts)
    view = drafted(driver)
    for address, balance in (("0x1", "1"), ("0x2", "2"), ("0x1", "1")):
        view.form.assets.choose(address)
        view.form.changed.emit()
        assert view.form.available.text() == f"{balance}\u00a0USDX"


def test_no_other_account_pays_for_one_that_is_gone(driver):
    driver.show("new_transfer", f"{scenario.WALLET}#bitcoin:m/99", LoadState.EMPTY)
    model = driver.front.model
    assert model.account is None


@pytest.mark.parametrize(("minutes", "asked"), [(9, True), (11, False)])
@pytest.mark.parametrize("lasts_s", [None, 3_600])
def test_an_old_preview_is_made_again(driver, minutes, asked, lasts_s):
    view = drafted(driver)
    previewed(driver, view)
    view.model.preview = replace(view.model.preview, valid_for_s=lasts_s)
    now = view.context.now_ms() + minutes * 60_000
    view.model.context = dataclasses.replace(view.context, now_ms=lambda: now)
    view.preview_card.request_button.click()
    driver.pass_time(0.05)
    sent = [c for c in driver.console.executed if isinstance(c, ProposeTransfer)]
    assert bool(sent) is asked
    if not asked:
        assert view.model.preview is None
        assert view.model.refusal.code == "preview-too-old"
        assert view.form.to.text() == CHEAP


def test_privacy_mode_hides_what_stands_in_the_decoded_fields(driver):
    view = drafted(driver)
    previewed(driver, view)
    description = replace(
        view.model.preview.description,
        fields=(FieldView("Recipient", CHEAP), FieldView("Token amount", "1.25 USDX")),
    )
    view.model.preview = replace(
        view.model.preview,
        description=description,
        effects=(FieldView(CHEAP, "+1.25 USDX"), FieldView("This wallet", "-1.25 USDX")),
    )
    view.model.changed.emit()
    card = view.preview_card

    def shown():
        return str((card.facts.shown, card.effects.shown))

    assert CHEAP in shown()
    driver.window.privacy.toggle()
    driver.pass_time(0.02)
    assert CHEAP not in shown()
    assert "1.25" not in shown()
    assert MASK in shown()


def test_a_draft_that_became_a_request_is_not_asked_about(driver):
    view = drafted(driver)
    assert "draft of a transfer" in view.unsaved
    previewed(driver, view)
    view.preview_card.request_button.click()
    driver.until(lambda: driver.window.current_screen == "review")
    assert view.form.begun
    assert view.unsaved == ""
