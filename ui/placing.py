"""Where the window opens: within its screen, and as large as it was left."""

from typing import NamedTuple

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from ui.settings import Settings

USUAL = QSize(1440, 900)
LEAST = QSize(960, 540)
_TITLE_BAR = 40
"""Room for what the desktop draws above a window."""


class Placing(NamedTuple):
    """The smallest and the first size of a window, in the screen's own units."""

    least: QSize
    size: QSize


def placing(wanted: QSize, room: QSize) -> Placing:
    """Return sizes that fit into a screen's free room, which may be smaller than `LEAST`."""
    inside = QSize(room.width(), max(room.height() - _TITLE_BAR, 1))
    least = LEAST.boundedTo(inside)
    return Placing(least, wanted.boundedTo(inside).expandedTo(least))


def place(window: QWidget, settings: Settings, screen: QScreen | None = None) -> None:
    """Give a window the size that it had, as far as its screen has room."""
    where = screen or window.screen() or QGuiApplication.primaryScreen()
    room = where.availableGeometry()
    wanted = QSize(settings.width, settings.height) if settings.width else USUAL
    least, size = placing(wanted, room.size())
    window.setMinimumSize(least)
    window.resize(size)
    free = QRect(room.topLeft(), room.size())
    window.move(free.center() - window.rect().center())


def remember(window: QWidget, settings: Settings) -> None:
    """Save a window's size, unless the desktop chose it."""
    if window.isMaximized() or window.isFullScreen():
        return
    if (settings.width, settings.height) != (window.width(), window.height()):
        settings.width, settings.height = window.width(), window.height()
        settings.save()
