"""CPU of the protocols: all parties of a run together, in one process, with all messages encoded.

Samples are process CPU time, so that what else the machine does counts as little as possible.
"""

import secrets
import time
from collections.abc import Callable

from console.protocols.frost import (
    FROST_ED25519,
    FROST_SECP256K1,
    SigningPackage,
    Suite,
    commit,
    sign_with,
)
from console.protocols.frost.signing import aggregate, sign_share
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.math.ed25519 import ED25519
from tests.adversary.keys import dealt
from tests.adversary.network import Network
from tests.benchmarks.figures import Figure, figure

MESSAGE = secrets.token_bytes(200)
_WARM_UP = 3


def frost_ed25519_sign_2of3() -> list[Figure]:
    return _sign(FROST_ED25519, 2, 3, 200)


def frost_ed25519_sign_3of5() -> list[Figure]:
    return _sign(FROST_ED25519, 3, 5, 100)


def frost_ed25519_sign_7of10() -> list[Figure]:
    return _sign(FROST_ED25519, 7, 10, 30)


def frost_secp256k1_sign_2of3() -> list[Figure]:
    return _sign(FROST_SECP256K1, 2, 3, 200)


def frost_secp256k1_sign_3of5() -> list[Figure]:
    return _sign(FROST_SECP256K1, 3, 5, 100)


def frost_secp256k1_sign_7of10() -> list[Figure]:
    return _sign(FROST_SECP256K1, 7, 10, 30)


def frost_ed25519_steps() -> list[Figure]:
    """Each step of one party, 2 of 3: commit, bind the package, answer, aggregate and verify."""
    keys = dealt(2, 3)
    taken: dict[str, list[float]] = {"commit": [], "bind": [], "answer": [], "aggregate": []}
    for _ in range(200):
        nonces, commitments, answers = {}, {}, {}
        for i in (1, 2):
            started = time.process_time()
            nonces[i], commitments[i] = commit(FROST_ED25519, keys[i].secret, secrets.token_bytes)
            taken["commit"].append(time.process_time() - started)
        started = time.process_time()
        package = SigningPackage.bind(
            FROST_ED25519, keys[1].public, MESSAGE, sorted(commitments.items())
        )
        taken["bind"].append(time.process_time() - started)
        for i in (1, 2):
            started = time.process_time()
            answers[i] = sign_share(keys[i], nonces[i], package)
            taken["answer"].append(time.process_time() - started)
        started = time.process_time()
        aggregate(package, answers)
        taken["aggregate"].append(time.process_time() - started)
    return [figure(f"frost_ed25519_{step}_2of3", samples) for step, samples in taken.items()]


def keygen_eddsa_2of3() -> list[Figure]:
    """The whole key generation, three parties."""
    parameters = KeygenParameters(ED25519, 2, b"benchmark")

    def ceremony() -> None:
        network = Network(
            {i: lambda p: generate(p, parameters, secrets.token_bytes) for i in (1, 2, 3)},
            session_id=secrets.token_bytes(32),
        ).deliver()
        for result in network.outcomes.values():
            result.share.secret.wipe()

    return [figure("keygen_eddsa_2of3", timed(ceremony, 40))]


def _sign(suite: Suite, threshold: int, parties: int, count: int) -> list[Figure]:
    keys = dealt(threshold, parties, group=suite.group)

    def signature() -> None:
        network = Network(
            {
                i: lambda p, i=i: sign_with(suite, p, keys[i], MESSAGE, secrets.token_bytes)
                for i in range(1, threshold + 1)
            },
            session_id=secrets.token_bytes(32),
        ).deliver()
        if len(network.outcomes) != threshold:
            raise RuntimeError("the signature failed")

    name = f"frost_{suite.group.name}_sign_{threshold}of{parties}"
    return [figure(name, timed(signature, count))]


def timed(act: Callable[[], None], count: int) -> list[float]:
    """Return the process CPU seconds of `count` calls, after a few that are not counted."""
    taken = []
    for number in range(count + _WARM_UP):
        started = time.process_time()
        act()
        if number >= _WARM_UP:
            taken.append(time.process_time() - started)
    return taken
