"""A copy of the sources in which mutants are tried, each in a process forked for it."""

import itertools
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import coverage
import pytest

from tests.mutation.graft import NotGrafted, graft
from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT, Target

SURVIVED, ALONE = "survived", "has to be tried alone"
_OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "--tb=no", "--rootdir=.")
_CONFIG = """[pytest]
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
markers = hsm
"""


class Watch:
    """Notes how long each test takes, which failed, and which lines it reaches."""

    def __init__(self, covered: coverage.Coverage | None = None) -> None:
        self.covered = covered
        self.taken: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.covered is not None:
            self.covered.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.taken[report.nodeid] = self.taken.get(report.nodeid, 0.0) + report.duration
        self.failed += [report.nodeid] if report.failed else []


class Chosen(Watch):
    """Runs some of the tests, in a given order, up to the first that fails."""

    def __init__(self, wanted: Iterable[str]) -> None:
        super().__init__()
        self.place = {name: at for at, name in enumerate(wanted)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(chosen, key=lambda item: self.place[item.nodeid])


class Grafting(Watch):
    """Tries one mutant after the other on tests that were collected once."""

    def __init__(self, bench: "Workbench", mutants: list[Mutant], sources: dict[str, str]) -> None:
        super().__init__()
        self.bench, self.mutants, self.sources = bench, mutants, sources

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for mutant in self.mutants:
            names = self.bench.tests_of(mutant)
            chosen = [items[name] for name in names]
            verdict = self.bench.forked(partial(self._try, mutant, chosen), names)
            with (self.bench.place / "verdicts").open("a") as out:
                out.write(json.dumps(verdict) + "\n")
        return True

    def _try(self, mutant: Mutant, items: list[pytest.Item]) -> str:
        if not items:
            return SURVIVED
        source = self.sources[mutant.module]
        try:
            graft(mutant.module, source, mutant.apply(source))
        except NotGrafted:
            return ALONE
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                break
        if self.failed:
            return self.failed[0]
        return ALONE if self.bench.at_import(mutant) else SURVIVED


class Workbench:
    """A copy at `place` of all packages and of their tests.

    A mutant is tried with tests that take `budget` seconds together: first those that are near to
    it, then the quick ones.
    """

    def __init__(self, place: Path, target: Target, budget: float) -> None:
        self.place, self.target, self.budget = place, target, budget
        for name in ("console", "hsm", "tests", "docs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, place / name, ignore=ignored)
        (place / "pytest.ini").write_text(_CONFIG)
        self.taken: dict[str, float] = {}
        self.lines: dict[str, dict[str, list[str]]] = {}
        self.broken: list[str] = []

    def learn(self) -> None:
        """Run all tests once, to know which of them reach which line, and how long they take.

        Those that fail before anything is changed are noted in `broken`, and left out.
        """
        self.forked(self._learn, (), 3600.0)
        learnt = json.loads((self.place / "learnt").read_text())
        self.taken, self.lines, self.broken = learnt
        if not self.taken:
            raise RuntimeError("no test ran:\n" + (self.place / "output").read_text())

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Give the tests that reach a mutant, quick ones first; else all that use its module."""
        lines = self.lines.get(mutant.module, {})
        names = set(lines.get(str(mutant.line), ())) - {""}
        if not names:  # what is fixed at import is tested without a line being reached
            names = {name for some in lines.values() for name in some if name}
            fixed = self.target.fixed
            names |= {name for name in self.taken if fixed and name.startswith(fixed)}
            names = names or set(self.taken)
        names -= set(self.broken)
        near = self.target.tests_about(mutant.module)
        ordered = sorted(names, key=lambda n: (not re.search(near, n), self.taken[n], n))
        reached = itertools.accumulate(self.taken[name] for name in ordered)
        return [name for name, total in zip(ordered, reached, strict=True) if total < self.budget]

    def at_import(self, mutant: Mutant) -> bool:
        """Tell whether the line of a mutant has run before the first test began."""
        return "" in self.lines.get(mutant.module, {}).get(str(mutant.line), ())

    def graft_all(self, mutants: list[Mutant], sources: dict[str, str]) -> list[str]:
        """Try mutants in one go; ALONE is said of those that change what happens at import."""
        options = [*_OPTIONS, *self.target.files()]
        plugin = Grafting(self, mutants, sources)
        self.forked(lambda: str(pytest.main(options, plugins=[plugin])), (), 1e9)
        return [json.loads(line) for line in (self.place / "verdicts").read_text().splitlines()]

    def try_alone(self, mutant: Mutant, text: str) -> str:
        """Write the module, and start the tests anew: give the failed test, or SURVIVED."""
        path = self.place / mutant.module
        original = path.read_text()
        path.write_text(text)
        try:
            names = self.tests_of(mutant)
            return self.forked(partial(self._run, names), names)
        finally:
            path.write_text(original)

    def _run(self, names: list[str]) -> str:
        if not names:
            return SURVIVED
        watch = Chosen(names)
        files = sorted({name.partition("::")[0] for name in names})
        code = pytest.main([*_OPTIONS, "-x", *files], plugins=[watch])
        return SURVIVED if code in {0, 5} else [*watch.failed, "import"][0]

    def _learn(self) -> str:
        packages = [str(self.place / package) for package in self.target.packages]
        covered = coverage.Coverage(None, config_file=False, source=packages)
        watch = Watch(covered)
        covered.start()
        pytest.main([*_OPTIONS, *self.target.files()], plugins=[watch])
        covered.stop()
        found = covered.get_data()
        lines = {
            str(Path(path).relative_to(self.place)): {
                str(line): names for line, names in found.contexts_by_lineno(path).items()
            }
            for path in found.measured_files()
        }
        (self.place / "learnt").write_text(json.dumps((watch.taken, lines, watch.failed)))
        return SURVIVED

    def forked(self, act: Callable[[], str], names: Iterable[str], seconds: float = 20.0) -> str:
        """Do something in a child that sees the copy; it has five times what the tests take."""
        deadline = time.monotonic() + seconds + 5 * sum(self.taken[name] for name in names)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            self._in_child(act, writer)
        os.close(writer)
        try:
            while time.monotonic() < deadline:
                if os.waitpid(child, os.WNOHANG) != (0, 0):
                    return os.read(reader, 4096).decode() or "crash"
                time.sleep(0.005)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        finally:
            os.close(reader)

    def _in_child(self, act: Callable[[], str], writer: int) -> None:
        try:
            if Path.cwd() != self.place:
                self._move_in()
            os.write(writer, act().encode()[:4096])
        finally:
            os._exit(0)

    def _move_in(self) -> None:
        output = os.open(self.place / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(self.place)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        sys.dont_write_bytecode = True
        for name in [n for n in sys.modules if n.partition(".")[0] in {"tests", "console"}]:
            del sys.modules[name]
        sys.path[:] = [str(self.place), *(p for p in sys.path if p not in {"", str(ROOT)})]
