"""A peer that cheats in a multiplication: banned at once, in every run, until the next setup."""

from typing import Any

import pytest

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.application.ports.threshold import KeyMaterial, ThresholdScheme
from console.application.shares.key_material_codec import decode_key_material, encode_key_material
from console.protocols.dkls23 import decode_pairs
from console.protocols.dkls23.messages import SetupTrial, VoleRequest
from tests.adversary.erasure import remembered
from tests.adversary.network import Network, cheating, stream
from tests.adversary.test_dkls23_sign import inner
from tests.unit.protocols.ot.keys import flipped
from tests.unit.schemes.driving import (
    Parts,
    agreed,
    copied,
    delivered,
    generated,
    generating,
    parts_of,
    refreshing,
    signed,
    signing,
)

CHEAT = inner("request", "correction", flipped)
BANNED = ("ban", frozenset({2}), "banned")
CAUGHT = ("ban", frozenset({2}), "ot-rows")


@pytest.fixture
def parts() -> Parts:
    return parts_of(generated(EcdsaSecp256k1, 2, 3))


@pytest.fixture
def ours() -> EcdsaSecp256k1:
    """Give party 1's adapter, which lives as long as its node."""
    return EcdsaSecp256k1()


def attempt(parts: Parts, ours: ThresholdScheme, signers: tuple[int, ...] = (1, 2)) -> Network:
    schemes = {i: ours if i == 1 else EcdsaSecp256k1() for i in signers}
    return delivered(signing(EcdsaSecp256k1, parts, signers, schemes=schemes), "attempt")


def cheated(parts: Parts, ours: ThresholdScheme) -> Network:
    """Let party 2 send party 1 a request that does not agree with itself."""
    runs = signing(EcdsaSecp256k1, parts, (1, 2), schemes={1: ours, 2: EcdsaSecp256k1()})
    return delivered({**runs, 2: cheating(runs[2], VoleRequest, CHEAT)}, "cheated")


def banned_in(held: KeyMaterial | None) -> frozenset[int]:
    assert held is not None
    assert held.setup is not None
    return decode_pairs(held.setup).banned


def test_a_ban_is_stored_and_ends_signing_with_that_peer(
    parts: Parts, ours: EcdsaSecp256k1
) -> None:
    network = cheated(parts, ours)
    assert network.verdicts(2) == {1: CAUGHT}
    assert {envelope.round for envelope in network.sent if envelope.sender == 1} == {1}
    stored = ours.without_peers(parts[1], network.aborts[1].culprits)
    assert banned_in(stored) == {2}
    assert stored is not None
    # After a restart all that is known of the ban is in the record.
    parts = {**parts, 1: decode_key_material(encode_key_material(stored))}
    again = attempt(parts, EcdsaSecp256k1())
    assert again.verdicts(2) == {1: BANNED}
    assert not [envelope for envelope in again.sent if envelope.sender == 1]
    signed(EcdsaSecp256k1, parts, (1, 3))
    signed(EcdsaSecp256k1, parts, (2, 3))


def test_a_ban_holds_before_it_is_stored(parts: Parts, ours: EcdsaSecp256k1) -> None:
    """The record is opened once more before the ban has reached it."""
    cheated(parts, ours)
    assert banned_in(parts[1]) == frozenset()
    assert attempt(parts, ours).verdicts(2) == {1: BANNED}
    assert len(attempt(parts, ours, (1, 3)).outcomes) == 2


def test_a_ban_ends_the_runs_with_that_peer_which_are_under_way(
    parts: Parts, ours: EcdsaSecp256k1
) -> None:
    """Many runs at once teach a cheat no more than one: the others are dropped unjudged."""
    schemes = {1: ours, 2: EcdsaSecp256k1()}
    other = Network(signing(EcdsaSecp256k1, parts, (1, 2), schemes=schemes), session_id=bytes(32))
    said = {i: session.start() for i, session in other.sessions.items()}
    assert cheated(parts, ours).verdicts(2) == {1: CAUGHT}
    for envelope in said[2]:
        other.step(1, lambda e=envelope: other.sessions[1].receive(e))
    assert other.verdicts() == {1: BANNED}
    assert {envelope.round for envelope in other.sent} <= {1}


