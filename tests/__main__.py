"""`./run test`: every test, in random order, warnings as errors."""

import os
import sys

import pytest

WORKERS = ("-n", str(min(os.cpu_count() or 1, 2)), "--dist", "loadfile")
"""Two at a time, each file by one: a cluster of nodes is started once for all tests of its file."""
COVERAGE = ("--cov", "--cov-report=term:skip-covered", "--cov-fail-under=88")
"""Branches of everything, node processes included; a fall below the floor fails the run."""


def main() -> int:
    """Run pytest with what the command line adds; Qt needs no display here."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    arguments = sys.argv[1:] or ["-q", "--durations=10", *WORKERS, *COVERAGE]
    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
