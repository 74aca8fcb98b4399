"""StatementExchange: what comes early waits, what comes twice is recorded once."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from console.adapters.bus.in_process import InProcessBus
from console.application.aggregates import Aggregates
from console.application.errors import (
    LedgerRolledBack,
    LedgerUnavailable,
    PeerRefused,
    PeerUnavailable,
    UnknownTransaction,
)
from console.application.peers.exchange import MAX_DEFERRED, StatementExchange
from console.application.peers.heads import Heads
from console.application.peers.messages import (
    MAX_PULLED_STATEMENTS,
    Ack,
    Announce,
    Pull,
    Pulled,
    Refused,
    decode_request,
    encode,
)
from console.application.peers.pages import MAX_READ, PAGE_BYTES
from console.application.peers.signed_statements import (
    SignedStatement,
    StatementRefused,
    Statements,
    Verified,
    to_signed,
    vault_id,
)
from console.application.peers.statements import (
    Readiness,
    RosterDecision,
    Withdrawal,
)
from console.application.shares.share_manager import ShareManager
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import Evidence, RequestWithdrawn, VaultUnlocked
from console.domain.ids import MemberId, RequestId
from console.domain.member import Enrol, Member, RecordHead
from console.domain.times import END_OF_TIME_MS, MAX_CLOCK_SKEW_MS
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.clock import FakeClock
from tests.fakes.event_store import MemoryEventStore
from tests.fakes.network import FakeNetwork, FakePort
from tests.fakes.vault import DEFAULT_PIN, FakeVault

ANA, BEN = MemberId("ana"), MemberId("ben")


class Desk:
    """Ana's exchange with a handler that the test decides about, and Ben's voice."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryEventStore(ANA, self.clock.now_ms)
        self.aggregates = Aggregates(self.store, InProcessBus())
        self.network = FakeNetwork()
        self.recorded: list[Verified] = []
        self.refusal: Exception | None = None
        self.pause_s = 0.0
        self.forked: list[MemberId] = []
        self.spawned: list[asyncio.Task[None]] = []

    async def open(self, enrolled: tuple[MemberId, ...] = (ANA, BEN)) -> "Desk":
        voices = {m: FakeVault(m) for m in (ANA, BEN)}
        members = []
        for name, vault in voices.items():
            await vault.unlock(SecretBytes(DEFAULT_PIN))
            key = await vault.identity.public_key()
            members.append(
                Member(
                    member=name,
                    display_name=name,
                    identity_key=key,
                    tls_pin=name.encode(),
                    address="",
                )
            )
            enrol = Enrol(
                member=name, display_name=name, identity_key=key, tls_pin=name.encode(), address=""
            )
            if name in enrolled:
                await self.aggregates.record_member(name, enrol)
        vault = vault_id(tuple(members))
        self.voice = {m: Statements(m, v.identity, vault) for m, v in voices.items()}
        self.heads = Heads(
            me=ANA,
            aggregates=self.aggregates,
            store=self.store,
            statements=self.voice[ANA],
            clock=self.clock,
            on_fork=self.forked.append,
        )
        self.port = self.network.plug(ANA, (ANA, BEN), self.clock)
        self.exchange = StatementExchange(
            me=ANA,
            statements=self.voice[ANA],
            aggregates=self.aggregates,
            store=self.store,
            network=self.port,
            clock=self.clock,
            spawn=self._spawn,
            heads=self.heads,
            shares=ShareManager(ANA, voices[ANA].shares),
        )
        self.exchange.handle(Withdrawal, self.take)
        return self

    async def said(self, number: int = 0) -> Announce:
        statement = Withdrawal(at_ms=number, request="rq-" + "0" * 16)
        return Announce(to_signed((await self.voice[BEN].sign(statement)).evidence))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.spawned.append(asyncio.create_task(work))

    async def take(self, verified: Verified) -> None:
        await asyncio.sleep(self.pause_s)
        if self.refusal:
            raise self.refusal
        self.recorded.append(verified)


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


async def test_what_comes_too_early_waits_and_is_recorded_later(desk: Desk) -> None:
    desk.refusal = NotYetPossible("first things first")
    # No receipt: its signer may act on what all have, as by destroying a TLS key.
    early = Refused("first things first", later=True)
    assert await desk.exchange.on_announce(await desk.said()) == early
    await desk.exchange.retry_deferred()
    assert desk.recorded == []
    desk.refusal = None
    await desk.exchange.retry_deferred()
    await desk.exchange.retry_deferred()
    assert len(desk.recorded) == 1


