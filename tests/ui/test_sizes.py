"""The window fits its screen, is as large as it was left, and cuts nothing at its smallest."""

import json

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QScrollArea

from console.application.views import CeremonyStage, RequestStage
from tests.fakes import recovery, scenario
from tests.ui.driving import Driver
from ui import object_names as names
from ui import placing, settings
from ui.settings import Settings
from ui.widgets.columns import Columns

SCREENS = [
    ("overview", ""),
    ("approvals", ""),
    ("review", scenario.request_name(RequestStage.AWAITING_APPROVAL)),
    ("review", scenario.request_name(RequestStage.SIGNING)),
    ("wallets", ""),
    ("new_transfer", scenario.WALLET),
    ("ceremonies", ""),
    ("ceremonies", "new"),
    ("ceremonies", scenario.ceremony_name(CeremonyStage.COMPARING)),
    ("ceremonies", scenario.ceremony_name(CeremonyStage.RUNNING)),
    ("recovery", recovery.TREASURY),
    ("recovery", f"reshare/{recovery.TREASURY}"),
    ("recovery", "machines"),
    ("audit", ""),
    ("settings", ""),
]
SMALLEST = [(960, 540), (1024, 700), (1280, 680)]


@pytest.mark.parametrize(
    "room",
    [QSize(1024, 700), QSize(1280, 720), QSize(960, 540), QSize(800, 600), QSize(3840, 2160)],
    ids=lambda size: f"{size.width()}x{size.height()}",
)
def test_the_window_opens_inside_its_screen(room):
    """1920 by 1080 at 150 % is 1280 by 720 in the units of the window."""
    least, size = placing.placing(placing.USUAL, room)
    assert QRect(QPoint(0, 0), room).contains(QRect(QPoint(0, 0), size))
    assert least.width() <= size.width()
    assert least.height() <= size.height()
    if room.width() >= 1440:
        assert size == placing.USUAL


def test_a_remembered_size_is_bounded_by_another_screen():
    wanted = placing.placing(QSize(2000, 1200), QSize(1024, 700)).size
    assert wanted.width() == 1024
    assert wanted.height() < 700
    assert placing.placing(QSize(100, 100), QSize(1920, 1080)).size == placing.LEAST


def test_the_size_is_remembered(driver, tmp_path):
    driver.window.settings.path = tmp_path / settings.FILE
    driver.window.resize(1111, 666)
    driver.pass_time(0.02)
    driver.window.close()
    kept = settings.load(tmp_path)
    assert (kept.width, kept.height) == (1111, 666)


def test_settings_of_before_and_damaged_sizes_are_read(tmp_path):
    path = tmp_path / settings.FILE
    old = {"theme": "dark", "member": "ana", "lock_after_s": 60}
    path.write_text(json.dumps(old))
    assert settings.load(tmp_path) == Settings(
        theme="dark", member="ana", lock_after_s=60, path=path
    )
    path.write_text(json.dumps(old | {"width": 10**30, "height": -5}))
    assert settings.load(tmp_path).width <= 20_000
    assert settings.load(tmp_path).height == 0


def outside(driver: Driver) -> list[str]:
    """Return the controls that the window, or a page that cannot scroll sideways, cuts."""
    window, found = driver.window, []
    for kind in (QAbstractButton, QLineEdit):
        for control in window.findChildren(kind):
            if not control.isVisible():
                continue
            left = control.mapTo(window, QPoint(0, 0)).x()
            if left < 0 or left + control.width() > window.width():
                found.append(control.objectName() or control.text())
    for area in driver.front.findChildren(QScrollArea):
        inner = area.widget()
        if area.isVisible() and inner.minimumSizeHint().width() > area.viewport().width():
            found.append(f"a page {inner.minimumSizeHint().width()} wide")
    return found


@pytest.mark.parametrize("size", SMALLEST)
@pytest.mark.parametrize(("screen", "subject"), SCREENS)
def test_no_control_is_outside(driver, screen, subject, size):
    driver.window.resize(*size)
    driver.show(screen, subject)
    driver.pass_time(0.05)
    assert outside(driver) == []
    assert driver.find(names.FRAME_LOCK).isVisible()


def test_columns_stack_where_there_is_little_room(driver):
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    for width, stacked in ((1440, False), (960, True), (1440, False)):
        driver.window.resize(width, 700)
        driver.pass_time(0.05)
        parts = [part for part in driver.front.findChildren(Columns) if part.isVisible()]
        assert [part.stacked for part in parts] == [stacked] * len(parts)


def test_the_sidebar_gives_way_and_its_entries_keep_their_names(driver):
    driver.show("overview")
    driver.window.resize(960, 540)
    driver.pass_time(0.02)
    button = driver.find(f"{names.NAV}.approvals")
    assert button.width() < 60
    assert button.accessibleName().startswith("Approvals")
    assert "Approvals" in button.toolTip()


@pytest.mark.parametrize("height", [540, 700])
def test_sheets_and_sign_in_are_reached_in_a_low_window(driver, height):
    driver.window.resize(960, height)
    driver.show("recovery", "machines")
    driver.front.entry_panel.ask()
    driver.pass_time(0.05)
    sheet = driver.front.entry_panel
    assert sheet.geometry().height() == height
    assert sheet.card.parentWidget().parentWidget().height() <= height
    for control in (sheet.endorse.approve, sheet.entry):
        control.setFocus()
        driver.pass_time(0.02)
