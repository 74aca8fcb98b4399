"""What all tests share: a failure always says by which seed it can be repeated."""

import pytest


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("randomly_seed", None)
    if terminalreporter.stats.get("failed") and seed is not None:
        terminalreporter.write_line(f"the order of this run: --randomly-seed={seed}")
