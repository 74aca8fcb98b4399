"""The window's shortcuts, for any focus."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow

from ui import registry
from ui.screen import Screen
from ui.widgets.rows import ListRow
from ui.widgets.sheet import front_sheet
from ui.widgets.table import DataTable


class Keyed(Protocol):
    """The window as its shortcuts use it; `front` is None while it is locked."""

    @property
    def front(self) -> Screen | None: ...
    def show_screen(self, name: str, subject: str = "") -> None: ...
    def search(self) -> None: ...
    def lock(self) -> None: ...
    def show_help(self) -> None: ...
    def show_shortcuts(self) -> None: ...
    def toggle_privacy(self) -> None: ...


class Shortcuts:
    """The window's shortcuts."""

    def __init__(self, window: QMainWindow, keyed: Keyed) -> None:
        self._window = window
        self._keyed = keyed
        for place, entry in enumerate(registry.SECTIONS, 1):
            self._add(f"Alt+{place}", self._uncovered(partial(keyed.show_screen, entry.name)))
        self._add("Ctrl+K", self._uncovered(keyed.search))
        self._add("Ctrl+L", keyed.lock)
        self._add("Ctrl+F", lambda: self._on_screen(lambda screen: screen.focus_filter()))
        self._add("Ctrl+R", lambda: self._on_screen(lambda screen: screen.model.refresh()))
        self._add("Ctrl+E", lambda: self._on_screen(lambda screen: screen.export_all()))
        self._add("Ctrl+Shift+H", keyed.toggle_privacy)
        self._add("F1", keyed.show_help)
        self._add("Ctrl+/", keyed.show_shortcuts)
        self._add("Esc", self._back)
        self._add("Ctrl+Return", self._to_armed)
        self._add("J", lambda: self._move(1))
        self._add("K", lambda: self._move(-1))

    def _add(self, keys: str, act: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(act)

    def _uncovered(self, act: Callable[[], object]) -> Callable[[], None]:
        """Return `act` for a page that no sheet covers: keys do not reach below a sheet."""

        def pressed() -> None:
            if front_sheet(self._window) is None:
                act()

        return pressed

    def _on_screen(self, act: Callable[[Screen], object]) -> None:
        screen = self._keyed.front
        if screen is not None and front_sheet(self._window) is None:
            act(screen)

    def _back(self) -> None:
        """Close the panel in front, else leave the field, else leave the page."""
        sheet, screen = front_sheet(self._window), self._keyed.front
        if sheet is not None:
            sheet.close_sheet()
        elif screen is not None and isinstance(QApplication.focusWidget(), QLineEdit):
            screen.setFocus()
        elif screen is not None:
            screen.back()

    def _to_armed(self) -> None:
        """Focus the armed button; one behind a sheet gives the focus back to the sheet."""
        screen = self._keyed.front
        if screen is not None:
            screen.focus_armed()

    def _move(self, step: int) -> None:
        focused = QApplication.focusWidget()
        if front_sheet(self._window) is not None:
            return
        if isinstance(focused, DataTable | ListRow):
            focused.move_by(step)
        elif self._keyed.front is not None and self._keyed.front.focus_list():
            _enter(step)


def _enter(step: int) -> None:
    """Select the first row of a table that has just received the focus."""
    focused = QApplication.focusWidget()
    if isinstance(focused, DataTable) and not focused.currentIndex().isValid():
        focused.move_by(step)
