"""What all tests share: a failure always says by which seed it can be repeated."""

import os

import pytest
from hypothesis import settings

# A landing must not depend on luck: CI tries the same examples each time, everybody else new ones.
# A busy machine is no fault: no test depends on how long it takes.
settings.register_profile("any", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("any")
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("randomly_seed", None)
    if terminalreporter.stats.get("failed") and seed is not None:
        terminalreporter.write_line(f"the order of this run: --randomly-seed={seed}")
