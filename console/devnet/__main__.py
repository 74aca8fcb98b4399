"""`quorate devnet`: the local chains in a process of their own."""

import argparse
import sys
from pathlib import Path

from console.devnet.server import run_devnet


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="quorate devnet")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--with-parent", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=None)
    arguments = parser.parse_args()
    run_devnet("127.0.0.1", arguments.port, arguments.with_parent or None, arguments.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
