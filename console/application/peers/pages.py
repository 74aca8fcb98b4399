"""Pages of signed statements, read from the ledger when a peer asks: none is kept in memory."""

from console.application.peers.messages import MAX_PULLED_STATEMENTS
from console.application.peers.signed_statements import SignedStatement, to_signed
from console.application.peers.statements import Readiness
from console.application.ports.event_store import EventStore
from console.domain.events import Evidence

PAGE_BYTES = 64 * 1024
"""What a page holds at most, or else one statement: a slow line carries it in time."""
MAX_READ = 2048
"""Records read for one page: most hold no statement, and a peer's call must not read them all."""
_AT_ONCE = 128
_READINESS = str(Readiness.__struct_config__.tag)


async def statements_after(
    store: EventStore, sequence: int
) -> tuple[tuple[SignedStatement, ...], int]:
    """Return statements recorded after a record, and up to which record these are all.

    A page without statements may be followed by others; the end is where nothing was read.
    """
    chosen: list[SignedStatement] = []
    upto, size = sequence, 0
    while upto - sequence < MAX_READ:
        records = await store.read_all(upto, _AT_ONCE)
        for record in records:
            evidence = getattr(record.event, "evidence", None)
            if isinstance(evidence, Evidence) and evidence.kind != _READINESS:
                size += len(evidence.body) + 256
                if len(chosen) >= MAX_PULLED_STATEMENTS or (chosen and size > PAGE_BYTES):
                    return tuple(chosen), upto
                chosen.append(to_signed(evidence))
            upto = record.sequence
        if len(records) < _AT_ONCE:
            break
    return tuple(chosen), upto
