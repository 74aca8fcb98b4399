"""The window's program: it always opens, on the members of this machine or on the ways to one."""

import argparse
import asyncio
import faulthandler
import sys
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication

from console import client
from console.client.set_up.process import SetUpProcess
from ui import assets, hardening, icons, runloop, theme
from ui import settings as preferences
from ui.desk import Desk, Outside
from ui.own_nodes import USUAL_HOME, own_nodes
from ui.settings import Settings
from ui.theme import ThemeName

SHOWN = "quorate window shown"


def main(arguments: list[str] | None = None) -> int:
    """Run the window and return the exit status."""
    options = _parse(arguments)
    hardening.harden()
    faulthandler.enable()  # If a library crashes, the stack is written; stacks hold no values.
    chosen = preferences.load(options.home)
    if options.theme is not None:
        chosen.theme = ThemeName(options.theme)
    if options.member is not None:
        chosen.member = options.member
    app = make_application()
    only, say = options.member or "", options.say_shown
    return runloop.run(app, lambda: _show(app, options.home, chosen, only, say=say))


def make_application() -> QApplication:
    """Return the application with fonts and names; also for tests and demonstrations."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    if existing is None:
        # Once: replacing the style while widgets are shown deletes the one that they use.
        app.setStyle("Fusion")
    app.setApplicationName("Quorate")
    app.setDesktopFileName("quorate")
    app.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
    assets.load_fonts()
    app.setWindowIcon(QIcon(icons.pixmap("quorate", QColor(theme.hex_of("accent")), 64, 2.0)))
    return app


async def _show(app: QApplication, home: Path, settings: Settings, only: str, *, say: bool) -> int:
    if say:  # For who starts this program: the window is shown at the loop's first turn.
        asyncio.get_running_loop().call_soon(partial(print, SHOWN, flush=True))
    outside = Outside(connect=client.connect, set_up_below=SetUpProcess, own_nodes=own_nodes)
    return await Desk(app, home, settings, outside).run(only)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="quorate-ui", description="The Quorate window.")
    parser.add_argument("--home", type=Path, default=USUAL_HOME)
    parser.add_argument("--member", help="the member to show first")
    parser.add_argument("--theme", choices=[name.value for name in ThemeName])
    parser.add_argument("--say-shown", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)
