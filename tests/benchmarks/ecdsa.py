"""CPU of DKLs23 for each party: a run's process CPU time, shared by the parties in it."""

import secrets

from console.protocols.dkls23 import PairStates, presign, setup, sign, sign_online
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.benchmarks.figures import Figure, figure
from tests.benchmarks.protocols import timed
from tests.benchmarks.runs import outcomes_of

DIGEST = secrets.token_bytes(32)


def dkls23_sign_2of3() -> list[Figure]:
    return _sign(2, 3, 40)


def dkls23_sign_3of5() -> list[Figure]:
    return _sign(3, 5, 20)


def dkls23_online_2of3() -> list[Figure]:
    """From a presignature to a verified signature."""
    keys, pairs = dealt(2, 3, group=SECP256K1), _set_up(3)
    waiting = [
        outcomes_of(
            {i: lambda p, i=i: presign(p, keys[i], pairs[i], secrets.token_bytes) for i in (1, 2)}
        )
        for _ in range(43)
    ]

    def online() -> None:
        ready = waiting.pop()
        outcomes_of({i: lambda p, i=i: sign_online(p, ready[i], DIGEST) for i in (1, 2)})

    return [figure("dkls23_online_2of3", [s / 2 for s in timed(online, 40)])]


def dkls23_pair_setup() -> list[Figure]:
    """Both directions of one pair."""
    return [figure("dkls23_pair_setup", [s / 2 for s in timed(lambda: _set_up(2), 8)])]


def _sign(threshold: int, parties: int, count: int) -> list[Figure]:
    keys, pairs = dealt(threshold, parties, group=SECP256K1), _set_up(parties)
    signers = range(1, threshold + 1)

    def signature() -> None:
        outcomes_of(
            {
                i: lambda p, i=i: sign(p, keys[i], pairs[i], DIGEST, secrets.token_bytes)
                for i in signers
            }
        )

    samples = [seconds / threshold for seconds in timed(signature, count)]
    return [figure(f"dkls23_sign_{threshold}of{parties}", samples)]


def _set_up(parties: int) -> dict[int, PairStates]:
    everybody = range(1, parties + 1)
    return outcomes_of(
        {i: lambda p: setup(p, b"benchmark", secrets.token_bytes) for i in everybody}
    )