async def test_the_same_early_statement_waits_once(desk: Desk) -> None:
    desk.refusal = NotYetPossible("first things first")
    message = await desk.said()
    for _ in range(5):
        await desk.exchange.on_announce(message)
    desk.refusal = None
    await desk.exchange.retry_deferred()
    assert len(desk.recorded) == 1


async def test_two_tasks_may_try_again_at_once(desk: Desk) -> None:
    desk.refusal = NotYetPossible("first things first")
    for number in range(4):
        await desk.exchange.on_announce(await desk.said(number))
    desk.refusal, desk.pause_s = None, 0.001
    await asyncio.gather(*(desk.exchange.retry_deferred() for _ in range(3)))
    assert sorted(v.statement.at_ms for v in desk.recorded) == [0, 1, 2, 3]


async def test_one_signer_s_waiting_statements_are_bounded_and_crowd_out_nobody_else(
    desk: Desk,
) -> None:
    desk.refusal = NotYetPossible("first things first")
    other = await desk.voice[ANA].sign(Withdrawal(at_ms=0, request="rq-" + "0" * 16))
    await desk.exchange.on_announce(Announce(to_signed(other.evidence)))
    for number in range(MAX_DEFERRED + 3):
        await desk.exchange.on_announce(await desk.said(number))
    assert desk.exchange.deferred == MAX_DEFERRED + 1
    desk.refusal = None
    await desk.exchange.retry_deferred()
    assert len(desk.recorded) == MAX_DEFERRED + 1
    assert desk.recorded[0].signer == ANA


async def test_a_statement_from_the_future_waits_until_its_time(desk: Desk) -> None:
    latest = desk.clock.now_ms() + MAX_CLOCK_SKEW_MS
    assert await desk.exchange.on_announce(await desk.said(latest)) == Ack()
    early = Refused("a statement from the future: a clock is wrong", later=True)
    assert await desk.exchange.on_announce(await desk.said(latest + 1)) == early
    assert [v.statement.at_ms for v in desk.recorded] == [latest]
    desk.clock.advance(0.001)
    await desk.exchange.retry_deferred()
    assert [v.statement.at_ms for v in desk.recorded] == [latest, latest + 1]


@pytest.mark.parametrize("at_ms", [-1, END_OF_TIME_MS, 1 << 63])
async def test_a_time_that_is_none_is_no_statement(desk: Desk, at_ms: int) -> None:
    with pytest.raises(StatementRefused):
        await desk.exchange.on_announce(await desk.said(at_ms))


@pytest.mark.parametrize(
    "refusal", [Conflict("no"), UnknownTransaction("no")], ids=lambda e: type(e).__name__
)
async def test_a_refusal_is_told_and_ends_the_matter(desk: Desk, refusal: Exception) -> None:
    desk.refusal = refusal
    assert await desk.exchange.on_announce(await desk.said()) == Refused("no")
    desk.refusal = NotYetPossible("wait")
    await desk.exchange.on_announce(await desk.said())
    desk.refusal = refusal
    await desk.exchange.retry_deferred()
    desk.refusal = None
    await desk.exchange.retry_deferred()
    assert desk.recorded == []


class Unforeseen(Exception):
    """What no code of ours expects."""


async def test_what_nobody_expected_is_a_refusal_and_the_cursor_moves_on(desk: Desk) -> None:
    signed = [(await desk.said(number)).statement for number in range(3)]
    honest = desk.exchange

    async def odd(verified: Verified) -> None:
        if verified.statement.at_ms == 1:
            raise Unforeseen("with a secret that must not be quoted")
        desk.recorded.append(verified)

    honest.handle(Withdrawal, odd)
    reply = await honest.on_announce(Announce(signed[1]))
    assert isinstance(reply, Refused)
    assert "Unforeseen" in reply.reason
    assert "secret" not in reply.reason
    asked = answering(
        desk,
        lambda r: Pulled(statements=tuple(signed[r.after :]), upto=len(signed), your_head=None),
    )
    await honest.catch_up(BEN)
    await honest.catch_up(BEN)
    assert asked == [0, 3, 3]
    assert [v.statement.at_ms for v in desk.recorded] == [0, 2]


async def test_a_machine_that_waits_to_be_endorsed_ignores_receipts_in_its_name(
    desk: Desk,
) -> None:
    """Nobody's roster has it yet, its own neither: a founder's answer must not end its pulls."""
    receipt = to_signed((await desk.voice[ANA].sign(readiness(7))).evidence)
    joining = Desk()
    await joining.open(enrolled=(BEN,))
    answering(joining, lambda r: Pulled(statements=(), upto=r.after, your_head=receipt))
    await joining.exchange.catch_up(BEN)
    assert (await joining.store.head()).sequence == 1


