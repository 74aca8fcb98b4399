"""EventStore: what every ledger promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.adapters.ledger import open_ledger
from console.application.errors import ConcurrencyConflict, LedgerClockBehind, LedgerUnavailable
from console.application.ports.event_store import EventStore
from console.application.ports.vault import HeadAnchor
from console.domain.events import ClockAccepted, Event, Evidence, RequestWithdrawn, VaultUnlocked
from console.domain.ids import RequestId
from console.protocols.kernel.secret import SecretBytes
from tests.contract.vaults import ALICE, Clock
from tests.fakes.event_store import MemoryEventStore
from tests.fakes.growing_tree import Growing
from tests.fakes.vault import FakeAnchor

EVENTS: tuple[Event, ...] = (
    VaultUnlocked(ALICE, 5, 0),
    RequestWithdrawn(
        request=RequestId("rq-1"),
        member=ALICE,
        at_ms=6,
        evidence=Evidence(kind="k", body=b"\0\xff", signer=ALICE, signature=b"s" * 64),
    ),
    VaultUnlocked(ALICE, 7, 2),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def anchor() -> FakeAnchor:
    return FakeAnchor()


@pytest.fixture(params=["sqlcipher", "memory"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, anchor: FakeAnchor
) -> AsyncIterator[EventStore]:
    store: EventStore
    if request.param == "sqlcipher":
        store = await open_ledger(
            tmp_path / "ledger.db", SecretBytes(b"k" * 32), anchor, ALICE, clock
        )
    else:
        store = MemoryEventStore(ALICE, clock, anchor)
    yield store
    await store.close()


async def test_an_empty_ledger_has_the_zero_head(store: EventStore) -> None:
    assert await store.head() == HeadAnchor(0, bytes(32))
    assert await store.read_all() == ()
    assert await store.read_stream("request/rq-1") == ()


async def test_appended_events_come_back_in_place(store: EventStore, clock: Clock) -> None:
    written = await store.append("a", 0, EVENTS[:2])
    clock.advance(1)
    written += await store.append("b", 0, EVENTS[2:])
    assert [record.sequence for record in written] == [1, 2, 3]
    assert [record.version for record in written] == [1, 2, 1]
    assert [record.stream for record in written] == ["a", "a", "b"]
    assert [record.event for record in written] == list(EVENTS)
    assert written[0].recorded_at_ms == written[2].recorded_at_ms - 1000
    assert await store.read_stream("a") == written[:2]
    assert await store.read_all() == written


async def test_records_are_chained(store: EventStore) -> None:
    first, second, third = await store.append("a", 0, EVENTS)
    assert first.previous_hash == bytes(32)
    assert second.previous_hash == first.hash
    assert third.previous_hash == second.hash
    assert len({first.hash, second.hash, third.hash}) == 3


async def test_the_head_is_the_root_over_all_records(store: EventStore) -> None:
    heads = [await store.head()]
    tree = Growing()
    for version in range(9):
        (record,) = await store.append("a", version, EVENTS[:1])
        tree.add(record.hash)
        heads.append(await store.head())
        assert heads[-1] == HeadAnchor(version + 1, tree.frontier.root)
    for head in heads:
        assert await store.contains(head)
        assert not await store.contains(HeadAnchor(head.sequence, b"x" * 32))
    assert not await store.contains(HeadAnchor(10, heads[-1].hash))
    assert not await store.contains(HeadAnchor(-1, bytes(32)))


async def test_the_anchor_is_at_the_head_when_append_returns(
    store: EventStore, anchor: FakeAnchor
) -> None:
    for version in range(3):
        await store.append("a", version, EVENTS[:1])
        assert anchor.head == await store.head()


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_a_stream_that_moved_on_is_a_conflict(store: EventStore, expected: int) -> None:
    await store.append("a", 0, EVENTS[:2])
    before = await store.head()
    with pytest.raises(ConcurrencyConflict):
        await store.append("a", expected, EVENTS[2:])
    assert await store.head() == before
    await store.append("a", 2, EVENTS[2:])


async def test_no_events_change_nothing(store: EventStore) -> None:
    assert await store.append("a", 0, ()) == ()
    assert await store.head() == HeadAnchor(0, bytes(32))


async def test_pages_are_read_in_order(store: EventStore) -> None:
    for version in range(7):
        await store.append("a", version, EVENTS[:1])
    assert [r.sequence for r in await store.read_all(limit=3)] == [1, 2, 3]
    assert [r.sequence for r in await store.read_all(after=5, limit=3)] == [6, 7]
    assert await store.read_all(after=7) == ()


async def test_verify_reports_and_tells_its_progress(store: EventStore, anchor: FakeAnchor) -> None:
    await store.append("a", 0, EVENTS)
    seen: list[tuple[int, int]] = []
    report = await store.verify(lambda done, total: seen.append((done, total)))
    assert report.head == await store.head()
    assert report.anchored == anchor.head
    assert report.records == 3
    assert seen[-1] == (3, 3)


async def test_a_clock_far_behind_is_refused(store: EventStore, clock: Clock) -> None:
    await store.append("a", 0, EVENTS[:1])
    clock.advance(-299)
    await store.append("a", 1, EVENTS[:1])
    clock.advance(-2)
    with pytest.raises(LedgerUnavailable, match="clock"):
        await store.append("a", 2, EVENTS[:1])
    clock.advance(2)
    await store.append("a", 2, EVENTS[:1])


async def test_a_clock_that_was_ahead_is_left_behind_on_record(
    store: EventStore, clock: Clock
) -> None:
    await store.append("a", 0, EVENTS[:1])
    clock.advance(-86_400)
    with pytest.raises(LedgerClockBehind, match="clock is"):
        await store.append("a", 1, EVENTS[:1])
    await store.append("member/alice", 0, (ClockAccepted(ALICE, clock()),))
    await store.append("a", 1, EVENTS[:1])
    # What came since is what counts.
    clock.advance(-301)
    with pytest.raises(LedgerClockBehind):
        await store.append("a", 2, EVENTS[:1])
    report = await store.verify()
    assert report.records == 3


async def test_a_closed_ledger_refuses(store: EventStore) -> None:
    await store.close()
    with pytest.raises(LedgerUnavailable):
        await store.append("a", 0, EVENTS)
    with pytest.raises(LedgerUnavailable):
        await store.read_all()
