"""The session against forged, repeated, reordered and contradictory envelopes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pytest

from console.protocols.kernel.abort import AbortKind, MessageRejected, ProtocolAbort
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import Envelope, Session, find_equivocation
from console.protocols.kernel.wire import Count, Delivery, Range, Size, encode, message
from tests.adversary.network import SESSION_ID, CheatingParty, Network, Run


@message("test.word")
@dataclass(frozen=True, slots=True)
class Word:
    text: Annotated[bytes, Size(0, 16)]


@message("test.second")
@dataclass(frozen=True, slots=True)
class Second:
    number: Annotated[int, Range(0, 9)]


@message("test.whisper", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Whisper:
    text: Annotated[bytes, Size(0, 16)]


@dataclass(frozen=True, slots=True)
class Inner:
    secret: Annotated[SecretBytes, Size(0, 16)]


@message("test.sealed", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Sealed:
    inner: Annotated[tuple[Inner, ...], Count(0, 2)]


SEALED = Sealed((Inner(SecretBytes(b"sealed")),))


@message("test.other")
@dataclass(frozen=True, slots=True)
class Other:
    number: Annotated[int, Range(0, 9)]


async def talk(party: Party) -> list[bytes]:
    """Two rounds: words to all and whispers to each, then a number."""
    await party.broadcast(Word(b"word %d" % party.me))
    for j in party.others:
        await party.send(j, Whisper(b"to %d" % j))
    words = await party.gather(Word)
    whispers = await party.gather(Whisper)
    await party.broadcast(Second(party.me))
    numbers = await party.gather(Second)
    assert all(numbers[j].number == j and whispers[j].text for j in party.others)
    return [words[j].text for j in sorted(words)]


async def talk_once(party: Party) -> None:
    """One round of words, then a number without waiting for the others'."""
    await party.broadcast(Word(b"word 2"))
    await party.gather(Word)
    await party.broadcast(Second(2))
    await party.gather(Second)


def session(me: int = 1, parties: Iterable[int] = (1, 2, 3), run: Run = talk) -> Session[Any]:
    return Session(session_id=SESSION_ID, me=me, parties=parties, run=run)


def envelope(kind: type = Word, sender: int = 2, round_: int = 1, **changes: Any) -> Envelope:
    value = Word(b"word 2") if kind is Word else Whisper(b"to 1") if kind is Whisper else kind(2)
    names = {Word: "test.word", Whisper: "test.whisper", Second: "test.second", Other: "test.other"}
    fields: dict[str, Any] = {
        "session_id": SESSION_ID,
        "sender": sender,
        "recipient": 1 if kind is Whisper else None,
        "round": round_,
        "kind": names[kind],
        "echo": b"",
        "payload": encode(value),
    }
    return Envelope(**{**fields, **changes})


def state(s: Session[Any]) -> Any:
    return (s.round, dict(s.rounds_received), s.awaiting, s.done, s.abort, s.received_envelopes())


def started() -> Session[Any]:
    s = session()
    s.start()
    return s


def test_session_reaches_one_outcome_in_any_order() -> None:
    for seed in range(20):
        network = Network(dict.fromkeys((1, 2, 5), talk), seed=str(seed)).deliver()
        assert len(network.outcomes) == 3
        assert not network.rejected
        assert network.sessions[1].rounds_received == {1: {2, 5}, 2: {2, 5}, 3: {2, 5}}
        assert network.sessions[1].awaiting == frozenset()


def test_session_alone_needs_no_messages() -> None:
    network = Network({4: talk}).deliver()
    assert network.outcomes == {4: []}


def test_outcome_waits_for_the_last_echo() -> None:
    held: list[tuple[Envelope, int]] = []

    def hold(e: Envelope, to: int) -> Iterable[Envelope]:
        if e.kind == "echo" and e.sender == 2:
            held.append((e, to))
            return []
        return [e]

    network = Network(dict.fromkeys((1, 2, 3), talk), wire=hold).deliver()
    assert set(network.outcomes) == {2}
    assert network.sessions[1].awaiting == {2}
    with pytest.raises(RuntimeError):
        _ = network.sessions[1].outcome
    for e, to in held:
        network.sessions[to].receive(e)
    assert set(network.outcomes) == {1, 2, 3}


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


def test_session_echo_mismatch_blames_nobody_until_originals_meet() -> None:
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


def test_session_early_messages_and_those_before_start_are_kept() -> None:
    late = session(3)
    others = Network({1: talk, 2: talk, 3: talk})
    del others.sessions[3]
    first = [e for i in (1, 2) for e in others.sessions[i].start()]
    for e in first:
        if e.recipient in {None, 3}:
            assert late.receive(e) == []
    assert late.rounds_received == {1: {1, 2}}
    out = late.start()
    assert [e.round for e in out] == [1, 1, 1, 2]


def test_session_before_start_takes_echo_checks_at_start() -> None:
    s = session()
    s.receive(envelope(Word, echo=bytes(32)))
    with pytest.raises(ProtocolAbort) as caught:
        s.start()
    assert caught.value.check == "echo-presence"


def test_session_that_aborts_still_says_what_it_had_said() -> None:
    async def strict(party: Party) -> None:
        await party.broadcast(Word(b"mine"))
        await party.gather(Word)
        await party.broadcast(Second(1))
        await party.gather(Second)
        raise ProtocolAbort(AbortKind.BLAME, "test", frozenset({2}), "test")

    s = session(parties=(1, 2), run=strict)
    (first,) = s.start()
    peer = session(2, parties=(1, 2), run=talk_once)
    peer.start()
    (second,) = peer.receive(first)
    s.receive(second)
    assert s.unsent == ()
    with pytest.raises(ProtocolAbort):
        s.receive(envelope(Word))
    assert [e.kind for e in s.unsent] == ["test.second"]


