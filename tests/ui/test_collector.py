"""Objects in a circle are freed by the event loop, and only there."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from ui import collector, theme
from ui.widgets.buttons import Button
from ui.widgets.text import Label


class _Owner:
    """Keeps a widget without a parent in a circle, so that only a collection frees it."""

    def __init__(self) -> None:
        self.widget = Label("forgotten")
        self.widget.owner = self


@pytest.fixture
def collections() -> Iterator[list[str]]:
    """The names of the threads on which a collection began."""
    threads: list[str] = []

    def note(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            threads.append(threading.current_thread().name)

    gc.callbacks.append(note)
    yield threads
    gc.callbacks.remove(note)


def _make_circles() -> list[object]:
    """Make far more objects than a collection waits for."""
    return [[] for _ in range(20 * gc.get_threshold()[0])]


def test_other_threads_never_collect(collections):
    worker = threading.Thread(target=_make_circles)
    worker.start()
    worker.join()
    _make_circles()
    assert collections == []


def test_the_event_loop_frees_circles(qtbot, collections):
    owner = _Owner()
    widget = weakref.ref(owner.widget)
    del owner
    kept = _make_circles()
    qtbot.waitUntil(lambda: widget() is None)
    assert set(collections) == {threading.main_thread().name}
    assert kept


def test_nothing_is_collected_while_qt_walks_over_all_widgets(
    qapp, qtbot, monkeypatch, collections
):
    buttons = [Button("x", icon="x") for _ in range(10)]
    for button in buttons:
        qtbot.addWidget(button)
    before = Button.changeEvent

    def busy(self, event):
        _make_circles()
        before(self, event)

    monkeypatch.setattr(Button, "changeEvent", busy)
    for name in ("dark", "light"):
        for _ in range(20):
            _Owner()
        theme.apply(qapp, theme.ThemeName(name))
    assert collections == []


def test_the_oldest_generation_that_is_due_is_collected(monkeypatch):
    asked = []
    monkeypatch.setattr(gc, "collect", asked.append)
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    for count in ((700, 10, 10), (701, 0, 0), (701, 11, 3), (5, 2, 11)):
        monkeypatch.setattr(gc, "get_count", lambda count=count: count)
        collector.collect()
    assert asked == [0, 1, 2]


def test_the_collector_is_as_it_was_afterwards(qapp):
    assert not gc.isenabled()
    with collector.collecting_between_events():
        assert not gc.isenabled()
    assert not gc.isenabled()
    gc.enable()
    with collector.collecting_between_events():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
