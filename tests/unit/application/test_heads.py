"""Ledger heads: a member that shows two ledgers is found out, and the proof is kept."""

import pytest

from console.application.peers.heads import MAX_KEPT
from console.application.peers.signed_statements import SignedStatement, to_signed
from console.application.peers.statements import AnyStatement, LedgerHead, Readiness
from console.domain.errors import Conflict
from console.domain.ids import MemberId
from tests.unit.application.test_exchange import ANA, BEN, Desk, readiness

A, B = bytes(32), b"b" * 32


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


async def signed(desk: Desk, statement: AnyStatement, by: MemberId = BEN) -> SignedStatement:
    return to_signed((await desk.voice[by].sign(statement)).evidence)


def head(sequence: int, digest: bytes = A, at_ms: int = 1) -> LedgerHead:
    return LedgerHead(at_ms=at_ms, sequence=sequence, hash=digest)


async def test_the_newest_head_of_a_member_is_passed_on(desk: Desk) -> None:
    told = {sequence: await signed(desk, head(sequence)) for sequence in (4, 9, 7)}
    for each in told.values():
        await desk.heads.take(each)
    assert desk.heads.known() == (told[9],)
    assert desk.heads.newest_of(BEN) == told[9]


async def test_two_heads_with_one_number_are_kept_as_proof(desk: Desk) -> None:
    first, second = await signed(desk, head(4)), await signed(desk, head(4, B))
    await desk.heads.take(first)
    with pytest.raises(Conflict, match="two different ledger heads"):
        await desk.heads.take(second)
    fork = desk.aggregates.members[BEN].forked
    assert fork is not None
    assert (to_signed(fork.first), to_signed(fork.second)) == (first, second)
    assert desk.forked == [BEN]
    # Others are told both, whatever comes later, and it is recorded once.
    await desk.heads.take(await signed(desk, head(5)))
    with pytest.raises(Conflict):
        await desk.heads.take(await signed(desk, head(4, b"c" * 32)))
    assert desk.heads.known() == (first, second)
    assert desk.forked == [BEN]


async def test_a_head_of_a_session_counts_as_any_other(desk: Desk) -> None:
    ready: Readiness = readiness(4)
    await desk.heads.saw(await desk.voice[BEN].sign(ready))
    with pytest.raises(Conflict):
        await desk.heads.take(await signed(desk, head(4, B)))
    assert desk.forked == [BEN]


async def test_a_session_with_another_head_than_was_passed_on_is_refused(desk: Desk) -> None:
    await desk.heads.take(await signed(desk, head(4, B)))
    with pytest.raises(Conflict, match="two different ledger heads"):
        await desk.heads.saw(await desk.voice[BEN].sign(readiness(4)))
    assert desk.aggregates.members[BEN].forked is not None


async def test_the_same_head_signed_twice_is_no_fork(desk: Desk) -> None:
    await desk.heads.take(await signed(desk, head(4)))
    await desk.heads.take(await signed(desk, head(4, at_ms=2)))
    await desk.heads.take(await signed(desk, head(4)))
    assert desk.forked == []


async def test_the_heads_that_are_kept_are_bounded(desk: Desk) -> None:
    for sequence in range(MAX_KEPT + 1):
        await desk.heads.take(await signed(desk, head(sequence)))
    # The oldest was forgotten: it is compared with nothing any more.
    await desk.heads.take(await signed(desk, head(0, B)))
    with pytest.raises(Conflict):
        await desk.heads.take(await signed(desk, head(MAX_KEPT, B)))


async def test_our_head_is_signed_once_for_each_record(desk: Desk) -> None:
    assert await desk.heads.own() is None
    desk.heads.checked()
    own = await desk.heads.own()
    assert own is not None
    assert await desk.heads.own() == own
    await desk.heads.saw(await desk.voice[BEN].sign(readiness(4)))
    assert await desk.heads.own() != own
    assert own.signer == ANA


async def test_a_fork_outlives_a_restart(desk: Desk) -> None:
    await desk.heads.take(await signed(desk, head(4)))
    with pytest.raises(Conflict):
        await desk.heads.take(await signed(desk, head(4, B)))
    await desk.aggregates.load()
    assert desk.aggregates.members[BEN].forked is not None
