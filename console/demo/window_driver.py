"""WindowDriver: drives the real window by mouse and keys, and takes pictures of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from ui.window import ConsoleWindow

_POLL_S = 0.02
_SETTLE_FRAMES = 3

T = TypeVar("T")


class DemoFailure(Exception):
    """The demonstration failed; the message says what was waited for."""


class WindowDriver:
    """Drives one window; every wait has a limit and a name."""

    def __init__(self, window: ConsoleWindow, pictures: Path) -> None:
        self.window = window
        self._pictures = pictures
        self.taken: list[str] = []

    async def until(
        self, condition: Callable[[], T | None], what: str, timeout_s: float = 20.0
    ) -> T:
        """Wait until the condition holds. Raises: DemoFailure naming `what`."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = condition()
                    if found:
                        return found
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise DemoFailure(f"waited {timeout_s:.0f} s without success: {what}") from None

    async def click(self, name: str) -> None:
        """Click a control in its middle once it is visible and enabled."""
        widget = await self._usable(name)
        self._reveal(widget)
        await self.settle()
        middle = QPoint(min(widget.width() // 2, 24), widget.height() // 2)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=middle)

    async def type(self, name: str, text: str) -> None:
        """Type into a field, replacing its content."""
        widget = await self._usable(name)
        self._reveal(widget)
        widget.setFocus()
        if isinstance(widget, QLineEdit):
            widget.clear()
        QTest.keyClicks(widget, text)

    async def paste(self, name: str, text: str) -> None:
        """Insert text into a field as pasting does, without the clipboard."""
        widget = await self._usable(name)
        if not isinstance(widget, QLineEdit):
            raise DemoFailure(f"{name} is no field for text")
        widget.setFocus()
        widget.insert(text)

    async def on_screen(self, name: str) -> None:
        """Wait until a screen is in front."""
        await self.until(lambda: self.window.current_screen == name, f"the screen {name}")

    async def picture(self, name: str) -> None:
        """Save pictures of the window, light and dark."""
        for theme in ("dark", "light"):
            self.window.set_theme(theme)
            await self.settle()
            path = self._pictures / f"{name}-{theme}.png"
            if not self.window.grab().save(str(path)):
                raise DemoFailure(f"the picture {path.name} cannot be written")
            self.taken.append(path.name)

    async def settle(self) -> None:
        """Let the window lay itself out and paint, by running the loop with Qt's events."""
        for _ in range(_SETTLE_FRAMES):
            await asyncio.sleep(_POLL_S)

    def visible(self, name: str) -> QWidget | None:
        """Return a control if it is visible."""
        found = self.window.findChildren(QWidget, name)
        return next((widget for widget in found if widget.isVisible()), None)

    async def _usable(self, name: str) -> QWidget:
        def find() -> QWidget | None:
            widget = self.visible(name)
            return widget if widget is not None and widget.isEnabled() else None

        widget = await self.until(find, f"the control {name}")
        if widget is None:
            raise DemoFailure(f"the control {name} went away")
        return widget

    @staticmethod
    def _reveal(widget: QWidget) -> None:
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()
