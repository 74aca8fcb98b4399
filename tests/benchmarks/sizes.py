"""Bytes: what a presignature takes at rest, and what each party sends for one signature.

Sent bytes are those of the encoded envelopes, once for each peer that gets one, before the
channel's tags and the node's signatures are added.
"""

import secrets
from collections.abc import Iterable, Sequence

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.ports.threshold import KeyMaterial, ThresholdScheme
from console.protocols.dkls23 import (
    PairStates,
    encode_pairs,
    encode_presignature,
    presign,
    setup,
)
from console.protocols.kernel.session import encode_envelope
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.secp256k1 import SECP256K1
from console.sealing.sealer import SEAL_OVERHEAD
from tests.adversary.keys import dealt
from tests.adversary.network import Network, Run
from tests.benchmarks.figures import Figure, figure

MESSAGE = secrets.token_bytes(32)


def dkls23_presignature_size() -> list[Figure]:
    """For 2 of 3: encoded, with the nonce and the tag of its seal. The goal is at most 50 KB."""
    keys = dealt(2, 3, group=SECP256K1)
    pairs = _set_up((1, 2))
    made = _run(
        {i: lambda p, i=i: presign(p, keys[i], pairs[i], secrets.token_bytes) for i in (1, 2)}
    ).outcomes
    sizes = [len(encode_presignature(one)) + SEAL_OVERHEAD for one in made.values()]
    return [_figure("dkls23_presignature_size", sizes)]


def signature_bytes() -> list[Figure]:
    """Each party's bytes for one signature, of each kind, whole and without a presignature."""
    figures = []
    for name, scheme, group in (
        ("frost_ed25519", EddsaEd25519(), ED25519),
        ("frost_secp256k1", SchnorrBip340(), SECP256K1),
        ("dkls23", EcdsaSecp256k1(), SECP256K1),
    ):
        for threshold, parties in ((2, 3), (3, 5)):
            sent = _sent(scheme, group, threshold, parties)
            figures.append(_figure(f"{name}_bytes_{threshold}of{parties}", sent))
    return figures


def _sent(scheme: ThresholdScheme, group: Group, threshold: int, parties: int) -> list[int]:
    signers = range(1, threshold + 1)
    parts = {i: KeyMaterial(share) for i, share in dealt(threshold, parties, group=group).items()}
    if isinstance(scheme, EcdsaSecp256k1):
        states = _set_up(signers)
        parts = {i: KeyMaterial(parts[i].share, encode_pairs(states[i])) for i in signers}
    network = _run(
        {
            i: lambda p, i=i: scheme.sign(p, parts[i], "m", MESSAGE, secrets.token_bytes)
            for i in signers
        }
    )
    sent = dict.fromkeys(signers, 0)
    for envelope in network.sent:
        copies = 1 if envelope.recipient else threshold - 1
        sent[envelope.sender] += copies * len(encode_envelope(envelope))
    return list(sent.values())


def _set_up(parties: Iterable[int]) -> dict[int, PairStates]:
    return _run(dict.fromkeys(parties, lambda p: setup(p, b"", secrets.token_bytes))).outcomes


def _run(runs: dict[int, Run]) -> Network:
    network = Network(runs, session_id=secrets.token_bytes(32)).deliver()
    if len(network.outcomes) != len(runs):
        raise RuntimeError("the run failed")
    return network


def _figure(name: str, sizes: Sequence[int]) -> Figure:
    return figure(name, sizes, unit="bytes", scale=1)
