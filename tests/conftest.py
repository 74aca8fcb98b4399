"""What all tests share: a failure always says by which seed it can be repeated."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A landing must not depend on luck: CI tries the same examples each time, everybody else new ones.
# A busy machine is no fault: no test depends on how long it takes.
settings.register_profile("any", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("any")
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Take back how a command run in this process has set up its log."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def softhsm_as_it_was() -> Iterator[None]:
    """Take back where a member set up in this process keeps its token: children inherit it."""
    before = os.environ.get("SOFTHSM2_CONF")
    yield
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("randomly_seed", None)
    if terminalreporter.stats.get("failed") and seed is not None:
        terminalreporter.write_line(f"the order of this run: --randomly-seed={seed}")
