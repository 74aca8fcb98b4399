"""The window watches its node's process: what it says, what it does by itself, what it offers."""

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QPushButton

from console.client import NodeLook, ProcessState
from tests.fakes.console import FakeConsole
from tests.ui.driving import Driver
from ui import object_names as names
from ui.node_watch import RESTARTS, WITHIN_S, NodeWatch
from ui.problem import of_node


class Process:
    """A node's process of which the test says how it is."""

    def __init__(self, state: ProcessState, *, service: str = "", then: ProcessState | None = None):
        self.now = NodeLook(state, service=service)
        self.then = then
        self.starts = 0
        self.refusal: OSError | None = None

    def look(self) -> NodeLook:
        return self.now

    def start(self) -> None:
        self.starts += 1
        if self.refusal is not None:
            raise self.refusal
        if self.then is not None:
            self.now = NodeLook(self.then)


async def happens(what: Callable[[], bool]) -> None:
    for _ in range(2000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def watching(process: Process, until: Callable[[NodeWatch], bool], clock=lambda: 0.0) -> NodeWatch:
    """Run a watch until something is so."""

    async def run() -> NodeWatch:
        watch = NodeWatch(process, clock, look_s=0.005)
        task = asyncio.ensure_future(watch.run())
        await happens(lambda: until(watch))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return watch

    return asyncio.run(run())


def test_a_node_that_dies_is_started_again_but_not_for_ever(qapp):
    process = Process(ProcessState.DIED)
    watch = watching(process, lambda watch: watch.gave_up)
    assert process.starts == RESTARTS
    assert watch.can_start
    assert "several times" in of_node(watch.look, gave_up=watch.gave_up).what


def test_after_some_time_it_is_started_again_once_more(qapp):
    process, now = Process(ProcessState.DIED), [0.0]
    watch = NodeWatch(process, lambda: now[0], look_s=0.005)

    async def run() -> None:
        task = asyncio.ensure_future(watch.run())
        await happens(lambda: watch.gave_up)
        now[0] = WITHIN_S
        await happens(lambda: process.starts > RESTARTS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert process.starts > RESTARTS


@pytest.mark.parametrize("state", [ProcessState.STOPPED, ProcessState.REFUSES])
def test_a_node_that_was_stopped_is_not_started_by_itself(qapp, state):
    process = Process(state)
    watch = watching(process, lambda watch: watch.look is not None)
    assert process.starts == 0
    assert watch.can_start


def test_a_service_restarts_what_it_runs(qapp):
    process = Process(ProcessState.DIED, service="quorate-node@ana.service")
    watch = watching(process, lambda watch: watch.look is not None)
    assert process.starts == 0
    assert "quorate-node@ana.service" in of_node(watch.look, gave_up=False).what


def test_what_forbids_the_start_is_told(qapp):
    process = Process(ProcessState.DIED)
    process.refusal = OSError(13, "Permission denied")
    watch = watching(process, lambda watch: watch.look is not None)
    assert of_node(watch.look, gave_up=False).what.endswith("Permission denied")


def action_of(driver, banner):
    button = driver.find(f"{banner}.action")
    assert isinstance(button, QPushButton)
    return button


@pytest.mark.parametrize(
    ("unlocked", "banner"), [(True, names.FRAME_UNREACHABLE), (False, "signIn.unreachable")]
)
def test_the_window_says_that_its_node_is_stopped_and_starts_it(qapp, unlocked, banner):
    process = Process(ProcessState.STOPPED, then=ProcessState.STARTS)
    console = FakeConsole().unlocked() if unlocked else FakeConsole()
    driver = Driver(qapp, console, node=process)
    try:
        driver.until(lambda: (driver.window.current_screen == "overview") is unlocked)
        console.unreachable = True
        driver.window.link.session_changed.emit()
        shown = driver.find(banner)
        driver.until(lambda: shown.isVisible() and "is stopped" in shown.accessibleName(), 30)
        button = action_of(driver, banner)
        assert button.text() == "Start the node"
        button.click()
        driver.until(lambda: "starts" in shown.accessibleName())
        assert process.starts == 1
        assert button.text() == "Retry now"
        console.unreachable = False
        driver.until(lambda: not shown.isVisible(), 30)
    finally:
        driver.close()
