"""A ledger with later records than the clock shows: what the operator says is sent once."""

from PySide6.QtTest import QTest

from console.application.api import CommandRefused
from console.application.commands import Unlock
from ui import object_names as names
from ui.screens.sign_in.view import SignInScreen
from ui.widgets.fields import CheckLine

BEHIND = CommandRefused(
    "ledger-clock",
    "The clock is 4320 minutes behind the newest record.",
    "Nothing is lost; keys and funds are safe.",
    "Set this machine's clock.",
)


def test_the_clock_is_asked_about_only_when_it_is_in_doubt(locked):
    page = locked.find("screen.sign_in")
    assert isinstance(page, SignInScreen)
    clock = locked.find(names.SIGN_IN_CLOCK)
    assert isinstance(clock, CheckLine)
    assert not clock.isVisible()
    locked.console.refusal = BEHIND
    QTest.keyClicks(page.pin, "123456")
    page.unlock.click()
    locked.until(clock.isVisible)
    assert not clock.isChecked()
    assert page.refusal.isVisible()
    locked.console.refusal = None
    clock.click()
    QTest.keyClicks(page.pin, "123456")
    page.unlock.click()
    locked.until(lambda: locked.window.current_screen == "overview")
    said = [c.clock_is_right for c in locked.console.executed if isinstance(c, Unlock)]
    assert said[-1] is True
    assert not any(said[:-1])
