"""Messages have a place of their own: no control is under them, on any page at any size."""

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit, QWidget

from tests.fakes import recovery
from tests.ui.driving import Driver
from tests.ui.test_sheets import SHEETS
from tests.ui.test_sizes import SCREENS
from ui import placing
from ui.problem import NOT_LOCKED
from ui.theme import Tone
from ui.view_model import LoadState
from ui.widgets.sheet import front_sheet
from ui.widgets.toast import FOOT, Toast
from ui.window import ConsoleWindow

SIZES = [(960, 540), (1280, 720), (1440, 900)]
KINDS = (QAbstractButton, QLineEdit, QAbstractItemView)
PAGES = [*SCREENS, ("recovery", "members"), ("recovery", recovery.LOST)]
LONG = (
    "It is not known whether this was recorded: Withdrawal of request BE7C0C. Keys are safe. The "
    "node may have recorded it, or may still do so. It is being checked. Do not repeat it before "
    "that has an answer, and do not close this window before the node has answered once more."
)


def seen(window: ConsoleWindow, widget: QWidget) -> QRect:
    """Return what of a widget is in sight, in the window."""
    box = QRect(QPoint(0, 0), widget.size())
    inner: QWidget | None = widget
    while inner is not None and inner is not window:
        parent = inner.parentWidget()
        box = box.translated(inner.pos())
        if parent is not None:
            box = box.intersected(parent.rect())
        inner = parent
    return box


def covered(driver: Driver) -> list[str]:
    """Return the controls that are partly under the messages."""
    window, toasts = driver.window, driver.window.toasts
    place = QRect(toasts.mapTo(window, QPoint(0, 0)), toasts.size())
    assert toasts.isVisible()
    return [
        control.objectName() or type(control).__name__
        for kind in KINDS
        for control in window.findChildren(kind)
        if control.isVisible()
        and not toasts.isAncestorOf(control)
        and seen(window, control).intersects(place)
    ]


def say_and_check(driver: Driver) -> None:
    toasts = driver.window.toasts
    for size in SIZES:
        driver.window.resize(*size)
        toasts.say("Copied. The clipboard is emptied in 30 s.")
        toasts.say(NOT_LOCKED, Tone.DANGER)
        driver.pass_time(0.03)
        assert covered(driver) == []
        assert toasts.height() == FOOT
        toasts.clear()


@pytest.mark.parametrize(("screen", "subject"), PAGES)
def test_a_message_covers_no_control(driver, screen, subject):
    driver.show(screen, subject)
    say_and_check(driver)


@pytest.mark.parametrize("screen", ["approvals", "wallets", "ceremonies", "recovery"])
def test_a_message_covers_no_control_of_an_empty_page(driver, screen):
    driver.console.empty = True
    driver.window.resize(960, 540)
    driver.show(screen, "", LoadState.EMPTY)
    say_and_check(driver)


def test_a_message_covers_no_control_of_the_sign_in(locked):
    say_and_check(locked)


@pytest.mark.parametrize("opened", SHEETS, ids=lambda made: made.__name__)
def test_a_message_covers_no_control_of_a_panel(driver, opened):
    driver.show("overview")
    sheet = opened(driver)
    for size in SIZES:
        driver.window.resize(*size)
        driver.window.toasts.say(NOT_LOCKED, Tone.DANGER)
        driver.pass_time(0.03)
        assert front_sheet(driver.window) is sheet
        place = driver.window.toasts.geometry()
        assert place.height() == FOOT
        inside = [*sheet.card.findChildren(QAbstractButton), *sheet.card.findChildren(QLineEdit)]
        under = [each for each in inside if each.isVisible()]
        assert not [w for w in under if seen(driver.window, w).intersects(place)]
        driver.window.toasts.clear()


@pytest.mark.parametrize("size", SIZES)
def test_a_page_does_not_move_for_a_message(driver, size):
    driver.window.resize(*size)
    driver.show("overview")
    before = driver.front.geometry()
    driver.window.toasts.say(NOT_LOCKED, Tone.DANGER)
    driver.pass_time(0.03)
    assert driver.front.geometry() == before


def test_a_message_of_many_lines_is_complete_and_covers_nothing(driver):
    driver.window.resize(placing.LEAST)
    driver.show("wallets")
    driver.window.toasts.say(f"{LONG} {LONG}", Tone.DANGER)
    driver.pass_time(0.05)
    (toast,) = driver.window.toasts.findChildren(Toast)
    assert toast.words.height() >= toast.words.heightForWidth(toast.words.width())
    assert driver.window.toasts.height() > FOOT
    assert covered(driver) == []
    driver.window.toasts.clear()
    driver.pass_time(0.03)
    assert driver.window.toasts.foot.height() == FOOT


def test_what_the_foot_says_of_the_node_goes_when_it_locks(driver):
    driver.show("overview")
    assert "Ledger sealed to" in driver.window.toasts.state.text()
    driver.window.lock()
    assert driver.window.toasts.state.text() == ""
