"""Exports: a ledger as lines of JSON that anyone can verify without this program or any key."""

import asyncio
import base64
import json
import os
from pathlib import Path

from console.adapters.ledger.chain import GENESIS, StoredRecord
from console.adapters.ledger.store import SqlCipherEventStore
from console.adapters.ledger.verifier import FORMAT, verify_export
from console.application.errors import LedgerUnavailable
from console.application.ports.vault import HeadAnchor
from console.sealing.sealed_record import sync_folder

__all__ = ["export", "verify_export"]

_PAGE = 1000


async def export(store: SqlCipherEventStore, path: Path) -> HeadAnchor:
    """Write all records up to the newest to `path`, atomically; return their number and root.

    Raises: LedgerCorrupted, LedgerUnavailable.
    """
    head = await store.tree_head()
    newest = await store.read_stored(head.sequence - 1, 1) if head.sequence else ()
    first: dict[str, int | str] = {
        "format": FORMAT,
        "chain": store.chain,
        "records": head.sequence,
        "head": (newest[0].hash if newest else GENESIS).hex(),
        "root": head.hash.hex(),
    }
    unfinished = path.with_name(path.name + ".part")
    try:
        await asyncio.to_thread(unfinished.write_bytes, _line(first))
        reached = 0
        while reached < head.sequence:
            records = await store.read_stored(reached, min(_PAGE, head.sequence - reached))
            await asyncio.to_thread(_add, unfinished, records)
            reached = records[-1].sequence
        await asyncio.to_thread(_finish, unfinished, path)
    except OSError as error:
        raise LedgerUnavailable(f"the export cannot be written: {error.strerror}") from None
    return head


def _add(unfinished: Path, records: tuple[StoredRecord, ...]) -> None:
    with unfinished.open("ab") as stream:
        stream.writelines(_line(_fields(record)) for record in records)


def _finish(unfinished: Path, path: Path) -> None:
    with unfinished.open("ab") as stream:
        os.fsync(stream.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def _fields(record: StoredRecord) -> dict[str, int | str]:
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


def _line(fields: dict[str, int | str]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"
