"""No button's words and no code are cut, at any size of the window."""

import pytest
from PySide6.QtGui import QFontMetrics

from console.application.views import CeremonyStage, RequestStage
from tests.fakes import recovery, scenario
from tests.ui.driving import Driver
from ui.widgets.buttons import Button
from ui.widgets.text import Label

SIZES = [(960, 540), (1280, 720), (1440, 900)]
DOUBT = scenario.request_name(RequestStage.FAILED)
CODES = {"code", "mono"}
PAGES = [
    ("review", DOUBT),
    ("review", scenario.request_name(RequestStage.AWAITING_APPROVAL)),
    ("ceremonies", scenario.ceremony_name(CeremonyStage.COMPARING)),
    ("ceremonies", scenario.ceremony_name(CeremonyStage.COMPLETED)),
    ("recovery", recovery.TREASURY),
    ("recovery", "machines"),
    ("recovery", "members"),
]


def cut(driver: Driver) -> list[str]:
    """Return the texts that have less room than they need."""
    found = [
        button.text()
        for button in driver.window.findChildren(Button)
        if button.isVisible() and button.text() and button.width() < button.sizeHint().width()
    ]
    for label in driver.window.findChildren(Label):
        if not label.isVisible() or label.property("role") not in CODES:
            continue
        metrics, words = QFontMetrics(label.font()), label.text()
        wide = max(map(metrics.horizontalAdvance, words.split() if label.wordWrap() else [words]))
        tall = label.heightForWidth(label.width()) if label.wordWrap() else metrics.height()
        if label.width() < wide or label.height() < tall:
            found.append(words)
        if label.mapTo(driver.window, label.rect().topRight()).x() > driver.window.width():
            found.append(words)
    return found


@pytest.mark.parametrize(("screen", "subject"), PAGES)
def test_no_button_and_no_code_is_cut(driver, screen, subject):
    driver.console.requests[DOUBT] = scenario.request(
        RequestStage.FAILED, may_be_signed=True, can_remake=True, can_replace=True, can_retry=True
    )
    for size in SIZES:
        driver.window.resize(*size)
        driver.show(screen, subject)
        driver.settle(lambda: not cut(driver), 2.0)
        assert cut(driver) == []
