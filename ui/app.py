"""The window's program: finds the members on this machine and shows the window."""

import argparse
import asyncio
import faulthandler
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication

from console import client
from console.client import OwnNode, Profile, ProfileUnreadable, ServiceUnit, find_profiles
from ui import assets, hardening, icons, runloop, theme
from ui import settings as preferences
from ui.settings import Settings
from ui.theme import ThemeName
from ui.window import ConsoleWindow

NOTHING_HERE = 2
USUAL_HOME = Path(platformdirs.user_data_dir("quorate", appauthor=False))


def main(arguments: list[str] | None = None) -> int:
    """Run the window and return the exit status."""
    options = _parse(arguments)
    hardening.harden()
    faulthandler.enable()  # If a library crashes, the stack is written; stacks hold no values.
    try:
        profiles = find_profiles(options.home)
    except ProfileUnreadable as error:
        sys.stderr.write(f"quorate: {error}\n")
        return NOTHING_HERE
    if not profiles:
        sys.stderr.write(
            f"quorate: there is no member in {options.home}. Start a node first: quorate node\n"
        )
        return NOTHING_HERE
    chosen = preferences.load(options.home)
    if options.theme is not None:
        chosen.theme = ThemeName(options.theme)
    if options.member is not None:
        chosen.member = options.member
    app = make_application()
    nodes = own_nodes(options.home, profiles, only=options.member or "")
    return runloop.run(app, lambda: _show(app, profiles, nodes, chosen))


def own_nodes(home: Path, profiles: tuple[Profile, ...], *, only: str = "") -> dict[str, OwnNode]:
    """Return the members' nodes, after starting those that do not run; `only` one member's."""
    nodes = {}
    for profile in profiles:
        # The service runs the nodes of the usual home alone.
        unit = ServiceUnit(profile.member) if home == USUAL_HOME else None
        node = nodes[profile.member] = OwnNode(home, profile, service=unit)
        if only in {"", profile.member}:
            with suppress(OSError):  # The window tells it, and offers to start it again.
                node.start()
    return nodes


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


async def _show(
    app: QApplication,
    profiles: tuple[Profile, ...],
    nodes: dict[str, OwnNode],
    settings: Settings,
) -> int:
    closed = asyncio.Event()
    app.setQuitOnLastWindowClosed(False)
    app.lastWindowClosed.connect(closed.set)
    window = ConsoleWindow(profiles, client.connect, settings, nodes=nodes)
    window.show()
    try:
        await closed.wait()
    finally:
        await window.finish()
        window.deleteLater()
        QCoreApplication.processEvents()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="quorate-ui", description="The Quorate window.")
    parser.add_argument("--home", type=Path, default=USUAL_HOME)
    parser.add_argument("--member", help="the member to show first")
    parser.add_argument("--theme", choices=[name.value for name in ThemeName])
    return parser.parse_args(arguments)
