"""The window on a fake node, without a display."""

import gc
import os
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.fakes.console import FakeConsole
from tests.ui.driving import Driver
from ui.app import make_application
from ui.collector import collecting_between_events


@pytest.fixture(scope="session")
def qapp_cls() -> object:
    """Let pytest-qt use our application."""
    return lambda _args: make_application()


@pytest.fixture(scope="session", autouse=True)
def modules() -> Iterator[None]:
    """Leave what was imported out of every collection: it lasts."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collector(qapp: QApplication) -> Iterator[None]:
    """Collect as the window does; leave nothing of Qt's to be freed on a thread of other tests."""
    with collecting_between_events():
        yield
        gc.collect()


def pytest_runtest_logfinish() -> None:
    """Collect once more, now that pytest has let go of the test's window.

    What is left would be freed by a collection on any thread of a later test, and a timer that is
    freed on another thread than its own ends the process.
    """
    gc.collect()


@pytest.fixture
def locked(qapp: QApplication) -> Iterator[Driver]:
    """A window at its sign-in page."""
    driver = Driver(qapp, FakeConsole())
    try:
        driver.until(lambda: driver.window.link.session is not None)
        driver.pass_time(0.02)
        yield driver
    finally:
        driver.close()


@pytest.fixture
def driver(qapp: QApplication) -> Iterator[Driver]:
    """A window whose node is unlocked."""
    driver = Driver(qapp, FakeConsole().unlocked())
    try:
        driver.until(lambda: driver.window.current_screen != "sign_in")
        yield driver
    finally:
        driver.close()
