"""The window is killed at every step of a set-up, and goes on with nothing asked twice.

What is thrown away is tried with the set-up process itself (`tests/integration`), and at each page.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.settings import MemberFiles, read_roster
from tests.dying import STALLED
from tests.e2e.dying_window import MEMBER, THERE
from tests.e2e.operators import Operator, entries_of, free_ports
from tests.softhsm import SoftHsm
from ui.first_run import names
from ui.first_run.set_up import Step
from ui.window import ConsoleWindow

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.hsm,
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

OBJECTS = 8
"""In a token with a member's keys."""
PATIENCE_S = 120.0
# In the order in which an operator goes; with a step, the set-up process stands still at it.
KILLED = (
    ("at_token", ""),
    ("at_pin", ""),
    ("making", "hsm.provision:create_record:1:after"),
    ("at_address", ""),
    ("at_chains", ""),
    ("finishing", "console.provisioning.member_files:create_identity:3:before"),
    ("at_invitation", ""),
    ("at_comparison", ""),
    ("opening", "console.provisioning.rosters:write_toml:1:before"),
)


@dataclass
class Machine:
    """One home and one token of the operator's, and copies of both."""

    folder: Path
    softhsm: SoftHsm
    label: str
    port: int

    def __post_init__(self) -> None:
        self.home, self.entries = self.folder / "home", self.folder / "entries.jsonl"
        self.token = self.softhsm.folder_of(self.label)
        self.serial = self.token.name.replace("-", "")[-16:]
        self.stalled = self.folder / "stalled"

    @property
    def objects(self) -> int:
        return len(list(self.token.glob("*.object"))) - 1

    def kill(self, stage: str, step: str) -> None:
        """Run a window up to a stage, and kill it there."""
        self.stalled.unlink(missing_ok=True)
        arguments = (str(self.home), stage, self.serial, str(self.entries), str(self.port))
        environment = os.environ | ({STALLED: str(self.stalled)} if step else {})
        with subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.e2e.dying_window",
                *arguments,
                *((step,) if step else ()),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        ) as window:
            try:
                assert window.stdout is not None
                said = window.stdout.readline().strip()
                if said == THERE and step:
                    until(lambda: self.stalled.exists() and bool(self.stalled.read_text()))
            finally:
                window.send_signal(signal.SIGKILL)
            assert said == THERE, window.stderr.read() if window.stderr else ""
        if step:
            pid = int(self.stalled.read_text())
            until(lambda: not Path(f"/proc/{pid}").exists())


def until(holds) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def machine(tmp_path: Path, softhsm_apart: SoftHsm) -> Machine:
    (port,) = free_ports(1)
    machine = Machine(tmp_path, softhsm_apart, softhsm_apart.blank(), port)
    machine.entries.write_text(entries_of(tmp_path / "elsewhere", "ben", "chiara"))
    return machine


def test_a_window_that_is_killed_goes_on(app, machine):
    for stage, step in KILLED:
        machine.kill(stage, step)
    operator = Operator(app, machine.home)
    try:
        operator.press(f"{names.START_GO_ON}.{MEMBER}")
        operator.at(Step.COMPARISON)
        for tick in operator.page.ticks.values():
            tick.click()
        operator.press(names.WIZARD_NEXT)
        operator.until(lambda: isinstance(operator.window, ConsoleWindow))
    finally:
        operator.close()
    roster = read_roster(MemberFiles(machine.home / MEMBER))
    assert [entry.member for entry in roster.members] == [MEMBER, "ben", "chiara"]
    assert not (machine.home / ".set-up").exists()
    assert not (machine.home / MEMBER / "set-up").exists()
    assert machine.objects == OBJECTS
