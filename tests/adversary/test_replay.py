"""What was said elsewhere: in another session, in another ceremony, or differently to another."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from console.protocols.frost import FROST_ED25519, sign_with
from console.protocols.kernel.session import Envelope, find_equivocation
from console.protocols.kernel.wire import decode, message_type
from console.protocols.keygen import share_proof
from tests.adversary.network import CheatingParty, Network, Run, stream
from tests.adversary.runs import (
    KEYS,
    Runs,
    dkg,
    ecdsa,
    frost,
    late,
    pairing,
    redealing,
    refreshing,
    repaired,
    repairing,
    resharing,
)

Protocol = Callable[[], Runs]

BLAME, BAN, RETRY = "blame", "ban", "retry"
ELSEWHERE = b"\x01" * 32


def said_by_two(network: Network) -> dict[tuple[str, int | None], bytes]:
    return {(e.kind, e.recipient): e.payload for e in network.sent if e.sender == 2 and e.payload}


@cache
def said_elsewhere(protocol: Protocol) -> dict[tuple[str, int | None], bytes]:
    network = Network(protocol(), session_id=ELSEWHERE).deliver()
    assert not network.aborts
    return said_by_two(network)


def repeating(run: Run, said: dict[tuple[str, int | None], bytes], *kinds: str) -> Run:
    """Let a party say what it said there instead of what it has to say here."""

    def change(message: Any, to: int | None) -> Any:
        kind = message_type(type(message)).kind
        return decode(type(message), said[kind, to]) if kind in kinds else message

    return lambda party: run(CheatingParty(party, change))


# With the same randomness in both sessions, the session's name alone keeps the two apart. None:
# the message holds nothing that a session could change.
REPLAYS: list[tuple[Protocol, str, tuple[str, str] | None]] = [
    (dkg, "dkg.commitment", (BLAME, "commitment-opening")),
    (dkg, "dkg.opening", (BLAME, "dealer-proof")),
    (dkg, "dkg.subshare", None),
    (dkg, "dkg.complaints", None),
    (dkg, "dkg.share-proof", (BLAME, "share-proof")),
    (refreshing, "dkg.commitment", (BLAME, "commitment-opening")),
    (refreshing, "redeal.opening", (BLAME, "dealer-proof")),
    (refreshing, "dkg.subshare", None),
    (refreshing, "dkg.complaints", None),
    (refreshing, "dkg.share-proof", (BLAME, "share-proof")),
    (resharing, "dkg.commitment", (BLAME, "commitment-opening")),
    (resharing, "redeal.opening", (BLAME, "dealer-proof")),
    (resharing, "dkg.subshare", None),
    (resharing, "dkg.complaints", None),
    (resharing, "dkg.share-proof", (BLAME, "share-proof")),
    (repairing, "repair.split", None),
    (repairing, "dkg.subshare", None),
    (repairing, "dkg.complaints", None),
    (repairing, "repair.sum", None),
    (repaired, "dkg.share-proof", (BLAME, "share-proof")),
    (frost, "frost.commitment", None),
    (frost, "frost.signature-share", None),
    (pairing, "dkls23.setup-opening", (RETRY, "terms")),
    (pairing, "dkls23.setup-promise", (BLAME, "zero-promise")),
    (pairing, "dkls23.setup-choices", (BLAME, "base-session")),
    (pairing, "dkls23.setup-answer", (BLAME, "base-session")),
    (pairing, "dkls23.setup-trial", (BAN, "vole-inputs")),
    (pairing, "dkls23.setup-confirmation", (BLAME, "setup-confirmation")),
    (ecdsa, "dkls23.commitment", (RETRY, "terms")),
    (ecdsa, "dkls23.vole-request", (BAN, "ot-rows")),
    (ecdsa, "dkls23.opening", (BLAME, "commitments-digest")),
    (ecdsa, "dkls23.vole-reply", (BAN, "vole-inputs")),
    (ecdsa, "dkls23.partial", (BLAME, "group-nonce")),
    (late, "dkls23.partial", None),
]


@pytest.mark.parametrize(
    ("protocol", "kind", "expected"), REPLAYS, ids=[f"{p.__name__}-{k}" for p, k, _ in REPLAYS]
)
def test_message_of_another_session_names_who_repeats_it(
    protocol: Protocol, kind: str, expected: tuple[str, str] | None
) -> None:
    runs = protocol()
    runs[2] = repeating(runs[2], said_elsewhere(protocol), kind)
    network = Network(runs).deliver()
    honest = sorted(set(network.runs) - {2})
    if expected is None:
        assert not network.aborts
        assert set(network.outcomes) == set(network.runs)
        return
    verdict, check = expected
    culprits = frozenset[int]() if verdict == RETRY else frozenset({2})
    assert network.verdicts(2) == dict.fromkeys(honest, (verdict, culprits, check))
    assert not set(network.outcomes) & set(honest)


def test_replays_cover_every_kind_that_the_runs_say() -> None:
    for protocol in {row[0] for row in REPLAYS}:
        said = {kind for kind, _ in said_elsewhere(protocol)}
        known = {kind for p, kind, _ in REPLAYS if p is protocol}
        assert known <= said
        # A helper's proof is empty; what the repaired party says besides is empty as well.
        empty = {"dkg.share-proof"} if protocol is repairing else said - {"dkg.share-proof"}
        assert known == said - (empty if protocol in {repairing, repaired} else set())


@pytest.mark.parametrize(
    ("kinds", "check"),
    [
        (("dkg.commitment", "redeal.opening"), "commitment-opening"),
        (("redeal.opening",), "dealer-proof"),
        (("dkg.share-proof",), "share-proof"),
    ],
)
@pytest.mark.parametrize("kind", ["refresh", "reshare"])
def test_message_of_another_ceremony_in_the_same_session_names_who_repeats_it(
    kind: str, kinds: tuple[str, ...], check: str
) -> None:
    """A refresh and a reshare to the same owners say messages of the same kinds."""
    here, there = (refreshing, redealing) if kind == "refresh" else (redealing, refreshing)
    other = Network(there()).deliver()
    assert not other.aborts
    runs = here()
    runs[2] = repeating(runs[2], said_by_two(other), *kinds)
    network = Network(runs).deliver()
    assert network.verdicts(2) == dict.fromkeys((1, 3), (BLAME, frozenset({2}), check))
    assert not set(network.outcomes) & {1, 3}


# Two views of the last round


@pytest.fixture
def other_proof(monkeypatch: pytest.MonkeyPatch) -> Callable[[Protocol], bytes]:
    """Give a second proof of party 2 for the same statement, as valid as the first."""
    original = share_proof.prove

    def prove(share: Any, tag: Any, said: bytes, random: Any) -> Any:
        source = stream("second proof") if share.index == 2 else random
        return original(share, tag, said, source)

    def second(protocol: Protocol) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(share_proof, "prove", prove)
            network = Network(protocol()).deliver()
        assert not network.aborts
        return said_by_two(network)["dkg.share-proof", None]

    return second


@pytest.mark.parametrize("protocol", [dkg, refreshing, resharing, repaired])
def test_two_views_of_the_last_round_change_no_key(
    protocol: Protocol, other_proof: Callable[[Protocol], bytes]
) -> None:
    """Both proofs verify: only the echo that comes before any outcome can notice."""
    payload = other_proof(protocol)

    def wire(envelope: Envelope, to: int) -> Iterable[Envelope]:
        if (envelope.sender, envelope.kind, to) == (2, "dkg.share-proof", 3):
            assert envelope.payload != payload
            return [replace(envelope, payload=payload)]
        return [envelope]

    for seed in ("0", "1", "2"):
        network = Network(protocol(), seed, wire).deliver()
        honest = set(network.runs) - {2}
        assert not honest & set(network.outcomes)
        expected = ("retry", frozenset[int](), "echo-broadcast")
        assert network.verdicts(2) == dict.fromkeys(sorted(honest), expected)
        one, three = (network.sessions[i].received_envelopes() for i in (1, 3))
        assert find_equivocation(one, three) == {2}
    # Whoever held a share before holds it still, and can use it.
    signing: Any = {
        i: lambda p, i=i: sign_with(FROST_ED25519, p, KEYS[i], b"m", stream(f"old/{i}"))
        for i in (1, 3)
    }
    (signature,) = set(Network(signing).deliver().outcomes.values())
    FROST_ED25519.verify(KEYS[1].public.group_key, b"m", signature)


@pytest.mark.parametrize("protocol", [dkg, refreshing, resharing, repaired, frost, ecdsa])
def test_outcome_without_the_last_echo_of_one_party_is_not_released(protocol: Protocol) -> None:
    def wire(envelope: Envelope, to: int) -> Iterable[Envelope]:
        return [] if (envelope.sender, envelope.kind, to) == (2, "echo", 1) else [envelope]

    network = Network(protocol(), wire=wire).deliver()
    assert 1 not in network.outcomes
    assert network.sessions[1].awaiting == {2}
    assert not network.aborts
