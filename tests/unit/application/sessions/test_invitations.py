"""Invitations: judged by this member's own clock and facts, answered once."""

import asyncio
from typing import Any

import pytest

from console.application.peers.messages import (
    Ack,
    Begin,
    Invite,
    Ready,
    Refused,
)
from console.application.peers.statements import Withdrawal
from console.application.sessions import host
from console.application.sessions.invitations import MAX_PENDING, MAX_SESSION_MS
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.domain.errors import PolicyViolation
from console.domain.ids import MemberId
from console.domain.member import RecordFork
from console.domain.times import END_OF_TIME_MS, MAX_CLOCK_SKEW_MS
from tests.unit.application.sessions.hosts import SUBJECT, Table, begun, invited, play
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CHIARA,
    CUSTODIANS,
    EVE,
    REQUEST,
    WALLET,
    said,
)


async def lead(table: Table, participants: tuple[MemberId, ...] = CUSTODIANS) -> Any:
    return await table.seats[ANA].host.lead("talk", SUBJECT, participants, 60)


def test_an_invitation_comes_from_who_signed_it() -> None:
    async def scene(table: Table) -> None:
        invitation = await table.sign(ANA, table.invitation())
        reply = await table.seats[BEN].ask(CHIARA, Invite(invitation))
        assert reply == Refused("an invitation comes from the member who signed it")
        onlooker = await table.sign(EVE, table.invitation())
        reply = await table.seats[BEN].ask(EVE, Invite(onlooker))
        assert reply == Refused("a coordinator takes part in its sessions")
        with_eve = await table.sign(EVE, table.invitation(participants=(*CUSTODIANS, EVE)))
        assert isinstance(await table.seats[BEN].ask(EVE, Invite(with_eve)), Ready)

    play(scene)


def test_an_invitation_that_cannot_be_meant_is_refused() -> None:
    async def scene(table: Table) -> None:
        ben, now = table.seats[BEN], table.now_ms
        for changes, words in (
            ({"purpose": "sing"}, "does not know this kind of session"),
            ({"at_ms": now + MAX_CLOCK_SKEW_MS + 1}, "a clock is wrong"),
            ({"at_ms": now - MAX_CLOCK_SKEW_MS - 1}, "a clock is wrong"),
            ({"deadline_ms": now}, "time is over"),
            ({"deadline_ms": now + MAX_SESSION_MS + 1}, "longer than a session takes"),
            ({"deadline_ms": END_OF_TIME_MS - 1}, "longer than a session takes"),
            ({"deadline_ms": 1 << 62}, "signed bytes that are no statement"),
            ({"at_ms": -1}, "signed bytes that are no statement"),
            ({"terms": bytes(32)}, "knows another text"),
            ({"participants": (ANA, CHIARA)}, "this member is not invited"),
            ({"participants": (ANA, BEN, ANA)}, "a member is invited twice"),
        ):
            invitation = await table.sign(ANA, table.invitation(**changes))
            reply = await ben.ask(ANA, Invite(invitation))
            assert isinstance(reply, Refused)
            assert words in reply.reason
        other = await table.sign(ANA, Withdrawal(at_ms=1, request=REQUEST))
        reply = await ben.ask(ANA, Invite(other))
        assert reply == Refused("this statement is no invitation")
        assert ben.kind.steps == []
        latest = await table.sign(ANA, table.invitation(at_ms=now + MAX_CLOCK_SKEW_MS))
        await invited(table, BEN, latest)

    play(scene)


def test_what_the_kind_does_not_admit_is_refused_and_can_be_asked_again() -> None:
    async def scene(table: Table) -> None:
        ben = table.seats[BEN]
        ben.kind.raises["admitted"] = PolicyViolation("not today")
        invitation = await table.sign(ANA, table.invitation())
        assert await ben.ask(ANA, Invite(invitation)) == Refused("not today")
        ben.kind.raises.clear()
        await invited(table, BEN, invitation)

    play(scene)


def test_the_same_invitation_has_the_same_answer() -> None:
    async def scene(table: Table) -> None:
        invitation = await table.sign(ANA, table.invitation())
        assert await invited(table, BEN, invitation) == await invited(table, BEN, invitation)
        assert table.seats[BEN].kind.steps == ["admitted ana"]

    play(scene)


def test_an_older_invitation_ends_no_session() -> None:
    async def scene(table: Table) -> None:
        old = await table.sign(ANA, table.invitation(nonce=b"1" * 32))
        await asyncio.sleep(1)
        await invited(table, BEN, await table.sign(ANA, table.invitation()))
        reply = await table.seats[BEN].ask(ANA, Invite(old))
        assert isinstance(reply, Refused)
        assert "a newer one was answered" in reply.reason
        # About another subject, and from another coordinator, it is another line.
        await invited(table, BEN, await table.sign(ANA, table.invitation(subject="other")))
        await invited(
            table, BEN, await table.sign(CHIARA, table.invitation(at_ms=table.now_ms - 9))
        )

    play(scene)


