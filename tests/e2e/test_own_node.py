"""A member's node as the window sees it: started, stopped, killed, refusing, or a service."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.client import OwnNode, ProcessState, Profile, ServiceUnit
from console.client.own_node import SAID_FILE

pytestmark = pytest.mark.e2e

PASSPHRASE = "correct horse battery staple\n"
PATIENCE_S = 60.0


def quorate(*arguments, said=""):
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def profile(tmp_path):
    """A member with encrypted files whose node could run."""
    entry = quorate(
        *("init", "--member", "zoe", "--name", "Zoe", "--home", str(tmp_path), "--module", "file"),
        *("--listen", f"127.0.0.1:{free_port()}", "--console", f"127.0.0.1:{free_port()}"),
        said=PASSPHRASE,
    )
    entries = tmp_path / "entries.jsonl"
    entries.write_text(entry)
    quorate("roster", str(entries), "--home", str(tmp_path))
    return Profile("zoe", "Zoe", tmp_path / "zoe")


def until(node, state):
    end = time.monotonic() + PATIENCE_S
    while (look := node.look()).state is not state:
        assert time.monotonic() < end, f"{look} and never {state}"
        time.sleep(0.05)
    return look


def serving(node, profile):
    """Wait until the node runs and its console port is open."""
    until(node, ProcessState.RUNS)
    host, _, port = (profile.directory / "console.address").read_text().strip().rpartition(":")
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection((host, int(port)), timeout=1):
                return
        except OSError:
            assert time.monotonic() < end, "it runs and does not serve"
            time.sleep(0.05)


def pid_of(profile):
    """Return the process that holds the mark."""
    inode = (profile.directory / "node.run").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    raise AssertionError("nobody holds the mark")


def test_it_is_started_stopped_killed_and_started_again(tmp_path, profile):
    node = OwnNode(tmp_path, profile)
    assert node.look().state is ProcessState.STOPPED
    node.start()
    assert node.look().state in {ProcessState.STARTS, ProcessState.RUNS}
    serving(node, profile)
    first = pid_of(profile)
    node.start()
    assert pid_of(profile) == first, "no second one"
    # Another window finds it and need not have started it.
    assert OwnNode(tmp_path, profile).look().state is ProcessState.RUNS
    os.kill(first, signal.SIGTERM)
    until(node, ProcessState.STOPPED)
    node.start()
    serving(node, profile)
    os.kill(pid_of(profile), signal.SIGKILL)
    until(node, ProcessState.DIED)
    node.start()
    serving(node, profile)
    os.kill(pid_of(profile), signal.SIGTERM)
    until(node, ProcessState.STOPPED)
    assert stat.S_IMODE((profile.directory / SAID_FILE).stat().st_mode) == 0o600


def test_why_it_does_not_start_is_told(tmp_path, profile):
    settings = profile.directory / "member.toml"
    settings.write_text(settings.read_text().replace('kind = "file"', 'kind = "parchment"'))
    node = OwnNode(tmp_path, profile)
    node.start()
    look = until(node, ProcessState.REFUSES)
    assert look.said.endswith("no vault of kind 'parchment'")


def systemctl(folder, monkeypatch, *, enabled):
    """Put a `systemctl` first on the path that writes down what it is asked."""
    program, asked = folder / "systemctl", folder / "asked"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\n'
        f'case "$*" in *is-enabled*) exit {0 if enabled else 1};; esac\n'
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return asked


def test_a_service_is_started_instead(tmp_path, profile, monkeypatch):
    asked = systemctl(tmp_path, monkeypatch, enabled=True)
    node = OwnNode(tmp_path, profile, service=ServiceUnit("zoe"))
    node.start()
    said = asked.read_text().splitlines()
    assert said[0] == "--user is-enabled quorate-node@zoe.service"
    assert said[-1] == "--user --no-block start quorate-node@zoe.service"
    look = node.look()
    assert (look.state, look.service) == (ProcessState.STOPPED, "quorate-node@zoe.service")


def test_without_a_service_it_starts_by_itself(tmp_path, profile, monkeypatch):
    systemctl(tmp_path, monkeypatch, enabled=False)
    node = OwnNode(tmp_path, profile, service=ServiceUnit("zoe"))
    node.start()
    serving(node, profile)
    os.kill(pid_of(profile), signal.SIGTERM)
    until(node, ProcessState.STOPPED)
