"""Ceremonies and signatures of every kind in memory, and verifiers that share no code with ours."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from coincurve import PublicKey, PublicKeyXOnly
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.ports.threshold import KeygenOutput, KeyMaterial, ThresholdScheme
from console.protocols.keygen import PublicKeyPackage, RepairParameters, ReshareParameters
from tests.adversary.keys import copy_of
from tests.adversary.network import Network, Run, stream

Kind = Callable[[], ThresholdScheme]
Keys = dict[int, KeygenOutput]
Parts = dict[int, KeyMaterial]

KINDS: tuple[Kind, ...] = (EcdsaSecp256k1, SchnorrBip340, EddsaEd25519)
DIGEST = stream("digest")(32)
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def delivered(runs: Mapping[int, Run], label: str) -> Network:
    """Run a session whose id and order of delivery follow from `label`."""
    return Network(runs, seed=label, session_id=stream(label)(32)).deliver()


def agreed(network: Network) -> Keys:
    """Give the made keys, which all parties have, and which are the same but for the parts."""
    assert not network.aborts
    keys: Keys = network.outcomes
    assert set(keys) == set(network.runs)
    assert len({(key.public, key.transcript) for key in keys.values()}) == 1
    assert {i for i, key in keys.items() if key.held} == set(
        next(iter(keys.values())).public.indices
    )
    return keys


def parts_of(keys: Keys) -> Parts:
    """Copy everybody's part, so that a test may destroy it."""
    return {i: copied(key.held) for i, key in keys.items() if key.held}


def copied(held: KeyMaterial) -> KeyMaterial:
    share = held.share
    setup = None if held.setup is None else copy_of(held.setup)
    return KeyMaterial(type(share)(share.index, copy_of(share.secret), share.public), setup)


def generating(kind: Kind, threshold: int, parties: int, label: str = "generate") -> dict[int, Run]:
    return {
        i: lambda p, i=i: kind().generate(p, threshold, b"epoch 0", stream(f"{label}/{i}"))
        for i in range(1, parties + 1)
    }


@cache
def generated(kind: Kind, threshold: int, parties: int) -> Keys:
    return agreed(delivered(generating(kind, threshold, parties), f"g/{threshold}/{parties}"))


def refreshing(kind: Kind, parts: Parts, context: bytes = b"epoch 1") -> dict[int, Run]:
    return {
        i: lambda p, i=i: kind().refresh(p, parts[i].share, context, stream(f"refresh/{i}"))
        for i in parts
    }


@cache
def refreshed(kind: Kind, threshold: int, parties: int) -> Keys:
    parts = parts_of(generated(kind, threshold, parties))
    return agreed(delivered(refreshing(kind, parts), "refresh"))


def repairing(kind: Kind, parts: Parts, lost: int) -> dict[int, Run]:
    helpers = tuple(i for i in sorted(parts) if i != lost)
    parameters = RepairParameters(parts[helpers[0]].share.public, lost, helpers, b"epoch 1")
    return {
        i: lambda p, i=i: kind().repair(
            p, parameters, None if i == lost else parts[i].share, stream(f"repair/{i}")
        )
        for i in parts
    }


def resharing(
    kind: Kind, parts: Parts, dealers: tuple[int, ...], members: tuple[int, ...], threshold: int
) -> dict[int, Run]:
    public = parts[dealers[0]].share.public
    parameters = ReshareParameters(public, dealers, members, threshold, b"epoch 2")
    return {
        i: lambda p, i=i: kind().reshare(
            p, parameters, parts[i].share if i in dealers else None, stream(f"reshare/{i}")
        )
        for i in {*dealers, *members}
    }


def signing(
    kind: Kind,
    parts: Parts,
    signers: Iterable[int],
    path: str = "m",
    message: bytes = DIGEST,
    schemes: Mapping[int, ThresholdScheme] | None = None,
) -> dict[int, Run]:
    own = schemes or {i: kind() for i in signers}
    return {
        i: lambda p, i=i: own[i].sign(p, parts[i], path, message, stream(f"sign/{i}"))
        for i in signers
    }


def signed(
    kind: Kind, parts: Parts, signers: Iterable[int], path: str = "m", message: bytes = DIGEST
) -> bytes:
    """Sign, and check the signature by two independent verifiers."""
    network = delivered(signing(kind, parts, signers, path, message), f"{path}/{sorted(signers)}")
    assert not network.aborts
    (signature,) = set(network.outcomes.values())
    public = next(iter(parts.values())).share.public
    check(kind, public, path, message, signature)
    return signature


def check(
    kind: Kind, public: PublicKeyPackage, path: str, message: bytes, signature: bytes
) -> None:
    """Verify with our code and with others'."""
    key = kind().public_key(public, path)
    kind().verify(key, message, signature)
    if kind is EddsaEd25519:
        assert len(key) == 32
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    elif kind is SchnorrBip340:
        assert (len(key), len(signature)) == (32, 64)
        assert PublicKeyXOnly(key).verify(signature, message)
    else:
        assert (len(key), len(signature)) == (33, 65)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        assert s <= N // 2
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key).verify(
            encode_dss_signature(r, s), message, ec.ECDSA(Prehashed(hashes.SHA256()))
        )
        recovered = PublicKey.from_signature_and_message(signature, message, hasher=None)
        assert recovered.format() == key