async def test_a_member_without_a_link_is_passed_over(desk: Desk) -> None:
    """Enrolled, with a certificate that no link takes."""
    eve = MemberId("eve")
    enrol = Enrol(member=eve, display_name="Eve", identity_key=b"k", tls_pin=b"p", address="")
    await desk.aggregates.record_member(eve, enrol)
    with pytest.raises(PeerUnavailable):
        await desk.exchange.catch_up(eve)


async def test_who_has_left_only_decides_about_its_leaving(desk: Desk) -> None:
    """Of two decisions with one number the same one counts, whichever a ledger hears of first."""
    desk.exchange.handle(RosterDecision, desk.take)
    desk.aggregates.former[BEN] = desk.aggregates.members.pop(BEN)
    with pytest.raises(UnknownMember, match="ben has left the vault"):
        await desk.exchange.on_announce(await desk.said())
    other = RosterDecision(
        at_ms=0, number=1, prior=bytes(32), retires=(), electors=(ANA, BEN), certified=()
    )
    signed = to_signed((await desk.voice[BEN].sign(other)).evidence)
    assert await desk.exchange.on_announce(Announce(signed)) == Ack()
    assert [v.statement for v in desk.recorded] == [other]


async def test_what_waits_counts_only_while_its_signer_s_machine_does(desk: Desk) -> None:
    """A thief could have a machine sign for later, and let it be replaced."""
    desk.refusal = NotYetPossible("first things first")
    for number in range(2):
        await desk.exchange.on_announce(await desk.said(number))
        known = desk.aggregates.members.pop(BEN)
        group = desk.aggregates.former if number else desk.aggregates.members
        group[BEN] = known if number else replace(known, identity_key=b"\x04" + bytes(64))
        desk.refusal = None
        await desk.exchange.retry_deferred()
        assert desk.recorded == []
        desk.aggregates.members[BEN] = known
        desk.aggregates.former.clear()
        desk.refusal = NotYetPossible("first things first")


async def test_our_own_trouble_is_no_refusal(desk: Desk) -> None:
    desk.refusal = LedgerUnavailable("disk full")
    with pytest.raises(LedgerUnavailable):
        await desk.exchange.on_announce(await desk.said())


def answering(desk: Desk, answer: Callable[[Pull], Pulled | Refused]) -> list[int]:
    """Let Ben answer pulls; return where they began."""
    asked: list[int] = []

    async def handler(_peer: MemberId, data: bytes) -> bytes:
        request = decode_request(data)
        assert isinstance(request, Pull)
        asked.append(request.after)
        return encode(answer(request))

    desk.network.attach(BEN, handler)
    return asked


async def test_catching_up_goes_on_until_there_is_nothing_new(desk: Desk) -> None:
    signed = [(await desk.said(number)).statement for number in range(5)]

    def answer(request: Pull) -> Pulled:
        upto = min(request.after + 2, len(signed))
        return Pulled(statements=tuple(signed[request.after : upto]), upto=upto, your_head=None)

    asked = answering(desk, answer)
    await desk.exchange.catch_up(BEN)
    assert asked == [0, 2, 4, 5]
    assert [v.statement.at_ms for v in desk.recorded] == [0, 1, 2, 3, 4]
    await desk.exchange.catch_up(BEN)
    assert asked[4:] == [5]


async def test_a_machine_in_place_of_another_is_read_from_its_first_statement(desk: Desk) -> None:
    asked = answering(desk, lambda r: Pulled(statements=(), upto=max(r.after, 7), your_head=None))
    await desk.exchange.catch_up(BEN)
    assert asked == [0, 7]
    known = desk.aggregates.members[BEN]
    desk.aggregates.members[BEN] = replace(known, identity_key=b"\x04" + bytes(64))
    await desk.exchange.catch_up(BEN)
    assert asked[2:] == [0, 7]


async def test_a_page_is_small_enough_for_a_slow_line(desk: Desk) -> None:
    withdrawn = [withdrawal_of(20_000)] * 20 + [withdrawal_of(200_000)]
    await desk.store.append("signing-request/rq-1", 0, withdrawn)
    end = (await desk.store.head()).sequence
    after, counts = 0, []
    while after < end:
        page = await desk.exchange.on_pull(BEN, Pull(after))
        assert isinstance(page, Pulled)
        assert len(page.statements) == 1 or len(encode(page)) <= PAGE_BYTES
        counts.append(len(page.statements))
        after = page.upto
    assert sum(counts) == 21


