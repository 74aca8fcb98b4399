"""The mark of a running node: what it tells while it runs, after a stop, and after a death."""

import subprocess
import sys

import pytest

from console.client.run_mark import RunMark, RunsAlready, RunState

HOLDER = """
import sys
from pathlib import Path
from console.client.run_mark import RunMark
mark = RunMark(Path(sys.argv[1]))
with mark.held():
    mark.serves = sys.argv[2] == "serves"
    print("held", flush=True)
    line = sys.stdin.readline()
    if line.strip() == "fail":
        raise SystemExit(3)
"""


def holder(folder, how="serves"):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def end(process, line):
    process.communicate(line, timeout=30)


def test_a_node_that_never_ran_is_stopped(tmp_path):
    assert RunMark(tmp_path).look() is RunState.STOPPED
    assert not list(tmp_path.iterdir())


def test_a_running_node_is_seen_and_no_second_one_begins(tmp_path):
    process = holder(tmp_path)
    assert RunMark(tmp_path).look() is RunState.RUNS
    with pytest.raises(RunsAlready), RunMark(tmp_path).held():
        pytest.fail("two nodes of one member")
    end(process, "stop\n")
    assert RunMark(tmp_path).look() is RunState.STOPPED


def test_a_killed_node_has_died_until_it_runs_again(tmp_path):
    process = holder(tmp_path)
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert RunMark(tmp_path).look() is RunState.DIED
    end(holder(tmp_path), "stop\n")
    assert RunMark(tmp_path).look() is RunState.STOPPED


@pytest.mark.parametrize(("how", "told"), [("serves", RunState.DIED), ("starts", RunState.STOPPED)])
def test_an_error_is_a_death_only_once_it_serves(tmp_path, how, told):
    process = holder(tmp_path, how)
    end(process, "fail\n")
    assert process.returncode == 3
    assert RunMark(tmp_path).look() is told


def test_a_look_at_the_wrong_moment_stops_no_start(tmp_path, monkeypatch):
    from console import file_lock

    real, refused = file_lock.take, iter([None, None])
    monkeypatch.setattr(file_lock, "take", lambda path: next(refused, None) or real(path))
    with RunMark(tmp_path).held():
        pass
