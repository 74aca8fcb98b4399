"""The bundled program: command line, node and window in one binary.

The sources start other processes as `PYTHON -m MODULE`. In a bundle the interpreter is this
binary, so it answers that form too, for its own programs only.
"""

import importlib
import multiprocessing
import sys

from console import cli

# Each in a module of its own, loaded when it is asked for: a node needs no window.
PROGRAMS = {
    "console.cli": "console.cli",
    "ui": "ui.app",
    # The PIN check of tokens that do not ask for it again.
    "hsm.presence_check": "hsm.presence_check",
}


def main() -> int:
    """Run the program that the arguments name; the command line if they name none."""
    multiprocessing.freeze_support()
    if not (len(sys.argv) > 2 and sys.argv[1] == "-m" and sys.argv[2] in PROGRAMS):
        cli.main()
    name = sys.argv[2]
    sys.argv = [name, *sys.argv[3:]]
    return importlib.import_module(PROGRAMS[name]).main() or 0


if __name__ == "__main__":
    sys.exit(main())
