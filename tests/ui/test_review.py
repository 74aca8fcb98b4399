"""Deciding on a request: nothing is approved by accident, and what is shown is what is sent."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from console.application.api import ChangeKind
from console.application.commands import ApproveRequest, DenyRequest, WithdrawRequest
from console.application.views import CeremonyStage, RequestStage
from tests.fakes import scenario
from tests.ui.driving import Driver
from ui import object_names as names
from ui.screens.review.view import ReviewScreen
from ui.screens.review.view_model import Missing
from ui.view_model import UNREACHABLE_NOW
from ui.widgets.buttons import Button

WAITING = scenario.request_name(RequestStage.AWAITING_APPROVAL)


def open_review(driver: Driver, **changes: object) -> ReviewScreen:
    if changes:
        driver.console.requests[WAITING] = scenario.request(**changes)
    driver.show("review", WAITING)
    screen = driver.front
    assert isinstance(screen, ReviewScreen)
    screen.decision.approve.delay_s = 0.3
    return screen


def complete(screen: ReviewScreen) -> None:
    screen.decision.check_1.setChecked(True)
    screen.decision.check_2.setChecked(True)
    QTest.keyClicks(screen.decision.pin, "123456")


def approvals(driver: Driver) -> list[ApproveRequest]:
    return [command for command in driver.console.executed if isinstance(command, ApproveRequest)]


def test_approve_says_what_is_missing_until_it_is_armed(driver):
    card = open_review(driver).decision
    assert (card.approve.isEnabled(), card.why.text()) == (False, Missing.CHECKS)
    card.check_1.setChecked(True)
    assert (card.approve.isEnabled(), card.why.text()) == (False, Missing.CHECKS)
    card.check_2.setChecked(True)
    assert (card.approve.isEnabled(), card.why.text()) == (False, Missing.PIN)
    QTest.keyClicks(card.pin, "123456")
    assert not card.approve.isEnabled()
    assert "in 1 s" in card.approve.text()
    driver.until(card.approve.isEnabled)
    card.check_2.setChecked(False)
    assert not card.approve.isEnabled()


def test_the_delay_is_three_seconds(driver):
    driver.show("review", WAITING)
    assert driver.front.decision.approve.delay_s == 3.0


def test_approving_sends_the_digest_on_screen_and_empties_the_pin(driver):
    screen = open_review(driver)
    complete(screen)
    card = screen.decision
    driver.until(card.approve.isEnabled)
    card.approve.setFocus()
    QTest.keyClick(card.approve, Qt.Key.Key_Space)
    assert card.pin.text() == ""
    assert not card.check_1.isChecked()
    driver.until(lambda: screen.model.view.stage is RequestStage.SIGNING)
    (command,) = approvals(driver)
    assert command.digest == scenario.digest("intent")
    assert driver.console.pins == [b"123456"]
    assert command.pin.wiped
    assert screen.signing.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
@pytest.mark.parametrize(
    "modifier", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier]
)
def test_enter_never_approves(driver, key, modifier):
    screen = open_review(driver)
    complete(screen)
    card = screen.decision
    driver.until(card.approve.isEnabled)
    for widget in (card.approve, card.pin, card.check_1, card.check_2, screen, driver.window):
        widget.setFocus()
        QTest.keyClick(widget, key, modifier)
        driver.pass_time(0.01)
    assert approvals(driver) == []


def test_control_enter_moves_to_the_armed_button_only(driver):
    screen = open_review(driver)
    complete(screen)
    driver.until(screen.decision.approve.isEnabled)
    QTest.keyClick(driver.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    driver.until(screen.decision.approve.hasFocus)
    assert approvals(driver) == []


def test_a_wrong_pin_is_explained_and_can_be_typed_again(driver):
    screen = open_review(driver)
    complete(screen)
    screen.decision.pin.setText("999999")
    driver.until(screen.decision.approve.isEnabled)
    screen.decision.approve.click()
    driver.until(screen.refusal.isVisible)
    assert screen.refusal.title.text() == "The token refused the PIN."
    assert "wrong-pin" in screen.refusal.detail.text()
    assert screen.decision.pin.text() == ""


def test_the_pin_cannot_be_undone_back_or_copied(driver):
    pin = open_review(driver).decision.pin
    QTest.keyClicks(pin, "123456")
    pin.take().wipe()
    QTest.keyClick(pin, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert pin.text() == ""
    assert not pin.isUndoAvailable()
    QTest.keyClicks(pin, "1234")
    pin.selectAll()
    QTest.keyClick(pin, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "1234" not in driver.app.clipboard().text()


def test_leaving_the_page_forgets_ticks_and_pin(driver):
    screen = open_review(driver)
    complete(screen)
    driver.show("overview")
    assert screen.decision.pin.text() == ""
    assert not screen.decision.check_1.isChecked()


def test_denying_needs_a_reason(driver):
    screen = open_review(driver)
    screen.decision.deny.click()
    assert screen.deny_panel.isVisible()
    assert not screen.deny_panel.confirm.isEnabled()
    screen.deny_panel.field.setText("Paid already")
    screen.deny_panel.confirm.click()
    driver.until(lambda: screen.model.view.stage is RequestStage.DENIED)
    assert DenyRequest(WAITING, "Paid already") in driver.console.executed


def test_the_proposer_can_withdraw_but_not_approve(driver):
    reason = "You proposed this request."
    screen = open_review(
        driver, can_approve=False, approve_blocked_because=reason, can_withdraw=True
    )
    assert not screen.decision.approve.isVisible()
    assert screen.decision.why.text() == reason
    screen.decision.withdraw.click()
    assert screen.withdraw_panel.cancel.hasFocus()
    screen.withdraw_panel.confirm.click()
    driver.until(lambda: WithdrawRequest(WAITING) in driver.console.executed)


@pytest.mark.parametrize("stage", list(RequestStage))
def test_every_stage_is_shown(driver, stage):
    driver.show("review", scenario.request_name(stage))
    screen = driver.front
    assert screen.subject.code.text() == "K7Q4-M2VD"
    assert screen.decision.isVisible() == (stage is RequestStage.AWAITING_APPROVAL)
    assert screen.signing.isVisible() == (stage is RequestStage.SIGNING)
    assert screen.retry.isVisible() == (stage is RequestStage.FAILED)
    assert screen.flags.isVisible() == (stage is RequestStage.REFUSED)


def test_the_whole_address_is_shown_also_in_privacy_mode(driver):
    screen = open_review(driver)
    driver.window.privacy.toggle()
    assert screen.subject.address.text == scenario.DESTINATION
    assert screen.subject.amount.text() == "1.25\u00a0SOL"


def test_another_requests_bytes_are_never_under_this_title(driver):
    open_review(driver)
    driver.console.silent = True
    driver.window.show_screen("review", scenario.request_name(RequestStage.DENIED))
    assert driver.front.model.view is None


def test_bytes_are_copied_for_another_program(driver):
    name = scenario.request_name(RequestStage.CONFIRMED)
    driver.console.requests[name] = scenario.request(RequestStage.CONFIRMED)
    driver.show("review", name)
    view = driver.front
    copied = []
    view.bytes_card.copied.connect(copied.append)
    view.result.copied.connect(copied.append)
    view.bytes_card.copy_bytes.click()
    view.result.findChild(Button, names.REVIEW_COPY_SIGNED).click()
    assert copied == ["cHNidP8=", "0102"]


def test_a_signature_that_is_text_is_copied_as_text(driver):
    name = scenario.request_name(RequestStage.CONFIRMED)
    driver.console.requests[name] = scenario.request(
        RequestStage.CONFIRMED,
        is_message=True,
        signed_text="smpAkcw",
    )
    driver.show("review", name)
    result = driver.front.result
    copied = []
    result.copied.connect(copied.append)
    result.findChild(Button, names.REVIEW_COPY_SIGNED).click()
    assert copied == ["smpAkcw"]


def test_a_signed_message_shows_its_digest_instead_of_a_transaction(driver):
    name = scenario.request_name(RequestStage.CONFIRMED)
    driver.console.requests[name] = scenario.request(RequestStage.CONFIRMED, is_message=True)
    driver.show("review", name)
    assert driver.front.result.caption.text() == "Digest of the message"


def in_sight(driver: Driver, *widgets: QWidget) -> bool:
    """Whether widgets are whole in the window and nothing of the page covers or cuts them."""
    window = driver.window
    return all(
        w.isVisible() and w.visibleRegion().boundingRect() == w.rect() and w.window() is window
        for w in widgets
    )


@pytest.mark.parametrize("size", [(960, 540), (1024, 700), (1440, 900)])
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_amount_code_and_button_are_in_sight_together(driver, size, part):
    screen = open_review(driver)
    driver.window.resize(*size)
    driver.pass_time(0.05)
    bar = screen.stack.widget(0).verticalScrollBar()
    bar.setValue(round(bar.maximum() * part))
    decision = screen.decision
    driver.pass_time(0.02)
    assert in_sight(driver, decision.bar.amount, decision.bar.code, decision.approve)
    assert in_sight(driver, decision.deny, decision.why)
    assert decision.bar.amount.text() == "1.25\u00a0SOL"
    assert decision.bar.code.text() == "K7Q4-M2VD"


def test_the_button_does_not_move_or_grow_as_it_arms(driver):
    screen = open_review(driver)
    card = screen.decision

    def place() -> tuple[QPoint, QSize]:
        driver.pass_time(0.02)
        return card.approve.mapTo(driver.window, QPoint(0, 0)), card.approve.size()

    before = place()
    card.check_1.setChecked(True)
    assert place() == before
    card.check_2.setChecked(True)
    assert place() == before
    QTest.keyClicks(card.pin, "123456")
    assert "in 1 s" in card.approve.text()
    assert place() == before
    metrics = card.approve.fontMetrics()
    assert metrics.horizontalAdvance("Approve and sign share in 3 s") < card.approve.width() - 16
    driver.until(card.approve.isEnabled)
    assert place() == before


def test_nothing_is_offered_while_the_node_is_away(driver):
    screen = open_review(driver, can_withdraw=True, can_retry=True, can_replace=True)
    complete(screen)
    driver.until(screen.decision.approve.isEnabled)
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: not driver.window.link.reachable)
    card = screen.decision
    for button in (card.approve, card.deny, card.withdraw, screen.retry, screen.speed_up):
        assert not button.isEnabled()
    assert card.why.text() == UNREACHABLE_NOW
    assert not card.approve.armed


def test_nothing_is_decided_after_the_time_even_if_the_node_has_not_told(driver):
    screen = open_review(driver, can_withdraw=True, expires_at_ms=scenario.NOW_MS - 1)
    complete(screen)
    card = screen.decision
    assert card.why.text() == Missing.TIME
    assert not any(b.isEnabled() for b in (card.approve, card.deny, card.withdraw))


def test_an_armed_button_disarms_at_the_moment_of_expiry(driver):
    screen = open_review(driver, expires_at_ms=scenario.NOW_MS + 60_000)
    complete(screen)
    driver.until(screen.decision.approve.isEnabled)
    driver.console.requests[WAITING] = scenario.request(RequestStage.EXPIRED, request=WAITING)
    screen.expiry_timer.start(0)
    driver.until(lambda: not screen.decision.bar.isVisible())
    assert approvals(driver) == []


def test_a_press_is_checked_again(driver):
    screen = open_review(driver)
    complete(screen)
    driver.until(screen.decision.approve.isEnabled)
    driver.window.link.reachable = False
    screen.decision.approve.click()
    assert approvals(driver) == []
    assert screen.decision.pin.text() == "123456"


def test_a_ceremony_is_not_accepted_after_its_time(driver):
    name = scenario.ceremony_name(CeremonyStage.AWAITING_ACCEPTANCE)
    driver.console.ceremonies[name] = scenario.ceremony(
        CeremonyStage.AWAITING_ACCEPTANCE, expires_at_ms=scenario.NOW_MS
    )
    driver.show("ceremonies", name)
    assert not driver.front.detail.accept.isEnabled()
    assert not driver.front.detail.decline.isEnabled()


def test_a_request_says_who_can_sign_before_anyone_approves(driver):
    screen = open_review(driver)
    said = screen.approvals.able.text()
    assert said == "Can sign now: you and Ben Okafor. Online, locked: Chiara Neri."
    assert screen.approvals.able.isVisible()


def test_too_few_signers_are_told_before_anyone_approves(driver):
    people = scenario.members(offline=("ben",), locked=("chiara",))
    said = open_review(driver, custodians=people).approvals.able.text()
    assert said.startswith("Too few to sign now, 2 are needed: you.")
    assert "Unreachable: Ben Okafor." in said
    assert "Online, locked: Chiara Neri." in said


def test_who_lacks_its_share_cannot_sign(driver):
    people = tuple(
        replace(person, lacks_share=person.member == "ben") for person in scenario.members()
    )
    said = open_review(driver, custodians=people).approvals.able.text()
    assert said == "Can sign now: you and Chiara Neri. Share missing: Ben Okafor."


def test_who_can_sign_is_not_said_of_what_is_signed(driver):
    name = scenario.request_name(RequestStage.CONFIRMED)
    driver.show("review", name)
    assert not driver.front.approvals.able.isVisible()
