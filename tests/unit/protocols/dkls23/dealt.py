"""Pair states from a trusted dealer, and runs on them, for tests that start where setup ends."""

import copy
import hashlib
import itertools
from collections.abc import Iterable

from console.protocols.dkls23 import PairState, PairStates, presign, sign, sign_online
from console.protocols.dkls23.pairs import decode_pairs, encode_pairs
from console.protocols.dkls23.presignature import Presignature
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.adversary.network import Network, Run, stream
from tests.unit.protocols.ot.keys import dealt_keys

DIGEST = hashlib.sha256(b"pay 1 to alice").digest()
SETUP_ID = hashlib.sha256(b"setup").digest()
TWEAK = SECP256K1.random_scalar(stream("tweak"))


def keys_of(threshold: int, parties: int) -> dict[int, KeyShare]:
    return dealt(threshold, parties, "ecdsa", SECP256K1)


def dealt_pairs(parties: Iterable[int], seed: str = "pairs") -> dict[int, PairStates]:
    indices = sorted(parties)
    states: dict[int, list[tuple[int, PairState | None]]] = {i: [] for i in indices}
    for i, j in itertools.permutations(indices, 2):
        low, high = sorted((i, j))
        common = stream(f"{seed}/{low}/{high}")
        gadget_id, zero = common(32), common(32)
        both = dealt_keys(f"{seed}/{i}<{j}")[0]
        chosen = dealt_keys(f"{seed}/{j}<{i}")[1]
        states[i].append((j, PairState(gadget_id, SecretBytes(zero), both, chosen)))
    return {i: PairStates(i, SETUP_ID, states[i]) for i in indices}


def copied(pairs: PairStates) -> PairStates:
    """Copy as an attacker with a snapshot would."""
    return decode_pairs(encode_pairs(pairs))


class Bench:
    """A key with its pair states, and the runs of its parties."""

    def __init__(self, threshold: int, parties: int) -> None:
        self.keys = keys_of(threshold, parties)
        self.pairs = dealt_pairs(self.keys)
        self.public = self.keys[1].public

    def copy(self) -> "Bench":
        """Give the same parties, whose states may be destroyed."""
        other = copy.copy(self)
        other.pairs = {i: copied(pairs) for i, pairs in self.pairs.items()}
        return other

    def signing(
        self, i: int, digest: bytes = DIGEST, tweak: bytes | None = None, seed: str = "sign"
    ) -> Run:
        return lambda party: sign(
            party, self.keys[i], self.pairs[i], digest, stream(f"{seed}/{i}"), tweak
        )

    def presigning(self, i: int, tweak: bytes | None = None, seed: str = "presign") -> Run:
        return lambda party: presign(
            party, self.keys[i], self.pairs[i], stream(f"{seed}/{i}"), tweak
        )

    def presigned(
        self, signers: Iterable[int], tweak: bytes | None = None, seed: str = "presign"
    ) -> dict[int, Presignature]:
        network = Network({i: self.presigning(i, tweak, seed) for i in signers}).deliver()
        assert not network.aborts
        return network.outcomes


def online(presignature: Presignature, digest: bytes = DIGEST) -> Run:
    return lambda party: sign_online(party, presignature, digest)
