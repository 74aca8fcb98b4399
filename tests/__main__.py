"""`./run test`: every test, in random order, warnings as errors."""

import os
import sys

import pytest


def main() -> int:
    """Run pytest with what the command line adds; Qt needs no display here."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    arguments = sys.argv[1:] or ["-q", "--durations=10"]
    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
