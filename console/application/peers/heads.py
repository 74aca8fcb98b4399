"""Ledger heads: what members sign about the newest record of their ledgers."""

from console.application.aggregates import Aggregates
from console.application.errors import LedgerRolledBack
from console.application.peers.signed_statements import Verified
from console.application.peers.statements import Readiness
from console.application.ports.event_store import EventStore
from console.domain import member


class Heads:
    """Records peers' heads, and compares this ledger with heads that it signed earlier."""

    def __init__(self, aggregates: Aggregates, store: EventStore) -> None:
        self._aggregates = aggregates
        self._store = store

    async def saw(self, verified: Verified) -> None:
        """Record a peer's head; one that went backwards is refused. Raises: Conflict."""
        statement = verified.expect(Readiness)
        command = member.RecordHead(
            member=verified.signer,
            sequence=statement.head_sequence,
            hash=statement.head_hash,
            signed_at_ms=statement.at_ms,
            evidence=verified.evidence,
        )
        await self._aggregates.record_member(verified.signer, command)

    async def own_head_seen(self, receipt: Readiness) -> None:
        """Compare our ledger with a head that we signed for a peer earlier.

        Raises: LedgerRolledBack.
        """
        if receipt.head_sequence == 0:
            return
        records = await self._store.read_all(receipt.head_sequence - 1, 1)
        if not records or records[0].hash != receipt.head_hash:
            raise LedgerRolledBack(
                f"a peer holds our signed receipt for record {receipt.head_sequence}, which this "
                "ledger does not contain"
            )
