"""Honest runs of every protocol, over small keys, for tests that go through all of them."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from console.protocols.dkls23 import setup
from console.protocols.frost import FROST_ED25519, sign_with
from console.protocols.kernel.abort import freeze
from console.protocols.keygen import (
    BadShare,
    KeygenParameters,
    RepairParameters,
    ReshareParameters,
    generate,
    refresh,
    repair,
    reshare,
)
from console.protocols.math.ed25519 import ED25519
from tests.adversary.keys import dealt
from tests.adversary.network import Run, stream
from tests.unit.protocols.dkls23.dealt import Bench, online

Runs = dict[int, Run]

KEYS = dealt(2, 3, "runs")
BENCH = Bench(3, 3)


def each(parties: Iterable[int], act: Callable[[int, Any], Any]) -> Runs:
    return {i: partial(act, i) for i in parties}


def unwatchful(run: Run) -> Run:
    """A cheat whose own program must not end the test by noticing what it did."""

    async def quiet(party: Any) -> Any:
        try:
            return await run(party)
        except BadShare:
            raise freeze("own-share", "noticed by the cheat itself") from None

    return quiet


def dkg() -> Runs:
    agreed = KeygenParameters(ED25519, 2, b"runs")
    return each((1, 2, 3), lambda i, p: generate(p, agreed, stream(f"dkg/{i}")))


def refreshing() -> Runs:
    return each(KEYS, lambda i, p: refresh(p, KEYS[i], b"e2", stream(f"redeal/{i}")))


def resharing() -> Runs:
    """Party 1 leaves, party 4 is new; party 3 keeps its place without dealing."""
    agreed = ReshareParameters(KEYS[1].public, (1, 2), (2, 3, 4), 2, b"e2")
    shares = {1: KEYS[1], 2: KEYS[2]}
    return each((1, 2, 3, 4), lambda i, p: reshare(p, agreed, shares.get(i), stream(f"redeal/{i}")))


def redealing() -> Runs:
    """A reshare to the same owners: but for its name, what a refresh is."""
    agreed = ReshareParameters(KEYS[1].public, (1, 2, 3), (1, 2, 3), 2, b"e2")
    return each(KEYS, lambda i, p: reshare(p, agreed, KEYS[i], stream(f"redeal/{i}")))


def repairing(lost: int = 3) -> Runs:
    helpers = tuple(i for i in KEYS if i != lost)
    agreed = RepairParameters(KEYS[1].public, lost, helpers, b"repair")
    shares = {i: KEYS[i] for i in helpers}
    return each(KEYS, lambda i, p: repair(p, agreed, shares.get(i), stream(f"repair/{i}")))


def repaired() -> Runs:
    """A repair of party 2, which then is the one that proves something."""
    return repairing(2)


def frost() -> Runs:
    return each(KEYS, lambda i, p: sign_with(FROST_ED25519, p, KEYS[i], b"m", stream(f"f/{i}")))


def pairing() -> Runs:
    return each((1, 2), lambda i, p: setup(p, b"key", stream(f"setup/{i}")))


def ecdsa() -> Runs:
    bench = BENCH.copy()
    return {i: bench.signing(i) for i in (1, 2, 3)}


def late() -> Runs:
    """Signatures of presignatures."""
    presigned = BENCH.copy().presigned((1, 2, 3))
    return {i: online(p) for i, p in presigned.items()}
