"""DKLs23 setup with cheating parties: each check names the right party, in the right way."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.dkls23 import setup
from console.protocols.dkls23.messages import (
    SetupAnswer,
    SetupChoices,
    SetupConfirmation,
    SetupPromise,
    SetupTrial,
)
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import Envelope, find_equivocation
from console.protocols.kernel.wire import decode
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import endemic
from tests.adversary.network import Network, Run, assert_blamed, cheating, rewrite, stream
from tests.adversary.test_dkls23_sign import OUT_OF_RANGE, add_one, inner
from tests.unit.protocols.ot.keys import flipped

Change = Callable[[Any], Any]


def honest(i: int, seed: str = "setup") -> Run:
    return lambda party: setup(party, b"key", stream(f"{seed}/{i}"))


def with_cheat(kind: type, change: Change, parties: Iterable[int] = (1, 2)) -> Network:
    runs = {i: honest(i) for i in parties}
    runs[2] = cheating(honest(2), kind, change, only=1)
    return Network(runs).deliver()


def first_point(point: bytes) -> Change:
    return lambda m: replace(m, points=point + m.points[33:])


@pytest.mark.parametrize(
    ("kind", "change", "check"),
    [
        (SetupPromise, lambda m: replace(m, zero=bytes(32)), "zero-promise"),
        (SetupPromise, lambda m: replace(m, gadget=bytes(32)), "gadget-promise"),
        (SetupChoices, lambda m: replace(m, zero=SecretBytes(bytes(32))), "zero-promise"),
        (SetupChoices, lambda m: replace(m, session=bytes(32)), "base-session"),
        (SetupChoices, first_point(SECP256K1.identity), "base-choices"),
        (SetupChoices, first_point(b"\x02" + b"\xff" * 32), "base-choices"),
        (SetupChoices, lambda m: first_point(m.points[33:66])(m), "base-choices"),
        (SetupAnswer, lambda m: replace(m, gadget=bytes(32)), "gadget-promise"),
        (SetupAnswer, lambda m: replace(m, session=bytes(32)), "base-session"),
        (SetupAnswer, first_point(SECP256K1.identity), "base-answer"),
        (SetupAnswer, lambda m: first_point(m.points[33:66])(m), "base-answer"),
        (SetupTrial, inner("reply", "combined", lambda _: OUT_OF_RANGE), "trial-scalar"),
        (SetupConfirmation, lambda m: replace(m, digest=bytes(32)), "setup-confirmation"),
    ],
)
def test_dkls23_setup_blames_sender(kind: type, change: Change, check: str) -> None:
    assert_blamed(with_cheat(kind, change), {2}, check)


@pytest.mark.parametrize(
    ("kind", "change", "check"),
    [
        (SetupAnswer, inner("request", "correction", flipped), "ot-rows"),
        (SetupAnswer, inner("request", "hashed_choice", flipped), "ot-rows"),
        (SetupAnswer, inner("request", "hashed_rows", flipped), "ot-rows"),
        (SetupTrial, inner("reply", "corrections", add_one), "vole-inputs"),
        (SetupTrial, inner("reply", "digest", flipped), "vole-inputs"),
        (SetupTrial, lambda m: replace(m, nonce=bytes(32)), "vole-inputs"),
        (SetupTrial, lambda m: replace(m, inputs=add_one(m.inputs)), "trial-product"),
        (SetupTrial, lambda m: replace(m, outputs=add_one(m.outputs, 1)), "trial-product"),
    ],
)
def test_dkls23_setup_trial_bans_sender(kind: type, change: Change, check: str) -> None:
    network = with_cheat(kind, change)
    assert network.verdicts(2) == {1: ("ban", frozenset({2}), check)}
    assert not network.outcomes


@pytest.mark.parametrize(("field", "step"), [("zero", "answer"), ("gadget", "receive")])
def test_dkls23_setup_checks_all_promises_before_it_uses_any_point(
    monkeypatch: pytest.MonkeyPatch, field: str, step: str
) -> None:
    calls = []
    original = getattr(endemic, step)

    def recorded(*arguments: Any) -> Any:
        calls.append(step)
        return original(*arguments)

    monkeypatch.setattr(endemic, step, recorded)
    with_cheat(SetupPromise, lambda m: replace(m, **{field: bytes(32)}))
    assert calls == [step]  # party 2, to whom nobody has lied


def test_dkls23_setup_answer_with_other_keys_bans_sender() -> None:
    """The points are valid, but not those that made the sender's keys."""
    other = Network({1: honest(1), 2: honest(2, "other")}).deliver()
    payload = sent(other, "dkls23.setup-answer")
    points = decode(SetupAnswer, payload).points
    network = with_cheat(SetupAnswer, lambda m: replace(m, points=points))
    assert network.verdicts(2) == {1: ("ban", frozenset({2}), "ot-rows")}


