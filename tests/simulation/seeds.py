"""The seeds of the simulations: a few in the test suite, as many as `./run sim` asks for."""

import os

COUNT, FIRST = "QUORATE_SIM_SEEDS", "QUORATE_SIM_FIRST"
"""Environment variables that `./run sim` sets."""


def seeds(usual: int) -> range:
    """Return the seeds to run, `usual` of them in the test suite."""
    first = int(os.environ.get(FIRST, "1"))
    return range(first, first + int(os.environ.get(COUNT, usual)))
