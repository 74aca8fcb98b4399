"""Bringing members together: a coordinator is trusted with nothing but to try."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from console.application.peers.messages import (
    Ack,
    Begin,
    Invite,
    Ready,
    Refused,
    SessionMessage,
    decode_request,
    encode,
)
from console.application.peers.signed_statements import SignedStatement, StatementRefused
from console.application.peers.statements import Withdrawal
from console.application.sessions.host import envelope_signer
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.domain.errors import NotYetPossible, PolicyViolation
from console.domain.ids import MemberId
from console.protocols.kernel.session import decode_envelope
from tests.unit.application.sessions.hosts import SUBJECT, Table, begun, invited, play
from tests.unit.domain.facts import ANA, BEN, CHIARA, CUSTODIANS, EVE, REQUEST


async def lead(table: Table, participants: tuple[MemberId, ...] = CUSTODIANS) -> Any:
    return await table.seats[ANA].host.lead("talk", SUBJECT, participants, 60)


async def failed_lead(table: Table) -> SessionFailed:
    with pytest.raises(SessionFailed) as failed:
        await lead(table)
    return failed.value


def test_everybody_admits_sees_all_heads_and_only_then_opens() -> None:
    async def scene(table: Table) -> None:
        assert await lead(table) == [b"word 2", b"word 3"]
        await asyncio.sleep(5)
        for member, seat in table.seats.items():
            assert seat.kind.steps == [
                "admitted ana",
                "admitted ana",
                "opened",
                "releasing",
                "closed",
                "succeeded",
            ]
            assert set(seat.heads) == set(CUSTODIANS) - {member}
            assert {p for p in seat.points if p.startswith("talk:")} == {
                "talk:1",
                "talk:2",
                "talk:3",
            }
        names = {name for seat in table.seats.values() for name in seat.host.sessions}
        assert len(names) == 1
        runs = [run for seat in table.seats.values() for run in seat.host.of_subject(SUBJECT)]
        assert [run.info.coordinator for run in runs] == [ANA] * 3

    play(scene)


def test_an_invitation_says_until_when() -> None:
    async def scene(table: Table) -> None:
        begun = table.now_ms
        await lead(table)
        (run,) = table.seats[BEN].host.of_subject(SUBJECT)
        assert run.info.deadline_ms == begun + 60_000

    play(scene)


def test_a_session_is_named_by_the_invitation_and_everybody_s_readiness() -> None:
    async def scene(table: Table) -> None:
        begin = await begun(table)
        digest = hashlib.sha256(b"quorate/session/v1")
        digest.update(hashlib.sha256(begin.invitation.body).digest())
        for signed in sorted(begin.ready, key=lambda signed: signed.signer):
            name = signed.signer.encode()
            digest.update(len(name).to_bytes(2, "big") + name)
            digest.update(hashlib.sha256(signed.body).digest())
        assert list(table.seats[BEN].host.sessions) == [digest.hexdigest()]

    play(scene)


def test_two_sessions_never_share_a_name() -> None:
    async def scene(table: Table) -> None:
        await lead(table)
        await asyncio.sleep(1)
        await lead(table)
        assert len(table.seats[ANA].host.sessions) == 2

    play(scene)


def test_who_refuses_is_named_and_not_blamed() -> None:
    async def scene(table: Table) -> None:
        table.seats[BEN].kind.raises["admitted"] = PolicyViolation("not today")
        failure = await failed_lead(table)
        assert (failure.failure_kind, failure.reason) == (FailureKind.REFUSED, "ben: not today")
        assert (failure.unreachable, failure.blamed) == ({BEN}, frozenset())
        assert table.seats[ANA].kind.steps == ["admitted ana"]

    play(scene)


def test_who_is_down_makes_it_a_matter_of_time() -> None:
    async def scene(table: Table) -> None:
        table.seats[BEN].kind.raises["admitted"] = PolicyViolation("not today")
        table.network.detach(CHIARA)
        failure = await failed_lead(table)
        assert failure.failure_kind is FailureKind.TIMEOUT
        assert failure.unreachable == {BEN, CHIARA}
        assert "not today" in failure.reason
        assert "chiara does not answer" in failure.reason

    play(scene)


def test_a_coordinator_who_may_not_take_part_itself_invites_nobody() -> None:
    async def scene(table: Table) -> None:
        table.seats[ANA].kind.raises["admitted"] = NotYetPossible("not here")
        with pytest.raises(NotYetPossible, match="not here"):
            await lead(table)
        assert table.network.sent == []

    play(scene)


def test_a_coordinator_that_agreed_to_another_attempt_meanwhile_begins_none() -> None:
    async def scene(table: Table) -> None:
        ana, ben = table.seats[ANA], table.seats[BEN]
        theirs = await table.sign(CHIARA, table.invitation())

        async def answer(peer: MemberId, data: bytes) -> bytes:
            await ana.ask(CHIARA, Invite(theirs))
            return await ben.answer(peer, data)

        table.network.attach(BEN, answer)
        with pytest.raises(NotYetPossible, match="has not agreed to the session"):
            await lead(table)
        assert "opened" not in ana.kind.steps

    play(scene)


def test_the_end_of_the_coordinator_s_own_session_is_what_it_is_told() -> None:
    async def scene(table: Table) -> None:
        table.seats[ANA].kind.raises["succeeded"] = NotYetPossible("ended meanwhile")
        failure = await failed_lead(table)
        assert failure.reason == "ended meanwhile"

    play(scene)


def answering(table: Table, member: MemberId, reply: bytes) -> None:
    """Let a member answer every invitation with this."""
    honest = table.seats[member].answer

    async def answer(peer: MemberId, data: bytes) -> bytes:
        return reply if isinstance(decode_request(data), Invite) else await honest(peer, data)

    table.network.attach(member, answer)


def test_an_answer_that_is_no_readiness_of_the_invited_is_none() -> None:
    async def scene(table: Table) -> None:
        invitation = await table.sign(ANA, table.invitation())
        of_chiara = await table.readiness(CHIARA, invitation)
        false = SignedStatement(of_chiara.body, BEN, of_chiara.signature)
        of_ben = await table.readiness(BEN, invitation)
        withdrawal = await table.sign(BEN, Withdrawal(at_ms=1, request=REQUEST))
        for reply, words in (
            (Ack(), "ben: an answer of another kind"),
            (Ready(of_chiara), "ben answered for somebody else"),
            (Ready(false), "does not hold"),
            (Ready(of_ben), "ben is ready for another invitation"),
            (Ready(withdrawal), "ben is ready for another invitation"),
        ):
            answering(table, BEN, encode(reply))
            failure = await failed_lead(table)
            assert words in failure.reason
            assert failure.failure_kind is FailureKind.REFUSED
            await asyncio.sleep(1)
        assert "opened" not in table.seats[ANA].kind.steps

    play(scene)


def test_only_the_coordinator_begins() -> None:
    async def scene(table: Table) -> None:
        invitation = await table.sign(ANA, table.invitation())
        own = await invited(table, BEN, invitation)
        others = [await table.readiness(m, invitation) for m in (ANA, CHIARA)]
        begin = Begin(invitation, (own, *others))
        reply = await table.seats[BEN].ask(CHIARA, begin)
        assert reply == Refused("only the coordinator begins a session")
        assert not table.seats[BEN].host.sessions

    play(scene)


def test_a_beginning_that_comes_twice_or_was_never_agreed_to_changes_nothing() -> None:
    async def scene(table: Table) -> None:
        begin = await begun(table)
        assert await table.seats[BEN].ask(ANA, begin) == Ack()
        assert await table.seats[CHIARA].ask(ANA, begin) == Ack()
        assert table.seats[BEN].kind.steps.count("opened") == 1
        assert not table.seats[CHIARA].host.sessions

    play(scene)


def test_a_session_begins_on_the_readiness_of_exactly_the_invited() -> None:
    async def scene(table: Table) -> None:
        ben = table.seats[BEN]

        async def reply_to(
            choose: Callable[[SignedStatement], Coroutine[Any, Any, list[SignedStatement]]],
            own: bool = True,
        ) -> str:
            await asyncio.sleep(1)
            invitation = await table.sign(ANA, table.invitation())
            mine = await invited(table, BEN, invitation)
            ready = [*([mine] if own else []), *(await choose(invitation))]
            reply = await ben.ask(ANA, Begin(invitation, tuple(ready)))
            assert isinstance(reply, Refused)
            # What was refused is over: the same readiness begins nothing later.
            assert await ben.ask(ANA, Begin(invitation, tuple(ready))) == Ack()
            return reply.reason

        async def without_chiara(invitation: SignedStatement) -> list[SignedStatement]:
            return [await table.readiness(ANA, invitation)]

        async def with_eve(invitation: SignedStatement) -> list[SignedStatement]:
            return [await table.readiness(m, invitation) for m in (ANA, CHIARA, EVE)]

        async def of_another(invitation: SignedStatement) -> list[SignedStatement]:
            other = await table.readiness(CHIARA, invitation, invitation=bytes(32))
            return [await table.readiness(ANA, invitation), other]

        async def short(invitation: SignedStatement) -> list[SignedStatement]:
            other = await table.readiness(CHIARA, invitation, nonce=bytes(31))
            return [await table.readiness(ANA, invitation), other]

        async def no_key(invitation: SignedStatement) -> list[SignedStatement]:
            other = await table.readiness(CHIARA, invitation, channel_key=bytes(32))
            return [await table.readiness(ANA, invitation), other]

        async def another_of_ours(invitation: SignedStatement) -> list[SignedStatement]:
            return [await table.readiness(m, invitation) for m in CUSTODIANS]

        exactly = "readiness of exactly the invited"
        assert exactly in await reply_to(without_chiara)
        assert exactly in await reply_to(with_eve)
        assert "chiara is ready for another invitation" in await reply_to(of_another)
        assert "chiara sent a nonce of the wrong size" in await reply_to(short)
        assert await reply_to(no_key)
        assert "our own readiness was altered" in await reply_to(another_of_ours, own=False)
        assert "opened" not in ben.kind.steps

    play(scene)


def test_two_beginnings_at_once_open_one_session() -> None:
    async def scene(table: Table) -> None:
        invitation = await table.sign(ANA, table.invitation())
        own = await invited(table, BEN, invitation)
        others = [await table.readiness(m, invitation) for m in (ANA, CHIARA)]
        begin = Begin(invitation, (own, *others))
        ben = table.seats[BEN]
        replies = await asyncio.gather(*(ben.ask(ANA, begin) for _ in range(3)))
        assert replies == [Ack()] * 3
        assert ben.kind.steps.count("opened") == 1

    play(scene)


async def until(true: Callable[[], Any]) -> None:
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came")


async def first_message(table: Table, sender: MemberId) -> SessionMessage:
    """Give the first envelope that a member has sent to Ben."""

    def sent() -> list[SessionMessage]:
        messages = [
            decode_request(data)
            for source, target, data in table.network.sent
            if (source, target) == (sender, BEN)
        ]
        return [m for m in messages if isinstance(m, SessionMessage)]

    await until(sent)
    return sent()[0]


def test_a_message_is_of_a_participant_and_signed_by_it() -> None:
    async def scene(table: Table) -> None:
        ben = table.seats[BEN]
        work = asyncio.create_task(lead(table))
        message = await first_message(table, ANA)
        envelope = message.envelope
        assert await ben.ask(ANA, SessionMessage(b"noise", message.signature)) == Refused(
            "these bytes are no envelope"
        )
        reply = await ben.ask(EVE, message)
        if not ben.host.sessions:
            assert reply == Refused("this session has not begun here", later=True)
        await until(lambda: ben.host.sessions)
        assert await ben.ask(EVE, message) == Refused("you do not take part in this session")
        reply = await ben.ask(ANA, SessionMessage(envelope, bytes(64)))
        assert isinstance(reply, Refused)
        assert "does not hold" in reply.reason
        reply = await ben.ask(CHIARA, message)
        assert reply == Refused("the message does not belong to this session")
        signed = await table.seats[CHIARA].desk.vault.identity.sign(
            b"quorate/envelope/v1" + envelope
        )
        reply = await ben.ask(CHIARA, SessionMessage(envelope, signed))
        assert reply == Refused("the message does not belong to this session")
        assert decode_envelope(envelope).sender == 1
        await work
        await asyncio.sleep(5)
        assert await ben.ask(ANA, message) == Refused("this session has ended here")

    play(scene)


def test_a_session_that_has_not_begun_asks_for_the_same_message_later() -> None:
    async def scene(table: Table) -> None:
        work = asyncio.create_task(lead(table))
        message = await first_message(table, ANA)
        await work
        other = await Table().open()
        reply = await other.seats[BEN].ask(ANA, message)
        assert reply == Refused("this session has not begun here", later=True)

    play(scene)


def test_all_sessions_end_when_the_vault_is_locked() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        await asyncio.sleep(0.1)
        ben = table.seats[BEN]
        waiting = await table.sign(ANA, table.invitation(subject="another"))
        own = await invited(table, BEN, waiting)
        await ben.host.stop_all()
        (run,) = ben.host.sessions.values()
        assert run.failure is not None
        assert "vault was locked" in run.failure.reason
        assert ben.kind.steps[-2:] == ["closed", "failed"]
        # What was agreed to before begins nothing any more.
        others = [await table.readiness(m, waiting) for m in (ANA, CHIARA)]
        assert await ben.ask(ANA, Begin(waiting, (own, *others))) == Ack()
        assert len(ben.host.sessions) == 1

    play(scene)


def test_a_node_that_fails_drops_every_session_and_records_nothing() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        await asyncio.sleep(0.1)
        ben = table.seats[BEN]
        waiting = await table.sign(ANA, table.invitation(subject="another"))
        own = await invited(table, BEN, waiting)
        ben.host.drop_all()
        assert ben.kind.steps[-1] == "closed"
        assert "failed" not in ben.kind.steps
        others = [await table.readiness(m, waiting) for m in (ANA, CHIARA)]
        assert await ben.ask(ANA, Begin(waiting, (own, *others))) == Ack()
        assert len(ben.host.sessions) == 1

    play(scene)


def test_what_is_not_admitted_any_more_does_not_begin() -> None:
    """A ban, a freeze or a denial may come between the answer and the beginning."""

    async def scene(table: Table) -> None:
        ben, invitation = table.seats[BEN], await table.sign(ANA, table.invitation())
        own = await invited(table, BEN, invitation)
        others = [await table.readiness(m, invitation) for m in (ANA, CHIARA)]
        ben.kind.raises["admitted"] = PolicyViolation("quarantined meanwhile")
        reply = await ben.ask(ANA, Begin(invitation, (own, *others)))
        assert reply == Refused("quarantined meanwhile")
        assert not ben.host.sessions
        assert "opened" not in ben.kind.steps
        # Its nonce and keys are gone: what was refused once begins never.
        ben.kind.raises.clear()
        assert await ben.ask(ANA, Begin(invitation, (own, *others))) == Ack()
        assert not ben.host.sessions

    play(scene)


@pytest.mark.parametrize("stop", ["members", "subject"])
def test_invitations_end_with_the_sessions_of_their_members_and_subjects(stop: str) -> None:
    async def scene(table: Table) -> None:
        ben, invitation = table.seats[BEN], await table.sign(ANA, table.invitation())
        own = await invited(table, BEN, invitation)
        failure = SessionFailed(FailureKind.CANCELLED, "a verdict elsewhere")
        await ben.host.stop_with(frozenset({EVE}), failure)
        await ben.host.stop_where(lambda subject: subject == "another", failure)
        assert await invited(table, BEN, invitation) == own
        if stop == "members":
            await ben.host.stop_with(frozenset({CHIARA}), failure)
        else:
            await ben.host.stop_where(lambda subject: subject == SUBJECT, failure)
        others = [await table.readiness(m, invitation) for m in (ANA, CHIARA)]
        assert await ben.ask(ANA, Begin(invitation, (own, *others))) == Ack()
        assert not ben.host.sessions

    play(scene)


def test_sessions_of_some_subjects_end_and_no_others() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        host = table.seats[BEN].host
        (run,) = host.sessions.values()
        stop = SessionFailed(FailureKind.CANCELLED, "quarantined")
        await host.stop_where(lambda subject: subject == "another", stop)
        assert not run.ended.is_set()
        await host.stop_where(lambda subject: subject == SUBJECT, stop)
        assert run.failure is stop

    play(scene)


def test_the_sessions_of_a_banned_member_end_and_no_others() -> None:
    async def scene(table: Table) -> None:
        await begun(table)
        host = table.seats[BEN].host
        (run,) = host.sessions.values()
        stop = SessionFailed(FailureKind.CANCELLED, "a ban elsewhere")
        await host.stop_with(frozenset({EVE}), stop)
        await host.stop_subject("another", stop)
        assert not run.ended.is_set()
        await host.stop_with(frozenset({CHIARA, EVE}), stop)
        assert run.failure is stop

    play(scene)


def test_what_was_signed_before_a_machine_was_replaced_can_be_shown_in_its_session() -> None:
    """Else Ben's complaint would blame Ben, where it is judged by the key of another machine."""

    async def scene(table: Table) -> None:
        await begun(table)
        seat = table.seats[BEN]
        (run,) = seat.host.sessions.values()
        told = b"what Chiara told one of us"
        signature = await envelope_signer(table.seats[CHIARA].desk.vault.identity)(told)
        members = seat.desk.aggregates.members
        run.envelopes.verify(CHIARA, told, signature)
        members[CHIARA] = replace(members[CHIARA], identity_key=members[ANA].identity_key)
        run.envelopes.verify_shown(CHIARA, told, signature)
        # What arrives from the old machine is refused all the same, and from who has left.
        with pytest.raises(StatementRefused):
            run.envelopes.verify(CHIARA, told, signature)
        del members[CHIARA]
        run.envelopes.verify_shown(CHIARA, told, signature)
        with pytest.raises(StatementRefused, match="has left"):
            run.envelopes.verify(CHIARA, told, signature)

    play(scene)
