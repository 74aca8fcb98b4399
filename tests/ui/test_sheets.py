"""Sheets: they keep the focus, follow their subject, and close wherever the focus was."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from console.application.api import ChangeKind
from console.application.commands import DenyRequest, WithdrawRequest
from console.application.views import CeremonyStage, NodeState, RequestStage
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario
from tests.ui.driving import Driver
from ui import object_names as names
from ui.widgets.sheet import Sheet, front_sheet

WAITING = scenario.request_name(RequestStage.AWAITING_APPROVAL)
TAB, BACKTAB = Qt.Key.Key_Tab, Qt.Key.Key_Backtab
CONTROL = Qt.KeyboardModifier.ControlModifier


def deny(driver: Driver) -> Sheet:
    driver.show("review", WAITING)
    driver.press(names.REVIEW_DENY)
    return driver.front.deny_panel


def withdraw(driver: Driver) -> Sheet:
    driver.console.requests[WAITING] = scenario.request(
        can_approve=False, can_deny=False, can_withdraw=True
    )
    driver.show("review", WAITING)
    driver.press(names.REVIEW_WITHDRAW)
    return driver.front.withdraw_panel


def cancel_ceremony(driver: Driver) -> Sheet:
    driver.show("ceremonies", scenario.change_name(CeremonyPurpose.REFRESH))
    driver.press(names.CEREMONY_CANCEL)
    return driver.front.cancel_panel


def confirm_refresh(driver: Driver) -> Sheet:
    driver.show("recovery", recovery.TREASURY)
    driver.front.detail.asked.emit("refresh")
    return driver.front.confirm_panel


def add_machine(driver: Driver) -> Sheet:
    driver.show("recovery", "machines")
    driver.press(names.MACHINES_ADD)
    return driver.front.entry_panel


def change_address(driver: Driver) -> Sheet:
    driver.show("recovery", "machines")
    driver.press(f"{names.LINKS_ADDRESS}.ana")
    return driver.front.address_panel


def search(driver: Driver) -> Sheet:
    driver.show("overview")
    driver.window.search()
    return driver.window.palette_sheet


def help_of(driver: Driver) -> Sheet:
    driver.show("overview")
    driver.window.show_help()
    return driver.window.help_sheet


SHEETS = [
    deny,
    withdraw,
    cancel_ceremony,
    confirm_refresh,
    add_machine,
    change_address,
    search,
    help_of,
]


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


@pytest.mark.parametrize("opened", SHEETS, ids=lambda made: made.__name__)
def test_tab_stays_in_the_sheet(driver, opened):
    sheet = opened(driver)
    for key in (TAB, BACKTAB):
        for _ in range(12):
            QTest.keyClick(focused(), key)
            assert sheet is focused() or sheet.isAncestorOf(focused())


@pytest.mark.parametrize("opened", SHEETS, ids=lambda made: made.__name__)
def test_keys_of_the_page_do_not_reach_below_a_sheet(driver, opened):
    sheet = opened(driver)
    page = driver.window.current_screen
    for key in (Qt.Key.Key_1, Qt.Key.Key_3):
        QTest.keyClick(driver.window, key, Qt.KeyboardModifier.AltModifier)
    for key in (Qt.Key.Key_F, Qt.Key.Key_K, Qt.Key.Key_Return):
        QTest.keyClick(driver.window, key, CONTROL)
    assert driver.window.current_screen == page
    assert front_sheet(driver.window) is sheet
    assert sheet is focused() or sheet.isAncestorOf(focused())


def test_from_an_open_deny_no_key_ticks_a_check(driver):
    deny(driver)
    for _ in range(8):
        QTest.keyClick(focused(), TAB)
        if focused() is not driver.front.deny_panel.cancel:
            QTest.keyClick(focused(), Qt.Key.Key_Space)
    assert not driver.front.decision.check_1.isChecked()
    assert not driver.front.decision.check_2.isChecked()


def test_focus_given_by_the_page_comes_back_to_the_sheet(driver):
    sheet = deny(driver)
    driver.front.decision.check_1.setFocus()
    assert sheet.isAncestorOf(focused())


@pytest.mark.parametrize("opened", SHEETS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("by", ["escape", "beside", "again"])
def test_closing_raises_nothing_when_the_focus_is_gone(driver, qtbot, opened, by):
    with qtbot.captureExceptions() as raised:
        sheet = opened(driver)
        driver.window.show_shortcuts()
        driver.window.show_shortcuts()
        front = front_sheet(driver.window)
        assert front is driver.window.help_sheet
        front.close_sheet()
        if front is not sheet:
            assert front_sheet(driver.window) is sheet
        if by == "escape":
            QTest.keyClick(driver.window, Qt.Key.Key_Escape)
        elif by == "beside":
            QTest.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
        else:
            sheet.close_sheet()
            sheet.close_sheet()
        driver.pass_time(0.02)
    assert raised == []
    assert front_sheet(driver.window) is None


def test_help_over_the_sign_in_page_outlives_that_page(locked, qtbot):
    """The PIN field had the focus, and is deleted while the sheet is open."""
    with qtbot.captureExceptions() as raised:
        locked.find(names.SIGN_IN_PIN).setFocus()
        QTest.keyClick(locked.window, Qt.Key.Key_F1)
        assert locked.window.help_sheet.isVisible()
        locked.console.session = scenario.session(NodeState.READY)
        locked.console.announce(ChangeKind.SESSION)
        locked.until(lambda: locked.window.current_screen == "overview")
        locked.pass_time(0.02)
        QTest.keyClick(focused(), Qt.Key.Key_Return)
        locked.pass_time(0.02)
    assert raised == []
    assert not locked.window.help_sheet.isVisible()


@pytest.mark.parametrize("stage", [RequestStage.CONFIRMED, RequestStage.SIGNING])
@pytest.mark.parametrize("opened", [deny, withdraw])
def test_a_question_says_what_the_request_has_become(driver, opened, stage):
    sheet = opened(driver)
    if opened is deny:
        sheet.field.setText("Paid already")
    driver.console.requests[WAITING] = scenario.request(stage, request=WAITING)
    driver.console.announce(ChangeKind.REQUEST, WAITING)
    driver.until(lambda: driver.front.model.view.stage is stage)
    said = sheet.sentence.text()
    assert driver.front.model.view.sentence in said
    assert "Nothing was signed" not in said
    assert not sheet.confirm.isVisible()
    assert sheet.cancel.text() == "Close"
    sheet.confirm.click()
    sent = [c for c in driver.console.executed if isinstance(c, DenyRequest | WithdrawRequest)]
    assert sent == []


def test_a_question_about_a_ceremony_says_what_it_has_become(driver):
    sheet = cancel_ceremony(driver)
    name = scenario.change_name(CeremonyPurpose.REFRESH)
    driver.console.ceremonies[name] = scenario.change(
        CeremonyPurpose.REFRESH, CeremonyStage.COMPLETED, ceremony=name, can_cancel=False
    )
    driver.console.announce(ChangeKind.CEREMONY, name)
    driver.until(lambda: not sheet.confirm.isVisible())
    assert "can no longer be cancelled" in sheet.sentence.text()


def test_no_question_is_answered_while_the_node_is_away(driver):
    sheet = withdraw(driver)
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: not driver.window.link.reachable)
    assert not sheet.confirm.isEnabled()
    assert "does not answer" in sheet.why.text()


def test_a_denial_after_a_failed_attempt_does_not_say_that_nothing_was_signed(driver):
    run = scenario.run("FROST Ed25519", scenario.SIGNING_ROUNDS, 2)
    driver.console.requests[WAITING] = scenario.request(past_runs=(run,))
    sheet = deny(driver)
    assert "Nothing was signed" not in sheet.sentence.text()
    assert "This node knows of no signature" in sheet.sentence.text()


def test_a_question_is_not_carried_to_another_request(driver):
    sheet = deny(driver)
    other = scenario.request_name(RequestStage.SIGNING)
    driver.window.show_screen("review", other)
    assert not sheet.isVisible()
