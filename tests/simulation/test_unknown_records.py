"""The ledger fails while a sealed share is recorded: whether it is on record is not known then."""

import asyncio
from collections.abc import Sequence

import pytest

from console.application.errors import LedgerUnavailable
from console.application.ports.event_store import RecordedEvent
from console.domain.events import CeremonyShareSealed, Event
from console.domain.ids import MemberId
from tests.fakes.clock import run_in_virtual_time
from tests.simulation.cluster import MEMBERS, Seat, SimulatedCluster
from tests.simulation.operators import Operators

ANA, BEN, CHIARA = MEMBERS


def fail_at_sealing(seat: Seat, *, durable: bool) -> None:
    """Make the ledger of the present process fail at the event of a sealed share."""
    store = seat.store
    assert store is not None
    append = store.append

    async def failing(
        stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        if not any(isinstance(event, CeremonyShareSealed) for event in events):
            return await append(stream, expected_version, events)
        if durable:
            await append(stream, expected_version, events)
        store.read_only = True
        raise LedgerUnavailable("the token did not take the new head")

    store.append = failing  # type: ignore[method-assign]


def on_record(cluster: SimulatedCluster, member: MemberId) -> bool:
    records = cluster.seats[member].ledger.records
    return any(isinstance(record.event, CeremonyShareSealed) for record in records)


@pytest.mark.parametrize("durable", [True, False])
def test_a_share_on_record_is_there_and_one_that_is_not_is_made_again(*, durable: bool) -> None:
    async def scene() -> None:
        cluster = SimulatedCluster(7)
        await cluster.start()
        operators = Operators(cluster)
        fail_at_sealing(cluster.seats[CHIARA], durable=durable)
        try:
            ceremony = await operators.propose(ANA, "Treasury")
            await asyncio.gather(*(operators.accept(m, ceremony) for m in MEMBERS))
            store = cluster.seats[CHIARA].store
            await cluster.until("the ledger fails", lambda: store.read_only or None)
            await asyncio.sleep(5)
            assert on_record(cluster, CHIARA) is durable
            # Nothing is erased before it is on record why.
            assert cluster.seats[CHIARA].token.shares.records
            cluster.crash(CHIARA)
            await cluster.restart(CHIARA)
            await operators.certify(ceremony, MEMBERS)
        finally:
            await cluster.stop()

    run_in_virtual_time(scene())
