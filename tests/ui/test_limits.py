"""Limits of fields: told before anything is laid out, and never a cut in silence."""

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

from console.application.commands import MAX_SECRET_CHARS, Unlock
from console.application.views import RequestStage
from tests.fakes import recovery, scenario
from tests.ui.driving import Driver
from ui import object_names as names
from ui.screens.new_transfer.drafts import MAX_TEXT
from ui.widgets.fields import MAX_AREA, LimitedArea, LimitedField, PinField, text_area, text_field

LONG = "x" * (MAX_SECRET_CHARS + 1)
BLADES = "\U0001f5e1" * MAX_SECRET_CHARS
"""As many characters as fit, each of two UTF-16 units and four bytes."""
CONTROL = Qt.KeyboardModifier.ControlModifier


def paste(field, text: str) -> None:
    QApplication.clipboard().setText(text)
    field.setFocus()
    field.paste()


@pytest.mark.parametrize("text", ["x" * MAX_SECRET_CHARS, BLADES])
def test_a_secret_at_the_limit_is_taken_whole(qtbot, text):
    field = PinField("pin")
    qtbot.addWidget(field)
    paste(field, text)
    assert field.excess == ""
    assert bytes(field.take().reveal()) == text.encode()


@pytest.mark.parametrize("text", [LONG, BLADES + "\U0001f5e1", "x" * 1_000_000])
def test_a_longer_secret_is_told_and_not_sent(locked, text):
    page = locked.find("screen.sign_in")
    paste(page.pin, text)
    assert page.pin.excess == "Too long: at most 128 characters"
    assert page.why.text() == page.pin.excess
    assert not page.unlock.isEnabled()
    QTest.keyClick(page.pin, Qt.Key.Key_Return)
    locked.pass_time(0.02)
    assert not [c for c in locked.console.executed if isinstance(c, Unlock)]
    page.pin.setText("123456")
    assert page.pin.excess == ""


def test_a_secret_too_long_arms_nothing(driver):
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    card = driver.front.decision
    card.check_1.setChecked(True)
    card.check_2.setChecked(True)
    card.pin.setText(LONG)
    assert card.why.text() == card.pin.excess
    assert card.approve.blocked


def test_a_line_that_is_too_long_says_so_and_is_not_cut_in_silence(qtbot):
    field = text_field("f", "Field", limit=10)
    qtbot.addWidget(field)
    paste(field, "0123456789")
    assert (field.text(), field.excess) == ("0123456789", "")
    field.clear()
    paste(field, "0123456789a")
    assert field.excess == field.accessibleDescription() == "Too long: at most 10 characters"
    field.grab()
    field.clear()
    paste(field, "y" * 1_000_000)
    assert field.excess
    assert len(field.text()) <= 22


def test_a_reason_that_is_too_long_is_not_sent(driver):
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    driver.press(names.REVIEW_DENY)
    panel = driver.front.deny_panel
    panel.field.setText("z" * 281)
    assert not panel.confirm.isEnabled()
    panel.field.setText("z" * 280)
    assert panel.confirm.isEnabled()


@pytest.mark.parametrize("size", [MAX_AREA + 1, 1_000_000])
def test_a_paste_beyond_the_limit_changes_nothing_and_says_so(qtbot, size):
    area = text_area("a", "Area")
    qtbot.addWidget(area)
    area.setPlainText("kept")
    data = QMimeData()
    data.setText("a" * size)
    area.insertFromMimeData(data)
    assert area.toPlainText() == "kept"
    assert "Nothing was pasted" in area.notice.text()
    assert not area.notice.isHidden()
    data.setText("b")
    area.insertFromMimeData(data)
    assert len(area.toPlainText()) == 5
    assert area.notice.isHidden()


def test_one_long_word_is_not_broken_at_words(qtbot):
    """Breaking 200 000 digits at words takes seconds."""
    area = text_area("a", "Area")
    qtbot.addWidget(area)
    assert area.wordWrapMode().name == "WrapAnywhere"
    assert MAX_AREA == MAX_TEXT


def test_a_draft_that_is_too_long_cannot_be_previewed(driver):
    driver.show("new_transfer", scenario.WALLET)
    form = driver.front.form
    form.to.setText("t" * 129)
    form.amount.setText("1")
    assert not form.preview_button.isEnabled()
    form.to.setText("t" * 128)
    assert form.preview_button.isEnabled()


@pytest.mark.parametrize(
    ("screen", "subject"),
    [
        ("approvals", ""),
        ("review", scenario.request_name(RequestStage.AWAITING_APPROVAL)),
        ("new_transfer", scenario.WALLET),
        ("ceremonies", "new"),
        ("recovery", recovery.TREASURY),
        ("audit", ""),
    ],
)
def test_every_field_has_a_limit(driver: Driver, screen, subject):
    driver.show(screen, subject)
    for field in driver.window.findChildren(QLineEdit):
        assert isinstance(field, LimitedField), field.objectName()
    for area in driver.window.findChildren(QPlainTextEdit):
        assert area.isReadOnly() or isinstance(area, LimitedArea), area.objectName()
