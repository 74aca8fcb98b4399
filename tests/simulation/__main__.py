"""`./run sim [RUNS]`: the seeded simulations, many more schedules than the test suite runs."""

import os
import sys

import pytest

RUNS = 1000


def main() -> int:
    """Run the simulations; a failing schedule prints its seed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    os.environ["QUORATE_SIM_RUNS"] = str(runs)
    return int(pytest.main(["tests/simulation", "-q", "--timeout=0", "-p", "no:randomly"]))


if __name__ == "__main__":
    sys.exit(main())
