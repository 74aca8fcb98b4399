from dataclasses import replace

import pytest

from console.protocols.dkls23 import PairStates, decode_pairs, encode_pairs, setup, sign, verify
from console.protocols.dkls23.messages import (
    SetupAnswer,
    SetupChoices,
    SetupConfirmation,
    SetupTrial,
)
from tests.adversary.erasure import remembered
from tests.adversary.network import Network, Run, cheating, stream
from tests.unit.protocols.dkls23.dealt import DIGEST, Bench
from tests.unit.protocols.ot.keys import flipped


def setting_up(i: int, context: bytes = b"key 1, epoch 1") -> Run:
    return lambda party: setup(party, context, stream(f"setup/{i}"))


def test_states_of_a_setup_sign_after_storage() -> None:
    network = Network({i: setting_up(i) for i in (1, 2, 3)}).deliver()
    assert not network.aborts
    results: dict[int, PairStates] = network.outcomes
    assert len({pairs.setup_id for pairs in results.values()}) == 1
    assert results[1].peers == (2, 3)
    for i, j in ((1, 2), (1, 3), (2, 3)):
        one, two = results[i].state(j), results[j].state(i)
        assert one.zero_seed == two.zero_seed
        assert one.gadget_id == two.gadget_id
        assert one.chosen_keys.keys != two.chosen_keys.keys
    zero_seeds = {bytes(results[1].state(j).zero_seed.view()) for j in (2, 3)}
    assert len(zero_seeds) == 2
    keys = Bench(2, 3).keys
    stored = {i: decode_pairs(encode_pairs(pairs)) for i, pairs in results.items()}
    for signers in ((1, 2), (3, 2)):
        signing = Network(
            {
                i: lambda p, i=i: sign(p, keys[i], stored[i], DIGEST, stream(f"s/{i}"))
                for i in signers
            }
        ).deliver()
        (signature,) = set(signing.outcomes.values())
        verify(keys[1].public.group_key, DIGEST, signature)


def test_only_the_states_outlive_a_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembered(monkeypatch)
    network = Network({i: setting_up(i) for i in (1, 2)}).deliver()
    kept = [s for i in (1, 2) for s in network.outcomes[i].state(3 - i).secrets()]
    left = [secret for secret in made if not secret.wiped]
    assert {id(secret) for secret in left} == {id(secret) for secret in kept}


@pytest.mark.parametrize("kind", [SetupChoices, SetupAnswer, SetupTrial, SetupConfirmation])
def test_nothing_secret_of_an_abandoned_setup_outlives_it(
    monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    """Party 2 falls silent; party 1 has made keys by then, which no session will ever use."""
    made = remembered(monkeypatch)
    silent = cheating(setting_up(2), kind, lambda _: None)
    network = Network({1: setting_up(1), 2: silent}).deliver()
    assert not network.outcomes
    assert any(not secret.wiped for secret in made)
    for session in network.sessions.values():
        session.close()
    assert all(secret.wiped for secret in made)


def test_nothing_secret_outlives_a_setup_in_which_one_of_two_cheats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was computed with the honest one is of no use either."""

    def bad(message: SetupAnswer) -> SetupAnswer:
        choice = flipped(message.request.hashed_choice)
        return replace(message, request=replace(message.request, hashed_choice=choice))

    made = remembered(monkeypatch)
    runs = {i: setting_up(i) for i in (1, 2, 3)}
    runs[2] = cheating(runs[2], SetupAnswer, bad, only=1)
    network = Network(runs).deliver()
    assert network.verdicts(2) == {1: ("ban", frozenset({2}), "ot-rows")}
    for session in network.sessions.values():
        session.close()
    assert all(secret.wiped for secret in made)


def test_one_party_alone_has_no_pairs() -> None:
    with pytest.raises(ValueError, match="two"):
        Network({1: setting_up(1)}).deliver()


def test_parties_that_mean_different_keys_blame_nobody() -> None:
    network = Network({1: setting_up(1), 2: setting_up(2, b"key 2")}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("retry", frozenset(), "terms"))