async def test_a_page_is_read_from_a_bounded_part_of_the_ledger(desk: Desk) -> None:
    """Most records hold no statement: a peer goes on asking from where the page ends."""
    start = (await desk.store.head()).sequence
    unlocked = [VaultUnlocked(ANA, number, 0) for number in range(MAX_READ + 100)]
    await desk.store.append("member/ana", start - 1, unlocked)
    await desk.store.append("signing-request/rq-1", 0, [withdrawal_of(10)])
    first = await desk.exchange.on_pull(BEN, Pull(start))
    assert isinstance(first, Pulled)
    assert (first.statements, first.upto) == ((), start + MAX_READ)
    second = await desk.exchange.on_pull(BEN, Pull(first.upto))
    assert isinstance(second, Pulled)
    assert len(second.statements) == 1
    third = await desk.exchange.on_pull(BEN, Pull(second.upto))
    assert isinstance(third, Pulled)
    assert (third.statements, third.upto) == ((), second.upto)


def withdrawal_of(size: int) -> RequestWithdrawn:
    said = Evidence(kind="withdrawal", body=bytes(size), signer=BEN, signature=bytes(64))
    return RequestWithdrawn(request=RequestId("rq-1"), member=BEN, at_ms=1, evidence=said)


async def test_a_pull_that_took_too_long_may_take_longer_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed_s: list[float] = []
    reply = encode(Pulled(statements=(), upto=0, your_head=None))

    async def call(_port: FakePort, _peer: MemberId, _message: bytes, timeout_s: float) -> bytes:
        allowed_s.append(timeout_s)
        desk.clock.advance(min(timeout_s, 7.0))
        if timeout_s < 7.0:
            raise PeerUnavailable("ben does not answer")
        return reply

    monkeypatch.setattr(FakePort, "call", call)
    for _ in range(2):
        with pytest.raises(PeerUnavailable):
            await desk.exchange.catch_up(BEN)
    await desk.exchange.catch_up(BEN)
    await desk.exchange.catch_up(BEN)
    assert allowed_s == [2.5, 5.0, 10.0, 10.0]


async def test_a_peer_that_is_slow_delays_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = MemberId("eve")
    enrol = Enrol(member=eve, display_name="Eve", identity_key=b"k", tls_pin=b"p", address="")
    await desk.aggregates.record_member(eve, enrol)
    asked: list[MemberId] = []
    enough = asyncio.Event()

    async def call(_port: FakePort, peer: MemberId, _message: bytes, _timeout_s: float) -> bytes:
        asked.append(peer)
        if asked.count(eve) == 3:
            enough.set()
        if peer == BEN:
            await asyncio.Event().wait()
        return encode(Pulled(statements=(), upto=0, your_head=None))

    monkeypatch.setattr(FakePort, "call", call)
    async with asyncio.timeout(30):
        keeping = asyncio.create_task(desk.exchange.keep_up(0))
        await enough.wait()
    for task in (keeping, *desk.spawned):
        task.cancel()
    assert asked.count(BEN) == 1


async def test_a_peer_that_does_not_answer_a_pull_is_refused(desk: Desk) -> None:
    answering(desk, lambda _request: Refused("no"))
    with pytest.raises(PeerRefused):
        await desk.exchange.catch_up(BEN)


async def test_more_statements_than_agreed_are_not_taken(desk: Desk) -> None:
    signed = (await desk.said()).statement
    answering(
        desk,
        lambda r: Pulled(
            statements=(signed,) * (MAX_PULLED_STATEMENTS + 50), upto=r.after, your_head=None
        ),
    )
    await desk.exchange.catch_up(BEN)
    assert len(desk.recorded) == MAX_PULLED_STATEMENTS


def readiness(sequence: int) -> Readiness:
    return Readiness(
        at_ms=1,
        invitation=bytes(32),
        nonce=bytes(32),
        channel_key=bytes(32),
        head_sequence=sequence,
        head_hash=bytes(32),
    )


async def test_a_peer_gets_its_newest_receipt_and_never_as_a_statement(desk: Desk) -> None:
    for sequence in (4, 9):
        verified = await desk.voice[BEN].sign(readiness(sequence))
        head = RecordHead(
            member=BEN,
            sequence=sequence,
            hash=bytes(32),
            signed_at_ms=sequence,
            evidence=verified.evidence,
        )
        await desk.aggregates.record_member(BEN, head)
    reply = await desk.exchange.on_pull(BEN, Pull(0))
    assert isinstance(reply, Pulled)
    assert reply.statements == ()
    assert reply.your_head == to_signed(verified.evidence)
    assert reply.upto == (await desk.store.head()).sequence


