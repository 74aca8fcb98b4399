"""Bundled data, read from the `resources` package."""

from functools import cache
from importlib import resources

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFontDatabase

FONT_FILES = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Bold.ttf",
)
FONT_LICENCES = ("Inter-OFL.txt", "JetBrainsMono-OFL.txt")
_ROOT = resources.files("resources")


class FontUnreadable(Exception):
    """A bundled font file is damaged."""


@cache
def text(name: str) -> str:
    """Return a bundled text file."""
    return _ROOT.joinpath(name).read_text(encoding="utf-8")


@cache
def icon_names() -> frozenset[str]:
    """Return the names of all bundled icons."""
    return frozenset(
        entry.name.removesuffix(".svg")
        for entry in _ROOT.joinpath("icons").iterdir()
        if entry.name.endswith(".svg")
    )


def load_fonts() -> None:
    """Register the bundled fonts with the application. Raises: FontUnreadable."""
    for name in FONT_FILES:
        data = QByteArray(_ROOT.joinpath("fonts", name).read_bytes())
        if QFontDatabase.addApplicationFontFromData(data) < 0:
            raise FontUnreadable(name)


def font_licences() -> str:
    """Return the licence texts of the bundled fonts."""
    return "\n\n".join(_ROOT.joinpath("fonts", name).read_text("utf-8") for name in FONT_LICENCES)
