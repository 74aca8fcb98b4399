"""`./run` on machines that lack something: it says what, and what to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD_PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) exit 0 ;;
  *ensurepip*) exit 0 ;;
  --version) echo "Python 3.12.1" ;;
  "-m venv"*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  *"-m pip install"*) echo "$PIP_SAYS"; exit 1 ;;
esac
"""
ALL_THERE = "#!/bin/sh\necho 'install ok installed'\n"


@pytest.fixture
def machine(tmp_path):
    """A machine whose commands are ours where a test says so."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    shutil.copy(ROOT / "requirements.lock", tmp_path / "requirements.lock")
    commands = tmp_path / "commands"
    commands.mkdir()
    return Machine(tmp_path, commands)


class Machine:
    def __init__(self, folder: Path, commands: Path) -> None:
        self.folder = folder
        self.commands = commands
        self.command("python3", GOOD_PYTHON)
        self.command("dpkg-query", ALL_THERE)
        self.command("df", "#!/bin/sh\nprintf 'h\\nx x x 90000 x x\\n'\n")
        for version in ("3.11", "3.12", "3.13"):
            self.command(f"python{version}", "#!/bin/sh\nexit 1\n")

    def command(self, name: str, script: str) -> None:
        path = self.commands / name
        path.write_text(script)
        path.chmod(0o755)

    def run(self, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.folder / "run"), "lint"],
            env={"PATH": f"{self.commands}:/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def test_an_old_python_is_named_with_what_is_needed(machine):
    machine.command(
        "python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n'
    )
    outcome = machine.run()
    assert outcome.returncode == 1
    assert "Python 3.11 to 3.13 is needed; Python 3.9.2 is here" in outcome.stderr


def test_missing_packages_are_named_exactly_when_they_may_not_be_installed(machine):
    machine.command("dpkg-query", "#!/bin/sh\nexit 1\n")
    machine.command("id", "#!/bin/sh\necho 1000\n")
    machine.command("sudo", "#!/bin/sh\nexit 1\n")
    machine.command("apt-cache", '#!/bin/sh\n[ "$2" != libglib2.0-0t64 ]\n')
    outcome = machine.run()
    assert outcome.returncode == 1
    assert "sudo apt-get install softhsm2 libglib2.0-0 libgl1" in outcome.stderr
    assert "|" not in outcome.stderr


def test_a_full_disk_is_said_before_anything_is_downloaded(machine):
    machine.command("df", "#!/bin/sh\nprintf 'h\\nx x x 120 x x\\n'\n")
    outcome = machine.run()
    assert outcome.returncode == 1
    assert "120 MB are free here, 2500 MB are needed" in outcome.stderr
    assert not (machine.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("ERROR: [Errno -3] Temporary failure in name resolution", "is the network away?"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was locked"),
        ("something else", "could not be installed"),
    ],
)
def test_a_failed_installation_says_why(machine, pip_says, sentence):
    outcome = machine.run(PIP_SAYS=pip_says)
    assert outcome.returncode == 1
    assert sentence in outcome.stderr
    assert not (machine.folder / ".venv" / "stamp").exists()


def test_an_unknown_command_shows_the_usage():
    outcome = subprocess.run(
        [str(ROOT / "run"), "dance"], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 2
    assert "usage: ./run" in outcome.stderr


def test_ci_calls_the_two_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    assert "./run lint" in script
    assert "./run test" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
