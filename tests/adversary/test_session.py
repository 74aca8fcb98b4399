"""The session against forged, repeated, reordered and contradictory envelopes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.kernel.abort import AbortKind, MessageRejected, ProtocolAbort
from console.protocols.kernel.party import Party
from console.protocols.kernel.session import Envelope, Session, find_equivocation
from console.protocols.kernel.wire import encode
from tests.adversary.network import CheatingParty, Network
from tests.adversary.talk import (
    Other,
    Second,
    Whisper,
    Word,
    envelope,
    session,
    talk,
)


def state(s: Session[Any]) -> Any:
    return (s.round, dict(s.rounds_received), s.awaiting, s.done, s.abort, s.received_envelopes())


def started() -> Session[Any]:
    s = session()
    s.start()
    return s


@pytest.mark.parametrize(
    "changes",
    [
        {"session_id": bytes(32)},
        {"sender": 9},
        {"sender": 1},
        {"recipient": 3},
        {"round": 3},
        {"payload": bytes((1 << 20) + 1)},
    ],
    ids=["session", "stranger", "ourselves", "for-another", "far-ahead", "oversize"],
)
def test_session_drops_what_does_not_belong(changes: dict[str, Any]) -> None:
    s = started()
    before = state(s)
    with pytest.raises(MessageRejected):
        s.receive(envelope(**changes))
    assert state(s) == before


def test_session_drops_a_past_round() -> None:
    network = Network(dict.fromkeys((1, 2), talk))
    s = network.sessions[1]
    s.start()
    s.receive(envelope(Word))
    s.receive(envelope(Whisper))
    assert s.round == 2
    with pytest.raises(MessageRejected):
        s.receive(envelope(Other))


def test_session_is_idempotent_for_repeated_messages() -> None:
    def twice(e: Envelope, _to: int) -> Iterable[Envelope]:
        return [e, e]

    network = Network(dict.fromkeys((1, 2, 3), talk), wire=twice).deliver()
    assert len(network.outcomes) == 3
    # What arrives after the end is dropped, whatever it is.
    assert all("over" in str(rejected) for rejected in network.rejected)
    with pytest.raises(MessageRejected):
        network.sessions[1].receive(envelope(Word))


@pytest.mark.parametrize("kind", [Word, Whisper])
def test_session_equivocation_blames_sender_with_both(kind: type) -> None:
    s = started()
    first = envelope(kind)
    s.receive(first)
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(replace(first, payload=encode(kind(b"else"))))
    abort = caught.value
    assert (abort.kind, abort.culprits, abort.check) == (AbortKind.BLAME, {2}, "equivocation")
    assert len(set(abort.evidence)) == 2
    assert not any(b"to 1" in item for item in abort.evidence)
    with pytest.raises(ProtocolAbort) as again:
        s.receive(envelope(sender=3))
    assert again.value is abort
    assert s.abort is abort


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"payload": b""}, "encoding"),
        ({"payload": encode(Word(b"x")) + b"\x00"}, "encoding"),
        ({"payload": b"\xff\xff\xff\xff"}, "encoding"),
        ({"payload": bytes(100)}, "encoding"),
        ({"kind": "test.unknown"}, "encoding"),
        ({"kind": "echo"}, "encoding"),
        ({"kind": "echo", "payload": b"", "recipient": 1}, "encoding"),
        ({"recipient": 1}, "delivery"),
        ({"echo": bytes(32)}, "echo-presence"),
    ],
)
def test_session_malformed_message_blames_sender(changes: dict[str, Any], check: str) -> None:
    s = started()
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(replace(envelope(), **changes))
    abort = caught.value
    assert (abort.kind, abort.culprits, abort.check) == (AbortKind.BLAME, {2}, check)
    assert abort.evidence


def test_session_confidential_message_to_all_blames_sender() -> None:
    s = started()
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(envelope(Whisper, recipient=None))
    assert (caught.value.culprits, caught.value.check) == ({2}, "delivery")


def test_session_message_without_a_place_blames_sender() -> None:
    s = session(parties=(1, 2))
    s.start()
    s.receive(envelope(Other))
    s.receive(envelope(Word))
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(envelope(Whisper))
    assert (caught.value.culprits, caught.value.check) == ({2}, "unexpected")
    assert len(caught.value.evidence) == 1


def test_session_message_after_the_last_round_blames_sender() -> None:
    async def short(party: Party) -> None:
        await party.broadcast(Word(b"only"))
        await party.gather(Word)

    s = session(parties=(1, 2), run=short)
    s.start()
    (last,) = s.receive(envelope(Word))
    s.receive(envelope(Other, round_=2, echo=last.echo))
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(replace(last, sender=2))
    assert (caught.value.culprits, caught.value.check) == ({2}, "unexpected")
    assert not s.done


def test_session_message_too_many_is_never_held_against_an_honest_party() -> None:
    async def chatter(party: Party) -> list[bytes]:
        await party.broadcast(Other(1))
        return await talk(party)

    for seed in range(20):
        network = Network({1: talk, 2: chatter, 3: talk}, seed=str(seed)).deliver()
        assert not network.outcomes.keys() & {1, 3}
        assert all(culprits <= {2} for _, culprits, _ in network.verdicts(2).values())


def test_session_bounds_the_kinds_of_one_round() -> None:
    s = started()
    for kind in (Word, Whisper, Second, Other):
        s.receive(envelope(kind))
    with pytest.raises(MessageRejected):
        s.receive(replace(envelope(Word), kind="test.fifth"))


def test_session_missing_echo_blames_sender() -> None:
    s = session(parties=(1, 2))
    s.start()
    s.receive(envelope(Word))
    s.receive(envelope(Whisper))
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(envelope(Second, round_=2))
    assert (caught.value.culprits, caught.value.check) == ({2}, "echo-presence")


def test_session_echo_of_an_early_message_is_checked_when_its_round_begins() -> None:
    s = session(parties=(1, 2))
    s.start()
    s.receive(envelope(Second, round_=2, echo=bytes(32)))
    s.receive(envelope(Word))
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(envelope(Whisper))
    assert (caught.value.kind, caught.value.check) == (AbortKind.RETRY, "echo-broadcast")


def test_session_echo_mismatch_blames_nobody() -> None:
    def equivocate(e: Envelope, to: int) -> Iterable[Envelope]:
        if e.sender == 2 and e.kind == "test.word" and to == 3:
            return [replace(e, payload=encode(Word(b"word two")))]
        return [e]

    for seed in range(10):
        network = Network(dict.fromkeys((1, 2, 3), talk), seed=str(seed), wire=equivocate).deliver()
        expected = ("retry", frozenset(), "echo-broadcast")
        assert set(network.verdicts(2).values()) == {expected}
        assert not network.outcomes.keys() & {1, 3}
        one, three = (network.sessions[i].received_envelopes() for i in (1, 3))
        assert find_equivocation(one, three) == {2}
        assert find_equivocation(one, one) == frozenset()


def test_session_last_round_equivocation_is_caught_by_the_final_echo() -> None:
    async def short(party: Party) -> int:
        await party.broadcast(Word(b"only"))
        return len(await party.gather(Word))

    def equivocate(e: Envelope, to: int) -> Iterable[Envelope]:
        if e.sender == 2 and e.kind == "test.word" and to == 3:
            return [replace(e, payload=encode(Word(b"lie")))]
        return [e]

    network = Network(dict.fromkeys((1, 2, 3), short), wire=equivocate).deliver()
    expected = ("retry", frozenset(), "echo-broadcast")
    assert set(network.verdicts(2).values()) == {expected}
    assert not network.outcomes.keys() & {1, 3}


def test_equivocation_is_not_looked_for_in_confidence_or_in_echoes() -> None:
    whisper, echo = envelope(Whisper), replace(envelope(), kind="echo", payload=b"")
    others = replace(whisper, payload=b"else"), replace(echo, echo=bytes(32))
    assert find_equivocation([whisper, echo], others) == frozenset()


def test_cheating_party_may_stay_silent() -> None:
    def silent(party: Party) -> Any:
        return talk(CheatingParty(party, lambda m, _to: None if type(m) is Second else m))

    network = Network({1: talk, 2: silent, 3: talk}).deliver()
    assert not network.outcomes
    assert not network.aborts
    assert network.sessions[1].awaiting == {2}