def test_a_session_that_another_leads_is_not_ended_by_an_invitation() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        await asyncio.sleep(0.1)
        ben = table.seats[BEN]
        (run,) = ben.host.of_subject(SUBJECT)
        rival = await table.sign(CHIARA, table.invitation())
        reply = await ben.ask(CHIARA, Invite(rival))
        assert reply == Refused("a session that ana leads is under way")
        assert not run.ended.is_set()
        # Ana's makes no progress: it ends by itself, and then the way is free.
        await run.ended.wait()
        await invited(table, BEN, rival)

    play(scene)


@pytest.mark.parametrize("forked", [ANA, CHIARA])
def test_nobody_signs_with_a_member_that_shows_two_ledgers(forked: MemberId) -> None:
    async def scene(table: Table) -> None:
        desk = table.seats[BEN].desk
        fork = RecordFork(
            member=forked,
            first=said(forked, b"one"),
            second=said(forked, b"two"),
            at_ms=table.now_ms,
        )
        await desk.aggregates.record_member(forked, fork)
        invitation = await table.sign(ANA, table.invitation())
        reply = await table.seats[BEN].ask(ANA, Invite(invitation))
        assert isinstance(reply, Refused)
        assert f"{forked} signed two different ledgers" in reply.reason
        assert desk.verdicts.banned(WALLET, 0) == {forked}

    play(scene)


def test_one_coordinator_s_unbegun_invitations_give_way_to_its_own() -> None:
    async def scene(table: Table) -> None:
        ben, kept = table.seats[BEN], await table.sign(CHIARA, table.invitation(subject="hers"))
        own = await invited(table, BEN, kept)
        first = await table.sign(ANA, table.invitation(subject="first"))
        dropped = await invited(table, BEN, first)
        for number in range(MAX_PENDING):
            subject = f"subject {number}"
            await invited(table, BEN, await table.sign(ANA, table.invitation(subject=subject)))
        others = [await table.readiness(m, first) for m in (ANA, CHIARA)]
        assert await ben.ask(ANA, Begin(first, (dropped, *others))) == Ack()
        assert not ben.host.sessions
        others = [await table.readiness(m, kept) for m in (ANA, CHIARA)]
        assert await ben.ask(CHIARA, Begin(kept, (own, *others))) == Ack()
        assert len(ben.host.sessions) == 1

    play(scene)


def test_too_many_open_sessions_are_refused_until_their_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "MAX_OPEN_SESSIONS", 8)

    async def scene(table: Table) -> None:
        for number in range(8):
            subject = f"subject {number}"
            await invited(table, BEN, await table.sign(ANA, table.invitation(subject=subject)))
        more = await table.sign(ANA, table.invitation(deadline_ms=table.now_ms + 200_000))
        reply = await table.seats[BEN].ask(ANA, Invite(more))
        assert reply == Refused("too many sessions are open here")
        await asyncio.sleep(61)
        await invited(table, BEN, more)

    play(scene)


def test_a_session_under_way_counts_as_open_and_one_that_ended_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "MAX_OPEN_SESSIONS", 8)

    async def scene(table: Table) -> None:
        await begun(table)
        for number in range(7):
            subject = f"subject {number}"
            await invited(table, BEN, await table.sign(ANA, table.invitation(subject=subject)))
        more = await table.sign(ANA, table.invitation(subject="one more"))
        ben = table.seats[BEN]
        assert await ben.ask(ANA, Invite(more)) == Refused("too many sessions are open here")
        await ben.host.stop_subject(SUBJECT, SessionFailed(FailureKind.CANCELLED, "stop"))
        await invited(table, BEN, more)

    play(scene)


def test_of_two_invitations_of_one_moment_the_first_counts() -> None:
    async def scene(table: Table) -> None:
        first, second = [
            await table.sign(ANA, table.invitation(nonce=n * 32)) for n in (b"1", b"2")
        ]
        await invited(table, BEN, first)
        reply = await table.seats[BEN].ask(ANA, Invite(second))
        assert isinstance(reply, Refused)
        assert "this invitation was used" in reply.reason

    play(scene)


def test_a_new_attempt_ends_the_one_before() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        await asyncio.sleep(0.1)
        run = table.seats[BEN].host.of_subject(SUBJECT)[0]
        await invited(table, BEN, await table.sign(ANA, table.invitation(nonce=b"2" * 32)))
        assert run.ended.is_set()
        assert run.failure is not None
        assert run.failure.failure_kind is FailureKind.CANCELLED

    play(scene)
