"""Reads a stopped member's ledger and shares with its PIN, in a process of its own.

SoftHSM reads where its tokens are once a process, so each member is read by its own. The output
holds secrets: it exists to be compared in a test.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from console.adapters.clock import SystemClock
from console.application.event_codec import encode_event
from console.application.ports.event_store import RecordedEvent
from console.application.shares.key_material_codec import decode_key_material
from console.bootstrap import build_vault, open_member_ledger
from console.domain.ids import member_id
from console.protocols.kernel.secret import SecretBytes
from console.settings import MemberFiles, read_settings


@dataclass(frozen=True)
class Reading:
    """What a member holds: events as (stream, name, fields), shares by wallet."""

    events: tuple[tuple[str, str, dict[str, object]], ...]
    shares: dict[str, tuple[int, bytes]]

    def sessions(self, name: str) -> list[str]:
        """Return the sessions of all events of a name, in order."""
        return [str(fields["session"]) for _, kind, fields in self.events if kind == name]


async def read_member(directory: Path, pin: str) -> Reading:
    """Read a member whose node does not run."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.member_reading",
        str(directory),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(pin.encode())
    assert process.returncode == 0, err.decode()
    told = json.loads(out)
    return Reading(
        tuple((stream, name, fields) for stream, name, fields in told["events"]),
        {w: (index, bytes.fromhex(secret)) for w, (index, secret) in told["shares"].items()},
    )


async def _read(directory: Path, pin: SecretBytes) -> dict[str, object]:
    files = MemberFiles(directory)
    settings = read_settings(files)
    vault = build_vault(files, settings)
    try:
        await vault.unlock(pin)
        me = member_id(settings.member)
        store = await open_member_ledger(files, vault, me, SystemClock())
        try:
            await store.verify()
            events: list[RecordedEvent] = []
            while page := await store.read_all(len(events), 1000):
                events += page
        finally:
            await store.close()
        shares: dict[str, tuple[int, str]] = {}
        for label in await vault.shares.labels():
            share = decode_key_material(await vault.shares.unseal(label)).share
            shares[label.wallet] = (share.index, bytes(share.secret.view()).hex())
    finally:
        await vault.close()
    return {"events": [_told(record) for record in events], "shares": shares}


def _told(record: RecordedEvent) -> tuple[str, str, object]:
    name, data = encode_event(record.event)
    return record.stream, name, json.loads(data)


if __name__ == "__main__":
    told = asyncio.run(_read(Path(sys.argv[1]), SecretBytes(sys.stdin.readline().encode())))
    print(json.dumps(told))