def test_session_bug_in_a_run_comes_out_unchanged_and_ends_it() -> None:
    async def buggy(party: Party) -> None:
        await party.broadcast(Word(b"x"))
        await party.gather(Word)
        raise ZeroDivisionError

    s = session(parties=(1, 2), run=buggy)
    s.start()
    with pytest.raises(ZeroDivisionError):
        s.receive(envelope(Word))
    with pytest.raises(MessageRejected):
        s.receive(envelope(Whisper))


def test_session_refuses_to_wait_for_anything_else() -> None:
    class Foreign:
        def __await__(self) -> Any:
            yield "sleep"

    async def sleepy(_: Party) -> None:
        await Foreign()

    with pytest.raises(TypeError):
        session(run=sleepy).start()


@pytest.mark.parametrize(
    "act",
    [
        lambda p: p.broadcast(Whisper(b"x")),
        lambda p: p.send(2, Word(b"x")),
        lambda p: p.send(1, Whisper(b"x")),
        lambda p: p.send(9, Whisper(b"x")),
    ],
)
def test_session_refuses_misdirected_words_of_its_own_run(act: Callable[[Party], Any]) -> None:
    async def run(party: Party) -> None:
        await act(party)

    with pytest.raises(ValueError, match=r"travels|recipient"):
        session(run=run).start()


def test_session_refuses_to_say_a_kind_twice_in_a_round() -> None:
    async def run(party: Party) -> None:
        await party.broadcast(Word(b"x"))
        await party.broadcast(Word(b"y"))

    with pytest.raises(ValueError, match="already"):
        session(run=run).start()


def test_session_close_runs_the_finally_blocks() -> None:
    wiped = []

    async def run(party: Party) -> None:
        try:
            await party.broadcast(Word(b"x"))
            await party.gather(Word)
        finally:
            wiped.append(party.me)

    s = session(run=run)
    s.start()
    s.close()
    s.close()
    assert wiped == [1]
    assert s.awaiting == frozenset()
    with pytest.raises(MessageRejected):
        s.receive(envelope(Word))
    with pytest.raises(RuntimeError):
        s.start()


def test_session_blamed_before_its_start_does_not_start() -> None:
    s = session()
    with pytest.raises(ProtocolAbort) as first:
        s.receive(replace(envelope(), payload=b""))
    with pytest.raises(ProtocolAbort) as again:
        s.start()
    assert again.value is first.value


def test_session_closed_before_its_start_is_over() -> None:
    s = session()
    s.close()
    with pytest.raises(RuntimeError):
        s.start()


@pytest.mark.parametrize("end", ["close", "abort"])
def test_session_wipes_what_the_run_has_not_taken(end: str) -> None:
    s = session()
    s.start()
    s.receive(replace(envelope(), kind="test.sealed", recipient=1, payload=encode(SEALED)))
    held = s._rounds.inbox.get(1, "test.sealed", 2)
    assert held is not None
    assert held.message == SEALED
    if end == "close":
        s.close()
    else:
        with pytest.raises(ProtocolAbort):
            s.receive(replace(envelope(sender=3), payload=b""))
    assert held.message.inner[0].secret.wiped


def test_session_wipes_an_outcome_that_is_not_released() -> None:
    secret = SecretBytes(b"outcome")

    async def run(party: Party) -> Sealed:
        await party.broadcast(Word(b"x"))
        await party.gather(Word)
        return Sealed((Inner(secret),))

    s = session(parties=(1, 2), run=run)
    s.start()
    s.receive(envelope())
    assert not secret.wiped
    with pytest.raises(ProtocolAbort):
        s.receive(replace(envelope(), round=2, kind="echo", payload=b"", echo=bytes(32)))
    assert secret.wiped


def test_session_keeps_its_outcome_when_closed_after_the_end() -> None:
    network = Network(dict.fromkeys((1, 2), talk)).deliver()
    network.sessions[1].close()
    assert network.sessions[1].outcome == [b"word 2"]


def test_session_with_direct_messages_only_needs_no_echo() -> None:
    async def run(party: Party) -> int:
        for j in party.others:
            await party.send(j, Whisper(b"x"))
        return len(await party.gather(Whisper))

    network = Network(dict.fromkeys((1, 2, 3), run)).deliver()
    assert network.outcomes == {1: 2, 2: 2, 3: 2}
    assert {e.kind for e in network.sent} == {"test.whisper"}


def test_equivocation_is_not_looked_for_in_confidence_or_in_echoes() -> None:
    whisper, echo = envelope(Whisper), replace(envelope(), kind="echo", payload=b"")
    others = replace(whisper, payload=b"else"), replace(echo, echo=bytes(32))
    assert find_equivocation([whisper, echo], others) == frozenset()


def test_session_starts_once() -> None:
    s = started()
    with pytest.raises(RuntimeError):
        s.start()


@pytest.mark.parametrize(
    ("me", "parties", "size"),
    [(1, (2, 3), 32), (1, (1, 1, 2), 32), (0, (0, 1), 32), (1, (1, 2), 31), (1, (1, 70000), 32)],
)
def test_session_refuses_impossible_membership(me: int, parties: Any, size: int) -> None:
    with pytest.raises(ValueError, match=r"session|indices"):
        Session(session_id=bytes(size), me=me, parties=parties, run=talk)


def test_cheating_party_may_stay_silent() -> None:
    def silent(party: Party) -> Any:
        return talk(CheatingParty(party, lambda m, _to: None if type(m) is Second else m))

    network = Network({1: talk, 2: silent, 3: talk}).deliver()
    assert not network.outcomes
    assert not network.aborts
    assert network.sessions[1].awaiting == {2}
