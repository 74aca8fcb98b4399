"""Wall time of ceremonies that make or change a wallet's keys of all kinds, in one session each.

All parties take turns in one process, with all messages encoded and neither a network, a vault
nor a ledger: on machines of their own they would compute at the same time.
"""

import secrets
import time
from collections.abc import Callable

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.ports.threshold import KeygenOutput, ThresholdScheme
from console.protocols.kernel.party import Party
from console.protocols.keygen import ReshareParameters
from tests.adversary.network import Run
from tests.benchmarks.figures import Figure, figure
from tests.benchmarks.runs import outcomes_of

SCHEMES: tuple[ThresholdScheme, ...] = (EcdsaSecp256k1(), SchnorrBip340(), EddsaEd25519())
OLD, NEW = (1, 2, 3), (1, 2, 3, 4, 5)

Keys = dict[int, tuple[KeygenOutput, ...]]


def keygen_all_kinds_2of3() -> list[Figure]:
    """Make a wallet: a key of each kind."""
    return [figure("keygen_all_kinds_2of3", _walled(_generate, 10))]


def refresh_2of3() -> list[Figure]:
    """Give the owners new shares of all keys, and new pair states."""
    keys = _generate()

    def refresh() -> Keys:
        def run(i: int) -> Run:
            async def all_kinds(party: Party) -> tuple[KeygenOutput, ...]:
                return tuple(
                    [
                        await scheme.refresh(party, key.held.share, b"", secrets.token_bytes)
                        for scheme, key in zip(SCHEMES, keys[i], strict=True)
                        if key.held
                    ]
                )

            return all_kinds

        return outcomes_of({i: run(i) for i in OLD})

    return [figure("refresh_2of3", _walled(refresh, 10))]


def reshare_2of3_to_3of5() -> list[Figure]:
    """Hand all keys over to two more owners; two of the old ones deal."""
    keys, dealers = _generate(), (1, 2)

    def reshare() -> Keys:
        def run(i: int) -> Run:
            async def all_kinds(party: Party) -> tuple[KeygenOutput, ...]:
                made = []
                for place, scheme in enumerate(SCHEMES):
                    public = keys[1][place].public
                    parameters = ReshareParameters(public, dealers, NEW, 3, b"")
                    held = keys[i][place].held if i in dealers else None
                    share = held.share if held else None
                    made.append(await scheme.reshare(party, parameters, share, secrets.token_bytes))
                return tuple(made)

            return all_kinds

        return outcomes_of({i: run(i) for i in NEW})

    return [figure("reshare_2of3_to_3of5", _walled(reshare, 5))]


def _generate() -> Keys:
    async def all_kinds(party: Party) -> tuple[KeygenOutput, ...]:
        return tuple(
            [await scheme.generate(party, 2, b"", secrets.token_bytes) for scheme in SCHEMES]
        )

    return outcomes_of(dict.fromkeys(OLD, all_kinds))


def _walled(act: Callable[[], Keys], count: int) -> list[float]:
    """Return the seconds of `count` calls, after one that is not counted; wipes what they made."""
    taken = []
    for number in range(count + 1):
        started = time.perf_counter()
        made = act()
        if number:
            taken.append(time.perf_counter() - started)
        for keys in made.values():
            for key in keys:
                if key.held:
                    key.held.wipe()
    return taken
