"""Colours and type of the window: tokens become a palette and a style sheet."""

import json
from enum import StrEnum
from functools import cache
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from ui import assets


class ThemeName(StrEnum):
    """The themes to choose from; `SYSTEM` follows the desktop's scheme."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Tone(StrEnum):
    """The meaning of a colour pair; every tone comes with an icon and a word."""

    OK = "ok"
    WARN = "warn"
    DANGER = "danger"
    INFO = "info"
    NEUTRAL = "neutral"
    UNKNOWN = "unknown"


MONO = "JetBrains Mono"
SANS = "Inter"


@cache
def token_table() -> dict[str, dict[str, str]]:
    """Return all tokens by theme, then name, as hexadecimal colours."""
    table: dict[str, dict[str, str]] = json.loads(assets.text("tokens.json"))
    return table


class _Active:
    """The active theme of the window."""

    name = ThemeName.LIGHT
    tokens: dict[str, str] = token_table()["light"]


def hex_of(token: str) -> str:
    """Return the active colour of a token as text."""
    return _Active.tokens[token]


def color(token: str) -> QColor:
    """Return the active colour of a token."""
    return QColor(_Active.tokens[token])


def foreground(tone: Tone) -> QColor:
    """Return the text and line colour of a tone."""
    return color(f"{tone}_fg")


def background(tone: Tone) -> QColor:
    """Return the fill colour of a tone."""
    return color(f"{tone}_bg")


def font(pixels: int, weight: QFont.Weight = QFont.Weight.Normal, *, mono: bool = False) -> QFont:
    """Return a bundled font in pixels, with tabular figures."""
    result = QFont(MONO if mono else SANS)
    result.setPixelSize(pixels)
    result.setWeight(weight)
    if not mono:
        result.setFeature(QFont.Tag("tnum"), 1)
        # Else the font shows the x between digits, as in 0x15, as a multiplication sign.
        result.setFeature(QFont.Tag("calt"), 0)
    return result


def resolve(choice: ThemeName) -> ThemeName:
    """Return the theme, with the desktop's scheme for `SYSTEM`; light if it reports none."""
    if choice is not ThemeName.SYSTEM:
        return choice
    scheme = QApplication.styleHints().colorScheme()
    return ThemeName.DARK if scheme is Qt.ColorScheme.Dark else ThemeName.LIGHT


def apply(app: QApplication, choice: ThemeName) -> None:
    """Apply a theme to the application."""
    _Active.name = resolve(choice)
    _Active.tokens = token_table()[_Active.name]
    app.setFont(font(14))
    app.setPalette(_palette())
    app.setStyleSheet(Template(assets.text("style.qss")).substitute(_Active.tokens))


def _palette() -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, token in {
        roles.Window: "app",
        roles.Base: "surface",
        roles.AlternateBase: "sunken",
        roles.Button: "surface",
        roles.WindowText: "text",
        roles.Text: "text",
        roles.ButtonText: "text",
        roles.PlaceholderText: "muted",
        roles.Highlight: "selection",
        roles.HighlightedText: "text",
        roles.ToolTipBase: "text",
        roles.ToolTipText: "surface",
        roles.Link: "accent",
        roles.Mid: "border",
        roles.Light: "surface",
        roles.Dark: "control",
        roles.Accent: "accent",
    }.items():
        palette.setColor(role, color(token))
    palette.setColor(QPalette.ColorGroup.Disabled, roles.Text, color("muted"))
    palette.setColor(QPalette.ColorGroup.Disabled, roles.ButtonText, color("muted"))
    return palette
