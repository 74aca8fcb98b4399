"""Notes and proofs of ours hold for the Go project's libraries, which nobody here wrote."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.tlog.proofs import consistency_proof, inclusion_proof
from console.tlog.tree import hash_leaf, root_of
from tests.fakes.growing_tree import numbered
from tests.unit.tlog.test_notes import ANA, checkpoint_note

SOURCE = Path(__file__).with_name("go_tlog")
SIZE = 70

Check = Callable[[dict[str, Any]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Build the program once; its library is fetched by Go, which checks its hash."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on PATH")
    program = tmp_path_factory.mktemp("go") / "check"
    try:
        built = subprocess.run(
            [go, "build", "-o", program, "."],
            cwd=SOURCE,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("golang.org/x/mod could not be fetched and built in 90 s")
    if built.returncode:
        pytest.skip(f"golang.org/x/mod is not here and cannot be fetched: {built.stderr[-200:]}")

    def run(asked: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def asked() -> dict[str, Any]:
    """Return a checkpoint and all proofs of a small tree."""
    tree = numbered(SIZE)
    roots = [text(root_of(size, tree.read)) for size in range(SIZE + 1)]
    return {
        "Note": checkpoint_note().encoded().decode(),
        "Name": ANA.key.name,
        "Key": text(ANA.spki),
        "Inclusion": [
            {
                "Index": index,
                "Size": size,
                "Leaf": text(hash_leaf(index.to_bytes(4, "big"))),
                "Root": roots[size],
                "Proof": [text(node) for node in inclusion_proof(index, size, tree.read)],
            }
            for size in range(1, SIZE + 1)
            for index in range(size)
        ],
        "Consistency": [
            {
                "Old": old,
                "Size": size,
                "OldRoot": roots[old],
                "Root": roots[size],
                "Proof": [text(node) for node in consistency_proof(old, size, tree.read)],
            }
            for size in range(1, SIZE + 1)
            for old in range(1, size + 1)
        ],
    }


def test_notes_and_proofs_hold_for_others(check: Check) -> None:
    found = check(asked())
    count = SIZE * (SIZE + 1) // 2
    assert found.stdout == f"1 signed, 1 unknown, {count} in, {count} after\n", found.stderr


@pytest.mark.parametrize("changed", ["Note", "Inclusion", "Consistency"])
def test_what_was_changed_holds_for_nobody(check: Check, changed: str) -> None:
    whole = asked()
    if changed == "Note":
        whole["Note"] = whole["Note"].replace("20852163", "20852164")
    else:
        whole[changed][SIZE]["Root"] = text(bytes(32))
    found = check(whole)
    assert found.returncode == 1, found.stdout
