"""Exports: a ledger, or single records of it, that anyone can verify without this program.

Lines of JSON: a header with a checkpoint that the member's identity key signed, then the records.
The verifier is copied beside them.
"""

import asyncio
import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from console.adapters.ledger.chain import GENESIS, StoredRecord
from console.adapters.ledger.store import SqlCipherEventStore
from console.adapters.ledger.verifier import FORMAT, FORMAT_OF_PROOFS, verify_export
from console.application.errors import LedgerUnavailable
from console.application.ports.vault import HeadAnchor, IdentityPort
from console.sealing.sealed_record import sync_folder
from console.tlog.checkpoint import Checkpoint
from console.tlog.note import Note, NoteKey

__all__ = ["export", "export_records", "verify_export"]

VERIFIER = "verifier.py"
MAX_PROVEN = 1000
"""Records that are exported one by one; a whole ledger needs no proof for each."""
_PAGE = 1000
_Line = dict[str, int | str | list[str]]


async def export(store: SqlCipherEventStore, path: Path, identity: IdentityPort) -> HeadAnchor:
    """Write all records up to the newest to `path`, atomically; return their number and root.

    Raises: LedgerCorrupted, LedgerUnavailable, VaultLocked, HsmError.
    """
    head = await store.tree_head()
    newest = await store.read_stored(head.sequence - 1, 1) if head.sequence else ()
    first = {
        "format": FORMAT,
        "head": (newest[0].hash if newest else GENESIS).hex(),
        **await _signed(store.chain, head, identity),
    }
    unfinished = _unfinished(path)
    try:
        await asyncio.to_thread(unfinished.write_bytes, _line(first))
        reached = 0
        while reached < head.sequence:
            records = await store.read_stored(reached, min(_PAGE, head.sequence - reached))
            await asyncio.to_thread(_add, unfinished, map(_fields, records))
            reached = records[-1].sequence
        await asyncio.to_thread(_finish, unfinished, path)
    except OSError as error:
        raise _unwritten(error) from None
    return head


async def export_records(
    store: SqlCipherEventStore, path: Path, identity: IdentityPort, sequences: Sequence[int]
) -> HeadAnchor:
    """Write some records to `path`, each with the proof that the ledger has it, atomically.

    Returns the number of all records and their root. Raises: ValueError for no records, too many,
    or one that is not there; as `export`.
    """
    chosen = sorted(set(sequences))
    head = await store.tree_head()
    if not 1 <= len(chosen) <= MAX_PROVEN or not 1 <= chosen[0] <= chosen[-1] <= head.sequence:
        raise ValueError(f"an export names 1 to {MAX_PROVEN} records of 1 to {head.sequence}")
    first = {
        "format": FORMAT_OF_PROOFS,
        "proven": len(chosen),
        **await _signed(store.chain, head, identity),
    }
    lines = [first]
    for sequence in chosen:
        record, proof = await store.read_proven(sequence, head.sequence)
        lines.append({**_fields(record), "proof": [node.hex() for node in proof]})
    unfinished = _unfinished(path)
    try:
        await asyncio.to_thread(unfinished.write_bytes, b"")
        await asyncio.to_thread(_add, unfinished, iter(lines))
        await asyncio.to_thread(_finish, unfinished, path)
    except OSError as error:
        raise _unwritten(error) from None
    return head


async def _signed(chain: str, head: HeadAnchor, identity: IdentityPort) -> _Line:
    """Return what a header says of the whole ledger, signed by the member's identity key."""
    public = await identity.public_key()
    # A machine in place of another begins a new ledger: the key tells them apart.
    key = NoteKey(f"quorate/{chain}/{hashlib.sha256(public).hexdigest()[:16]}", public)
    text = Checkpoint(key.name, head.sequence, head.hash).text()
    note = Note(text, (key.signed(await identity.sign(text.encode())),))
    return {
        "chain": chain,
        "records": head.sequence,
        "root": head.hash.hex(),
        "checkpoint": note.encoded().decode(),
        "key": public.hex(),
    }


def _unfinished(path: Path) -> Path:
    """Return where an export is written: two at once do not write into one file."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")


def _unwritten(error: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(f"the export cannot be written: {error.strerror}")


def _add(unfinished: Path, lines: Iterator[_Line]) -> None:
    with unfinished.open("ab") as stream:
        stream.writelines(map(_line, lines))


def _finish(unfinished: Path, path: Path) -> None:
    with unfinished.open("ab") as stream:
        os.fsync(stream.fileno())
    unfinished.replace(path)
    path.with_name(VERIFIER).write_bytes(Path(__file__).with_name("verifier.py").read_bytes())
    sync_folder(path.parent)


def _fields(record: StoredRecord) -> _Line:
    return {
        "sequence": record.sequence,
        "stream": record.stream,
        "version": record.version,
        "name": record.name,
        "recorded_at_ms": record.recorded_at_ms,
        "payload": base64.b64encode(record.payload).decode("ascii"),
        "previous_hash": record.previous_hash.hex(),
        "hash": record.hash.hex(),
    }


def _line(fields: _Line) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"
