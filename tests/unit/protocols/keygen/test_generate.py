from dataclasses import replace

from console.protocols.kernel.party import Party
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.math.ed25519 import ED25519
from tests.adversary.erasure import remembered
from tests.adversary.network import Network, stream

PARAMETERS = KeygenParameters(ED25519, 2, b"wallet")


def test_two_keys_are_made_in_one_session() -> None:
    def run(i: int):
        async def both(party: Party):
            random = stream(f"two/{i}")
            first = await generate(party, replace(PARAMETERS, context=b"a"), random)
            second = await generate(party, replace(PARAMETERS, context=b"b"), random)
            return first, second

        return both

    network = Network({i: run(i) for i in (1, 2, 3)}).deliver()
    pairs = list(network.outcomes.values())
    assert len(pairs) == 3
    for which in (0, 1):
        assert len({pair[which].transcript for pair in pairs}) == 1
        assert len({pair[which].share.public for pair in pairs}) == 1
    assert pairs[0][0].share.public.group_key != pairs[0][1].share.public.group_key
    assert network.sessions[1].round == 9


def test_all_secrets_of_a_run_are_wiped(monkeypatch) -> None:
    made = remembered(monkeypatch)
    runs = {i: lambda party, i=i: generate(party, PARAMETERS, stream(f"w/{i}")) for i in (1, 2, 3)}
    network = Network(runs).deliver()
    kept = [result.share.secret for result in network.outcomes.values()]
    assert len(kept) == 3
    left = [secret for secret in made if not secret.wiped]
    assert {id(secret) for secret in left} == {id(secret) for secret in kept}


def test_secrets_of_an_abandoned_run_are_wiped(monkeypatch) -> None:
    made = remembered(monkeypatch)
    network = Network({i: lambda p: generate(p, PARAMETERS, stream("x")) for i in (1, 2)})
    network.sessions[1].start()
    assert not all(secret.wiped for secret in made)
    network.sessions[1].close()
    assert made
    assert all(secret.wiped for secret in made)
