"""The founders' entries, handed to a machine that joins, and its entry, brought back as a file."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.client import Founder
from tests.fakes import recovery
from tests.fakes.setting_up import entry
from tests.ui.driving import Driver
from ui import files
from ui import object_names as names
from ui.screens.recovery import founders_panel
from ui.screens.recovery.founders_panel import FoundersPanel
from ui.screens.recovery.view import RecoveryScreen

PEOPLE = ("ana", "ben", "chiara")
FOUNDERS = tuple(Founder(each, each.title(), entry(each).line) for each in PEOPLE)


def opened(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> FoundersPanel:
    monkeypatch.setattr(founders_panel, "founders", lambda _directory: FOUNDERS)
    driver.show("recovery", "machines")
    driver.press(names.MACHINES_FOUNDERS)
    screen = driver.front
    assert isinstance(screen, RecoveryScreen)
    return screen.founders_panel


def test_the_entries_are_saved_as_one_file(driver, tmp_path, monkeypatch):
    panel = opened(driver, monkeypatch)
    assert QApplication.focusWidget() is panel.save
    assert "Ana, Ben and Chiara" in panel.who.text()
    target = tmp_path / "founders.json"
    monkeypatch.setattr(files, "choose_target", lambda *_: target)
    driver.press(f"{names.FOUNDERS_PANEL}.save")
    assert [json.loads(line)["member"] for line in target.read_text().splitlines()] == list(PEOPLE)
    assert panel.said.text() == "Saved as founders.json."
    monkeypatch.setattr(files, "choose_target", lambda *_: tmp_path / "none" / "x")
    driver.press(f"{names.FOUNDERS_PANEL}.save")
    assert "not saved" in panel.said.text()


def test_the_entries_are_copied(driver, monkeypatch):
    opened(driver, monkeypatch)
    driver.press(f"{names.FOUNDERS_PANEL}.copy")
    assert QApplication.clipboard().text() == "".join(f"{each.line}\n" for each in FOUNDERS)


def test_each_founder_has_a_code_and_the_keys_turn_them(driver, monkeypatch):
    panel = opened(driver, monkeypatch)
    seen = []
    panel.after.setFocus()
    for _ in range(2):
        seen.append(panel.code.accessibleName())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    seen.append(panel.code.accessibleName())
    assert seen == [f"QR code of the entry of {each.name}" for each in FOUNDERS]
    assert panel.whose.text() == "Code 3 of 3: Chiara"
    assert not panel.after.isEnabled()
    assert QApplication.focusWidget() is panel.before


def test_entries_that_cannot_be_read_are_said(driver):
    driver.show("recovery", "machines")
    driver.press(names.MACHINES_FOUNDERS)
    panel = driver.front.founders_panel
    assert panel.problem.isVisible()
    assert "not affected" in panel.problem.accessibleName()
    assert not panel.save.isVisible()
    assert QApplication.focusWidget() is panel.close_button


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"\n{recovery.ENTRY}\n", ""),
        (f"{recovery.ENTRY}\n{recovery.ENTRY}\n", "more than one line"),
        (b"\xff\xfe", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_the_new_machines_entry_is_opened_as_a_file(driver, tmp_path, monkeypatch, content, said):
    driver.show("recovery", "machines")
    driver.press(names.MACHINES_ADD)
    panel = driver.front.entry_panel
    path = Path(tmp_path / "dara.entry.json")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setattr(files, "choose_file", lambda *_: path)
    driver.press(f"{names.MACHINE_ENTRY_PANEL}.file")
    if said:
        driver.front.model.changed.emit()
        assert said in panel.problems.accessibleName()
        panel.entry.setText("{")
        assert not panel.problems.isVisible()
    else:
        driver.until(lambda: driver.front.model.preview is not None)
        assert panel.facts.isVisible()
