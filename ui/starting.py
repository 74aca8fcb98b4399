"""Starts a member's node as a process of its own, which outlives the window."""

import subprocess
import sys
from pathlib import Path


def start_node(home: Path, member: str) -> None:
    """Start a node. One that runs already keeps its ledger; the second one ends at once."""
    arguments = ["node", "--member", member, "--home", str(home)]
    subprocess.Popen(  # noqa: S603  this very program
        [sys.executable, "-m", "console.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
