"""A program: starts the window as `python -m ui` does and ends at its first painted frame.

Prints the monotonic time of that moment, in nanoseconds.
"""

import os
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from ui import app as program
from ui.window import ConsoleWindow


class FirstPaint(QObject):
    """Ends the process once the window has painted."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        if event.type() is QEvent.Type.Paint and isinstance(watched, ConsoleWindow):
            # The paint itself comes after this filter: wait for the next turn of the loop.
            QTimer.singleShot(0, _end)
        return False


def _end() -> None:
    print(time.monotonic_ns(), flush=True)
    os._exit(0)


def main() -> int:
    make = program.make_application

    def watched() -> QApplication:
        application = make()
        watcher = FirstPaint(application)
        application.installEventFilter(watcher)
        return application

    program.make_application = watched
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