def test_dkls23_setup_no_party_finishes_when_one_pair_fails() -> None:
    network = with_cheat(SetupTrial, inner("reply", "digest", flipped), (1, 2, 3))
    assert network.verdicts(2) == {1: ("ban", frozenset({2}), "vole-inputs")}
    assert not network.outcomes


def sent(network: Network, kind: str) -> bytes:
    """Give what party 2 sent to party 1."""
    route = (kind, 2, 1)
    (found,) = [e.payload for e in network.sent if (e.kind, e.sender, e.recipient) == route]
    return found


def test_dkls23_setup_message_of_another_setup_is_refused() -> None:
    earlier = Network({1: honest(1), 2: honest(2)}, session_id=bytes(32)).deliver()
    for kind in ("dkls23.setup-choices", "dkls23.setup-answer"):
        payload = sent(earlier, kind)

        def wire(envelope: Envelope, _to: int, kind: str = kind, payload: bytes = payload) -> Any:
            if (envelope.sender, envelope.kind) == (2, kind):
                return [replace(envelope, payload=payload)]
            return [envelope]

        network = Network({1: honest(1), 2: honest(2)}, wire=wire).deliver()
        assert network.verdicts(2)[1][:2] == ("blame", frozenset({2}))
        assert not network.outcomes


def test_dkls23_setup_points_of_another_setup_under_this_session_make_no_pair() -> None:
    """Relabelled, they pass as points; but then nobody knows the keys, and no trial succeeds."""
    earlier = Network({1: honest(1), 2: honest(2)}, session_id=bytes(32)).deliver()
    points = decode(SetupChoices, sent(earlier, "dkls23.setup-choices")).points
    network = with_cheat(SetupChoices, lambda m: replace(m, points=points))
    assert not network.outcomes
    assert not network.verdicts(2)


def test_dkls23_setup_message_for_another_pair_blames_who_repeats_it() -> None:
    """Party 2 gives party 1 what it made for party 3, with the part of the seed it owes to 1."""
    first = Network({i: honest(i) for i in (1, 2, 3)}).deliver()
    meant = {
        e.recipient: decode(SetupChoices, e.payload)
        for e in first.sent
        if (e.kind, e.sender) == ("dkls23.setup-choices", 2)
    }
    mixed = replace(meant[1], session=meant[3].session, points=meant[3].points)
    network = with_cheat(SetupChoices, lambda _: mixed, (1, 2, 3))
    assert network.verdicts(2) == {1: ("blame", frozenset({2}), "base-session")}
    assert not network.outcomes


def test_dkls23_setup_equivocation_blames_nobody_until_originals_meet() -> None:
    wire = rewrite(2, "dkls23.setup-opening", lambda m: replace(m, nonce=bytes(32)), to=3)
    network = Network({i: honest(i) for i in (1, 2, 3)}, wire=wire).deliver()
    expected = ("retry", frozenset(), "echo-broadcast")
    assert set(network.verdicts(2).values()) == {expected}
    one, three = (network.sessions[i].received_envelopes() for i in (1, 3))
    assert find_equivocation(one, three) == {2}


def test_dkls23_setup_wrong_numbers_are_wrong_modulo_the_order() -> None:
    """Inputs and outputs that are equal modulo the order are as good."""

    def lifted(data: bytes) -> bytes:
        value = int.from_bytes(data[:32], "big") + N
        return (value.to_bytes(32, "big") if value < 2**256 else data[:32]) + data[32:]

    network = with_cheat(SetupTrial, lambda m: replace(m, inputs=lifted(m.inputs)))
    assert not network.verdicts(2)
