"""`./run sim`: the seeded simulations, with many more seeds than the test suite runs."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.simulation.seeds import COUNT, FIRST

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")))
SEEDS = 1000
_TELL_EACH_S = 10.0


class Progress:
    """Runs seed after seed, tells failing ones at once, and ends when its time is over."""

    def __init__(self, minutes: float | None) -> None:
        self._started = self._told = time.monotonic()
        self._end = None if minutes is None else self._started + 60 * minutes
        self._total = 0
        self._passed: Counter[str] = Counter()
        self.failed: list[str] = []
        self.is_over = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run every simulation with one seed before any with the next."""
        items.sort(key=seed_of)
        self._total = len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell what could not be read."""
        if report.failed:
            print(report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a simulation, and tell how far the run is."""
        if report.failed:
            self.failed.append(report.nodeid)
            print(f"\nsim: FAILED {report.nodeid}\n{report.longreprtext}", flush=True)
        elif report.when == "call" and report.passed:
            self._passed[report.nodeid.partition("[")[0]] += 1
        now = time.monotonic()
        if now >= self._told + _TELL_EACH_S:
            self._told = now
            print(f"sim: {self._done()}", flush=True)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Begin nothing new when the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            item.session.shouldstop = "the time is over"
            self.is_over = True

    def pytest_sessionfinish(self) -> None:
        """Tell how many seeds of each simulation held."""
        print(f"\nsim: {self._done()}")
        for name, count in sorted(self._passed.items()):
            print(f"sim: {count:6} held: {name}")
        for failed in self.failed:
            print(f"sim: FAILED {failed}")

    def _done(self) -> str:
        done = sum(self._passed.values()) + len(self.failed)
        minutes = (time.monotonic() - self._started) / 60
        return f"{done} of {self._total} in {minutes:.1f} min, {len(self.failed)} failed"


def seed_of(item: pytest.Item) -> int:
    """Return the seed of a simulation, 0 for one without."""
    call = getattr(item, "callspec", None)
    return int(call.params.get("seed", 0)) if call else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulations. A failing seed is repeated with `--first SEED --seeds 1 NAME`."""
    parser = argparse.ArgumentParser(prog="./run sim", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (%(default)s)")
    parser.add_argument("--minutes", type=float, help="begin nothing new after this time")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no simulation has the name {', '.join(sorted(unknown))}")
    os.environ[COUNT], os.environ[FIRST] = str(chosen.seeds), str(chosen.first)
    files = [str(HERE / f"test_{name}.py") for name in chosen.names or NAMES]
    options = ["--timeout=0", "--show-capture=no"]
    for plugin in ("terminalreporter", "randomly", "cacheprovider"):
        options += ["-p", f"no:{plugin}"]
    progress = Progress(chosen.minutes)
    ended = pytest.main([*files, *options], plugins=[progress])
    return bool(progress.failed) if progress.is_over else int(ended)


if __name__ == "__main__":
    sys.exit(main())
