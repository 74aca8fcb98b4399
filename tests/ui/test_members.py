"""Members: a decision is signed only as it was shown, after its code was compared."""

import pytest
from PySide6.QtTest import QTest

from console.application.commands import SignDecision
from console.application.views import RecoveryView
from tests.fakes import recovery
from tests.ui.test_recovery import complete, executed, show
from ui.screens.recovery import plans
from ui.screens.recovery.endorsing import CHECK_FIRST, PIN_FIRST
from ui.widgets.buttons import Button
from ui.widgets.fields import CheckLine


def ask(driver):
    screen = show(driver, "members")
    screen.decide.click()
    return screen, screen.decision_panel


def box(panel, what, member):
    return panel.findChild(CheckLine, f"decisionPanel.{what}.{member}")


def settled(driver, screen):
    driver.until(lambda: screen.model.decision_preview is not None)
    return screen.model.decision_preview


@pytest.mark.parametrize(
    ("leaving", "deciding", "said"),
    [
        (["Eli"], ["Ana", "Ben"], "Eli leaves the vault. From then on Ana and Ben decide."),
        (["Eli", "Ben"], ["Ana"], "Eli and Ben leave the vault. From then on Ana decides."),
        ([], ["Ana", "Ben"], "From then on Ana and Ben decide."),
    ],
)
def test_a_decision_is_told_in_one_sentence(leaving, deciding, said):
    assert plans.decision(leaving, deciding) == said


def test_the_page_shows_who_decides_who_has_left_and_what_waits(driver):
    screen = show(driver, "members")
    page = screen.members
    texts = [row.item.detail for row in page.list.rows]
    assert texts.count("Left the vault") == 1
    assert page.said.text().startswith("Eli Brandt leaves the vault.")
    assert page.code.text() == recovery.decision().short_code
    assert page.state.look.word == "Waiting \u00b7 2 of 3"
    assert screen.model.undecided == 1
    assert screen.decide.isEnabled()


def test_without_decisions_the_page_says_so(driver):
    driver.console.recovery = RecoveryView(wallets=(), machines=(), members=recovery.members())
    screen = show(driver, "members")
    assert screen.members.none.isVisible()
    assert not screen.members.decision.isVisible()
    # Who does not decide is not offered to.
    assert not screen.decide.isEnabled()


def test_the_open_decision_is_signed_as_shown(driver):
    screen = show(driver, "members")
    sign = screen.members.sign
    assert (sign.approve.isEnabled(), sign.why.text()) == (False, CHECK_FIRST)
    complete(sign)
    driver.until(sign.approve.isEnabled)
    sign.approve.click()
    assert sign.pin.text() == ""
    driver.until(lambda: bool(executed(driver, SignDecision)))
    (command,) = executed(driver, SignDecision)
    shown = recovery.decision()
    assert (command.retires, command.electors) == (shown.retires, shown.electors)
    assert command.digest == shown.digest
    driver.until(lambda: command.pin.wiped)
    driver.until(lambda: sign.why.text() == "You have signed it.")
    assert not sign.pin.isVisible()


def test_a_decision_is_prepared_compared_and_signed(driver):
    screen, panel = ask(driver)
    assert not panel.sign.pin.isVisible()
    assert "Choose who leaves" in panel.sign.why.text()
    box(panel, "leaves", "eli").setChecked(True)
    assert not box(panel, "decides", "eli").isChecked()
    assert not box(panel, "decides", "eli").isEnabled()
    preview = settled(driver, screen)
    assert panel.code.text() == preview.short_code
    assert panel.said.text().startswith("Eli Brandt leaves the vault.")
    panel.sign.compared.setChecked(True)
    assert panel.sign.why.text() == PIN_FIRST
    QTest.keyClicks(panel.sign.pin, "123456")
    driver.until(panel.sign.approve.isEnabled)
    panel.sign.approve.click()
    driver.until(lambda: bool(executed(driver, SignDecision)))
    (command,) = executed(driver, SignDecision)
    assert (command.retires, command.digest) == (("eli",), preview.digest)
    assert "eli" not in command.electors
    driver.until(lambda: not panel.isVisible())


def test_another_choice_voids_tick_and_pin(driver):
    screen, panel = ask(driver)
    box(panel, "leaves", "eli").setChecked(True)
    settled(driver, screen)
    complete(panel.sign)
    box(panel, "leaves", "ben").setChecked(True)
    assert not panel.sign.compared.isChecked()
    assert panel.sign.pin.text() == ""
    assert not panel.sign.approve.isEnabled()


def test_what_would_lock_a_wallet_says_so(driver):
    screen, panel = ask(driver)
    box(panel, "leaves", "ben").setChecked(True)
    box(panel, "leaves", "chiara").setChecked(True)
    settled(driver, screen)
    driver.until(panel.problems.isVisible)
    assert "reshare it first" in panel.problems.detail.text()
    assert not panel.sign.pin.isVisible()


def test_nobody_is_offered_to_leave_by_itself_and_cancel_forgets(driver):
    _, panel = ask(driver)
    assert box(panel, "leaves", "ana") is None
    box(panel, "decides", "ana").setChecked(False)
    cancel = panel.findChild(Button, "decisionPanel.cancel")
    assert cancel is not None
    cancel.click()
    assert not panel.isVisible()
    assert not executed(driver, SignDecision)
