"""`./run sim`: it runs the seeds that it is told to, and tells a failing one at once."""

import pytest

from tests.simulation.__main__ import Progress
from tests.simulation.seeds import COUNT, FIRST, seeds


def report(node: str, outcome: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=node,
        location=("", 0, ""),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr="two members differ" if outcome == "failed" else None,
        when="call",
    )


def test_a_failing_seed_is_told_at_once_and_at_the_end(capsys):
    progress = Progress(minutes=None)
    progress.pytest_runtest_logreport(report("test_a.py::test_it[6]", "passed"))
    progress.pytest_runtest_logreport(report("test_a.py::test_it[7]", "failed"))
    told = capsys.readouterr().out
    assert "FAILED test_a.py::test_it[7]\ntwo members differ" in told
    assert progress.failed == ["test_a.py::test_it[7]"]
    progress.pytest_sessionfinish()
    ended = capsys.readouterr().out
    assert "1 held: test_a.py::test_it\n" in ended
    assert "FAILED test_a.py::test_it[7]" in ended


def test_the_seeds_are_those_asked_for(monkeypatch):
    monkeypatch.delenv(COUNT, raising=False)
    monkeypatch.delenv(FIRST, raising=False)
    assert seeds(2) == range(1, 3)
    monkeypatch.setenv(COUNT, "1000")
    monkeypatch.setenv(FIRST, "5")
    assert seeds(2) == range(5, 1005)
