from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.kernel.abort import AbortKind, MessageRejected, ProtocolAbort
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import Envelope, Session
from console.protocols.kernel.wire import encode
from tests.adversary.erasure import remembered
from tests.adversary.network import Network, signed
from tests.adversary.talk import (
    SEALED,
    Inner,
    Sealed,
    Second,
    Whisper,
    Word,
    envelope,
    session,
    talk,
    talk_once,
)


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


def test_session_abort_keeps_no_frame_of_the_run() -> None:
    async def fails_inside(party: Party) -> None:
        await party.broadcast(Word(b"mine"))
        await party.gather(Word)
        raise ProtocolAbort(AbortKind.FREEZE, "test") from KeyError("context")

    s = session(parties=(1, 2), run=fails_inside)
    s.start()
    with pytest.raises(ProtocolAbort) as caught:
        s.receive(envelope(Word))
    assert "fails_inside" not in [entry.name for entry in caught.traceback]
    assert caught.value.__context__ is caught.value.__cause__ is None


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

    s = session(run=sleepy)
    with pytest.raises(TypeError):
        s.start()
    with pytest.raises(MessageRejected):
        s.receive(envelope())


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
def test_session_wipes_what_the_run_has_not_taken(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = session()
    s.start()
    payload = encode(SEALED)
    made = remembered(monkeypatch)
    s.receive(replace(envelope(), kind="test.sealed", recipient=1, payload=payload))
    assert [secret == SEALED.inner[0].secret for secret in made] == [True]
    if end == "close":
        s.close()
    else:
        with pytest.raises(ProtocolAbort):
            s.receive(replace(envelope(sender=3), payload=b""))
    assert [secret.wiped for secret in made] == [True]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_session_wipes_an_outcome_that_is_not_released(end: str) -> None:
    secret = SecretBytes(b"outcome")

    async def run(party: Party) -> Sealed:
        await party.broadcast(Word(b"x"))
        await party.gather(Word)
        return Sealed((Inner(secret),))

    s = session(parties=(1, 2), run=run)
    s.start()
    s.receive(envelope())
    assert not secret.wiped
    if end == "close":
        s.close()
    else:
        with pytest.raises(ProtocolAbort):
            s.receive(replace(envelope(), round=2, kind="echo", payload=b"", echo=bytes(32)))
    assert secret.wiped
    with pytest.raises(RuntimeError):
        _ = s.outcome


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


def test_session_starts_once() -> None:
    s = session()
    s.start()
    with pytest.raises(RuntimeError):
        s.start()


@pytest.mark.parametrize(
    ("me", "parties", "size"),
    [(1, (2, 3), 32), (1, (1, 1, 2), 32), (0, (0, 1), 32), (1, (1, 2), 31), (1, (1, 70000), 32)],
)
def test_session_refuses_impossible_membership(me: int, parties: Any, size: int) -> None:
    with pytest.raises(ValueError, match=r"session|indices"):
        Session(session_id=bytes(size), me=me, parties=parties, run=talk, signed=signed)