def test_bans_of_one_party_are_not_those_of_another(parts: Parts, ours: EcdsaSecp256k1) -> None:
    """Two members of a test in one process may share an adapter, also while it is in use."""
    runs = signing(EcdsaSecp256k1, parts, (2, 3), schemes={2: ours, 3: ours})
    under_way = Network(runs, session_id=bytes(32))
    said = {i: session.start() for i, session in under_way.sessions.items()}
    cheated(parts, ours)
    for sender, to in ((2, 3), (3, 2)):
        for envelope in said[sender]:
            under_way.step(to, lambda e=envelope, to=to: under_way.sessions[to].receive(e))
    assert not under_way.aborts
    assert {session.round for session in under_way.sessions.values()} == {2}
    assert len(delivered(runs, "shared").outcomes) == 2


def test_without_peers_gives_copies_and_only_if_something_changes(
    parts: Parts, ours: EcdsaSecp256k1
) -> None:
    held = parts[1]
    for nobody in ((), (1,), (7,)):
        assert ours.without_peers(held, nobody) is None
    one = ours.without_peers(held, (2, 7))
    assert banned_in(one) == {2}
    assert one is not None
    assert one.share == held.share
    assert ours.without_peers(one, (2,)) is None
    both = ours.without_peers(one, (2, 3))
    assert banned_in(both) == {2, 3}
    one.wipe()
    assert not held.share.secret.wiped
    assert held.setup is not None
    assert not held.setup.wiped
    assert both is not None
    both.share.check()


def test_the_later_of_two_runs_does_not_bring_back_what_the_other_destroyed(
    parts: Parts, ours: EcdsaSecp256k1
) -> None:
    """Both have opened the same record, and each bans another peer."""
    one, other = copied(parts[1]), copied(parts[1])
    assert banned_in(ours.without_peers(one, [2])) == {2}
    assert banned_in(ours.without_peers(other, [3])) == {2, 3}
    assert banned_in(ours.without_peers(one, [])) == {2, 3}


def test_a_record_without_peers_holds_nothing_of_their_state(
    parts: Parts, ours: EcdsaSecp256k1
) -> None:
    held = parts[1]
    assert held.setup is not None
    seed = bytes(decode_pairs(held.setup).state(2).zero_seed.view())
    changed = ours.without_peers(held, [2])
    assert changed is not None
    assert changed.setup is not None
    assert seed in bytes(held.setup.view())
    assert seed not in bytes(changed.setup.view())


def test_a_refresh_lifts_a_ban(parts: Parts, ours: EcdsaSecp256k1) -> None:
    cheated(parts, ours)
    stored = ours.without_peers(parts[1], [2])
    assert stored is not None
    keys = agreed(delivered(refreshing(EcdsaSecp256k1, {**parts, 1: stored}), "lifted"))
    assert len(attempt(parts_of(keys), ours).outcomes) == 2


def test_nothing_is_left_of_a_key_whose_setup_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = generating(EcdsaSecp256k1, 2, 2, "spoiled")
    cheat = inner("reply", "digest", flipped)
    made = remembered(monkeypatch)
    network = delivered({**runs, 2: cheating(runs[2], SetupTrial, cheat)}, "spoiled")
    assert network.verdicts(2) == {1: ("ban", frozenset({2}), "vole-inputs")}
    for session in network.sessions.values():
        session.close()
    assert not [secret for secret in made if len(secret) and not secret.wiped]


def test_a_run_that_is_closed_leaves_no_states(
    parts: Parts, ours: EcdsaSecp256k1, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = remembered(monkeypatch)
    runs: dict[int, Any] = signing(EcdsaSecp256k1, parts, (1, 2), schemes={1: ours, 2: ours})
    network = Network(runs, session_id=stream("closed")(32))
    session = network.sessions[1]
    session.start()
    assert [secret for secret in made if not secret.wiped]
    session.close()
    assert not [secret for secret in made if not secret.wiped]
    assert ours.without_peers(parts[1], [3]) is not None
