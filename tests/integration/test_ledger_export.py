"""Exports: verified alone, and refused when changed."""

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.adapters.ledger import export, export_records, verifier, verify_export
from console.application.ports.vault import HeadAnchor, IdentityPort
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import DEFAULT_PIN, FakeAnchor, FakeVault
from tests.integration.children import ALICE
from tests.integration.ledgers import opened


@pytest.fixture
async def identity() -> IdentityPort:
    vault = FakeVault(ALICE)
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    return vault.identity


async def exported(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort
) -> tuple[Path, HeadAnchor]:
    store = await opened(filled, anchor)
    target = filled.with_name("export.jsonl")
    head = await export(store, target, identity)
    await store.close()
    return target, head


async def proved(filled: Path, anchor: FakeAnchor, identity: IdentityPort, *records: int) -> Path:
    store = await opened(filled, anchor)
    target = filled.with_name("proof.jsonl")
    try:
        await export_records(store, target, identity, records)
    finally:
        await store.close()
    return target


async def test_an_export_verifies_alone(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort
) -> None:
    target, head = await exported(filled, anchor, identity)
    verified = verify_export(target)
    assert (verified.chain, verified.records, verified.root) == ("alice", 60, head.hash)
    public = await identity.public_key()
    for key in ((), (public.hex(),), (hashlib.sha256(public).hexdigest().upper(),)):
        ran = verified_alone(target, *key)
        assert ran.returncode == 0, ran.stderr
        assert f"VALID: 60 records of alice, root {head.hash.hex()}" in ran.stdout
        assert hashlib.sha256(public).hexdigest() in ran.stdout
    ran = verified_alone(target, "04" * 65)
    assert (ran.returncode, ran.stderr) == (
        1,
        "INVALID: the ledger was not signed by the key that you gave\n",
    )


def verified_alone(target: Path, *key: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier that lies beside the export, with the standard library alone."""
    return subprocess.run(
        [sys.executable, "-I", "-S", target.with_name("verifier.py"), target, *key],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("records", [(1,), (60,), (17, 18, 40), (60, 1, 1)])
async def test_single_records_are_proved_alone(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort, records: tuple[int, ...]
) -> None:
    target = await proved(filled, anchor, identity, *records)
    count = len(set(records))
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["sequence"] for line in lines[1:]] == sorted(set(records))
    ran = verified_alone(target)
    assert f"VALID: {count} of 60 records of alice, root {lines[0]['root']}" in ran.stdout
    assert anchor.head is not None
    assert lines[0]["root"] == anchor.head.hash.hex()


@pytest.mark.parametrize("records", [(), (0,), (61,), (1, 61), tuple(range(1, 1002))])
async def test_records_that_are_not_there_are_not_exported(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort, records: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="an export names 1 to 1000 records of 1 to 60"):
        await proved(filled, anchor, identity, *records)


async def test_two_exports_at_once_are_both_whole(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort
) -> None:
    store = await opened(filled, anchor)
    target = filled.with_name("export.jsonl")
    await asyncio.gather(*(export(store, target, identity) for _ in range(3)))
    assert verify_export(target).records == 60
    await store.close()
    assert not list(filled.parent.glob("*.part"))


async def test_every_changed_byte_of_a_proof_is_found(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort
) -> None:
    target = await proved(filled, anchor, identity, 17, 40)
    good = target.read_bytes()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1
        target.write_bytes(bytes(bad))
        with pytest.raises(verifier.ExportInvalid):
            verify_export(target)
    target.write_bytes(good)
    assert verify_export(target).proven == 2


def _edit(line: int, change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
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
        _edit(0, lambda r: r.update(root="00" * 32)),
        _edit(0, lambda r: r.update(key="04" + "00" * 64)),
        _edit(0, lambda r: r.update(key="zz")),
        _edit(0, lambda r: r.update(checkpoint="")),
        _edit(0, lambda r: r.update(checkpoint=r["checkpoint"].replace("\n60\n", "\n59\n"))),
        _edit(0, lambda r: r.update(checkpoint=r["checkpoint"].replace("/alice/", "/bob/", 1))),
        _edit(0, lambda r: r.update(checkpoint=r["checkpoint"].replace("\u2014", "-"))),
        _edit(0, lambda r: r.pop("checkpoint")),
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"name"', b'"name" ', 1),
        lambda data: b"",
        lambda data: b"[" * 200_000 + b"\n",
    ],
)
async def test_a_changed_export_is_refused(
    filled: Path, anchor: FakeAnchor, identity: IdentityPort, change: Callable[[bytes], bytes]
) -> None:
    target, _ = await exported(filled, anchor, identity)
    target.write_bytes(change(target.read_bytes()))
    with pytest.raises(verifier.ExportInvalid):
        verify_export(target)
