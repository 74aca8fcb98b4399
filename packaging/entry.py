"""The bundled program: command line, node and window in one binary.

The sources start other processes as `PYTHON -m MODULE`. In a bundle the interpreter is this
binary, so it answers that form too, for its own programs only.
"""

import multiprocessing
import sys
from collections.abc import Callable

import console.demo.__main__ as demo
from console import cli
from ui import app as window

PROGRAMS: dict[str, Callable[[], int | None]] = {
    "console.cli": cli.main,
    "console.demo": demo.main,
    "ui": window.main,
}


def main() -> int:
    """Run the program that the arguments name; the command line if they name none."""
    multiprocessing.freeze_support()
    if not (len(sys.argv) > 2 and sys.argv[1] == "-m" and sys.argv[2] in PROGRAMS):
        cli.main()
    name = sys.argv[2]
    sys.argv = [name, *sys.argv[3:]]
    return PROGRAMS[name]() or 0


if __name__ == "__main__":
    sys.exit(main())