async def test_only_a_receipt_of_our_own_counts(desk: Desk) -> None:
    """One that says what this ledger does not hold stops this node."""
    mine = to_signed((await desk.voice[ANA].sign(readiness(7))).evidence)
    theirs = to_signed((await desk.voice[BEN].sign(readiness(8))).evidence)
    forged = type(mine)(theirs.body, ANA, theirs.signature)
    for receipt in (theirs, forged, None):
        answering(
            desk, lambda r, receipt=receipt: Pulled(statements=(), upto=r.after, your_head=receipt)
        )
        await desk.exchange.catch_up(BEN)
    answering(desk, lambda r: Pulled(statements=(), upto=r.after, your_head=mine))
    with pytest.raises(LedgerRolledBack, match="record 7"):
        await desk.exchange.catch_up(BEN)
    answering(desk, lambda r: Pulled(statements=(), upto=r.after, your_head=None, heads=(mine,)))
    with pytest.raises(LedgerRolledBack, match="record 7"):
        await desk.exchange.catch_up(BEN)


async def test_heads_go_with_every_pull_and_its_answer(desk: Desk) -> None:
    """Our own only once a peer was asked: it may know that this ledger was rolled back."""
    theirs = to_signed((await desk.voice[BEN].sign(readiness(8))).evidence)
    asked: list[SignedStatement | None] = []

    async def handler(_peer: MemberId, data: bytes) -> bytes:
        request = decode_request(data)
        assert isinstance(request, Pull)
        asked.append(request.head)
        return encode(Pulled(statements=(), upto=request.after, your_head=None, heads=(theirs,)))

    desk.network.attach(BEN, handler)
    early = await desk.exchange.on_pull(BEN, Pull(0))
    await desk.exchange.catch_up(BEN)
    await desk.exchange.catch_up(BEN)
    late = await desk.exchange.on_pull(BEN, Pull(0))
    assert isinstance(early, Pulled)
    assert isinstance(late, Pulled)
    own = await desk.heads.own()
    assert own is not None
    assert asked == [None, own]
    assert (early.heads, late.heads) == ((), (theirs, own))
    assert late.your_head == theirs


async def test_a_bad_head_ends_no_pull(desk: Desk) -> None:
    signed = (await desk.said()).statement
    bad = [
        signed,
        SignedStatement(b"no statement", BEN, bytes(64)),
        SignedStatement(b"no statement", "nobody", bytes(64)),
    ]
    answering(
        desk, lambda r: Pulled(statements=(signed,), upto=1, your_head=None, heads=tuple(bad))
    )
    await desk.exchange.catch_up(BEN)
    assert desk.recorded
    assert isinstance(await desk.exchange.on_pull(BEN, Pull(0, bad[1])), Pulled)


async def test_a_peer_that_answers_while_it_is_locked_is_known_as_locked(desk: Desk) -> None:
    said: list[Pulled | Refused] = [Refused("this member's vault is locked", later=True)]
    answering(desk, lambda _request: said[0])
    assert desk.exchange.locked == frozenset()
    with pytest.raises(PeerRefused):
        await desk.exchange.catch_up(BEN)
    assert desk.exchange.locked == {BEN}
    said[0] = Pulled(statements=(), upto=0, your_head=None)
    await desk.exchange.catch_up(BEN)
    assert desk.exchange.locked == frozenset()


async def test_a_peer_that_pulls_is_unlocked(desk: Desk) -> None:
    answering(desk, lambda _request: Refused("locked", later=True))
    with pytest.raises(PeerRefused):
        await desk.exchange.catch_up(BEN)
    await desk.exchange.on_pull(BEN, Pull(0))
    assert desk.exchange.locked == frozenset()


async def test_another_refusal_of_a_pull_is_no_lock(desk: Desk) -> None:
    answering(desk, lambda _request: Refused("no"))
    with pytest.raises(PeerRefused):
        await desk.exchange.catch_up(BEN)
    assert desk.exchange.locked == frozenset()


async def test_nothing_new_is_promised_of_a_ledger_that_has_failed(desk: Desk) -> None:
    """What such a ledger ends with may not be on the disk tomorrow."""
    desk.heads.checked()
    promised = await desk.heads.own()
    assert promised is not None
    await desk.store.append("member/ana", 1, [VaultUnlocked(ANA, 1, 0)])
    desk.store.read_only = True
    assert await desk.heads.own() == promised
    desk.store.read_only = False
    assert await desk.heads.own() != promised
