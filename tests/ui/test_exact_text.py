"""What is pasted is what is asked for, character by character, or the paste is refused."""

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest

from tests.fakes import scenario
from tests.ui.test_screens import ETHER, _drafted, _previewed
from ui import object_names as names
from ui.widgets.fields import ExactText, text_area

KEPT = [
    *(chr(code) for code in range(0x100) if code != 0x0D),
    *(chr(code) for code in range(0x2000, 0x2070) if code != 0x2029),
    "\u0085\u3000\ufeff\ufffc",
]
CHANGED = ["\r", "\r\n", "\u2029", "\ufdd0", "\ufdd1"]


def paste(area: ExactText, text: str) -> None:
    data = QMimeData()
    data.setText(text)
    area.insertFromMimeData(data)


@pytest.fixture
def area(qtbot) -> ExactText:
    made = text_area("area", "Area")
    qtbot.addWidget(made)
    return made


def test_every_character_is_kept(area):
    for character in KEPT:
        area.clear()
        paste(area, f"a{character}b")
        assert area.exact_text() == f"a{character}b", hex(ord(character[0]))


@pytest.mark.parametrize("character", CHANGED)
def test_what_qt_would_change_is_not_pasted(area, character):
    said = []
    area.refused.connect(said.append)
    paste(area, "kept")
    paste(area, f"a{character}b")
    assert area.exact_text() == "kept"
    assert len(said) == 1
    assert "not pasted" in said[0]


def test_every_enter_is_a_plain_line_break(area):
    QTest.keyClicks(area, "a")
    QTest.keyClick(area, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(area, "b")
    QTest.keyClick(area, Qt.Key.Key_Return)
    assert area.exact_text() == "a\nb\n"


def test_a_message_reaches_the_node_as_it_was_pasted(driver):
    view = _drafted(driver, ETHER)
    driver.press(f"{names.TRANSFER_MODE}.message")
    text = ' {"a": "no\u00a0break\u2028\u200b"}\n'
    paste(view.form.message, text)
    assert _previewed(driver, view).text == text


def test_a_paste_that_is_refused_is_told_and_asks_for_nothing(driver):
    view = _drafted(driver, ETHER)
    driver.press(f"{names.TRANSFER_MODE}.message")
    paste(view.form.message, "two\r\nlines")
    assert "not pasted" in view.form.paste_problem.text()
    assert view.form.paste_problem.isVisible()
    assert not view.form.preview_button.isEnabled()
    paste(view.form.message, "two\nlines")
    assert not view.form.paste_problem.isVisible()
    assert _previewed(driver, view).text == "two\nlines"


def test_exported_bytes_may_have_any_line_breaks(driver):
    view = _drafted(driver, "bitcoin:m/84/0/0")
    driver.press(f"{names.TRANSFER_MODE}.import")
    paste(view.form.imported, "cHNi\r\ndP8=\r\n")
    assert _previewed(driver, view).text == "cHNi\ndP8=\n"


def test_values_are_lines_with_all_their_blanks(driver):
    view = _drafted(driver, ETHER)
    driver.press(f"{names.TRANSFER_MODE}.call")
    view.form.to.setText(scenario.TOKEN)
    view.form.function.setText("f(string,string,string)")
    paste(view.form.arguments, " a\u00a0\n\nb\u2028c\u0085 \x1c")
    assert _previewed(driver, view).arguments == (" a\u00a0", "", "b\u2028c\u0085 \x1c")


def test_a_memo_reaches_the_node_as_it_was_typed(driver):
    view = _drafted(driver, to=scenario.ADDRESS, amount="1", memo=" 4711 ")
    assert _previewed(driver, view).memo == " 4711 "
