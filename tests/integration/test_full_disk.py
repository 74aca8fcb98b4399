"""A member's files on a small disk that is full at one write after the other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE = "4m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system of its own needs Linux and the superuser")
    mount = ("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path
    subprocess.run(("umount", str(tmp_path)), check=True)


@pytest.mark.parametrize("kind", ["file", pytest.param("pkcs11", marks=pytest.mark.hsm)])
def test_whatever_write_meets_a_full_disk_the_next_unlock_works(kind: str, disk: Path) -> None:
    command = (sys.executable, "-m", "tests.integration.full_disk", kind, str(disk))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    failed = done.stdout.splitlines()
    for step in ("back-off", "ledger failed", "share cannot be stored", "share cannot be replaced"):
        assert any(step in line for line in failed), done.stdout
