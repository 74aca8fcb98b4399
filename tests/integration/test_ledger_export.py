"""Exports: verified alone, and refused when changed."""

# ruff: noqa: ASYNC221 - tests may wait for their files, and choose by a seed

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.adapters.ledger import export, verifier, verify_export
from console.application.ports.vault import HeadAnchor
from tests.fakes.vault import FakeAnchor
from tests.integration.ledgers import opened


async def exported(filled: Path, anchor: FakeAnchor) -> tuple[Path, HeadAnchor]:
    store = await opened(filled, anchor)
    target = filled.with_name("export.jsonl")
    head = await export(store, target)
    await store.close()
    return target, head


async def test_an_export_verifies_alone(filled: Path, anchor: FakeAnchor) -> None:
    target, head = await exported(filled, anchor)
    verified = verify_export(target)
    assert (verified.chain, verified.records, verified.root) == ("alice", 60, head.hash)
    tool = shutil.copy(verifier.__file__, filled.with_name("tool.py"))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", tool, target], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert head.hash.hex() in ran.stdout


def _edit(line: int, change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        value = json.loads(lines[line])
        change(value)
        lines[line] = json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        return b"".join(lines)

    return apply


@pytest.mark.parametrize(
    "change",
    [
        _edit(5, lambda r: r.update(payload=base64.b64encode(b"{}").decode())),
        _edit(5, lambda r: r.update(stream="z")),
        _edit(5, lambda r: r.update(version=9)),
        _edit(5, lambda r: r.update(recorded_at_ms=True)),
        _edit(5, lambda r: r.update(recorded_at_ms=-1)),
        _edit(5, lambda r: r.update(extra=1)),
        _edit(5, lambda r: r.update(payload="*")),
        _edit(0, lambda r: r.update(chain="bob")),
        _edit(0, lambda r: r.update(records=59)),
        _edit(0, lambda r: r.update(records=61)),
        _edit(0, lambda r: r.update(head="00" * 32)),
        _edit(0, lambda r: r.update(format="other")),
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"name"', b'"name" ', 1),
        lambda data: b"",
        lambda data: b"[" * 200_000 + b"\n",
    ],
)
async def test_a_changed_export_is_refused(
    filled: Path, anchor: FakeAnchor, change: Callable[[bytes], bytes]
) -> None:
    target, _ = await exported(filled, anchor)
    target.write_bytes(change(target.read_bytes()))
    with pytest.raises(verifier.ExportInvalid):
        verify_export(target)
