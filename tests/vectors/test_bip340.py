"""BIP 340: every row of the test vectors, and signing of BIP 341 with shares of one party."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from console.protocols.derivation import tap_tweak, tap_tweak_scalar
from console.protocols.frost import FROST_TAPROOT, InvalidSignature, bip340, sign_with
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.network import Network, stream

HERE = Path(__file__).parent
with (HERE / "bip340/test-vectors.csv").open() as rows:
    ROWS = list(csv.DictReader(rows))
WALLET = json.loads((HERE / "bip341/wallet-test-vectors.json").read_text())
SPENDING = WALLET["keyPathSpending"][0]["inputSpending"]

unhex = bytes.fromhex


@pytest.mark.parametrize("row", ROWS, ids=[row["index"] for row in ROWS])
def test_verification(row: dict[str, str]) -> None:
    key, message, signature = (unhex(row[n]) for n in ("public key", "message", "signature"))
    if row["verification result"] == "TRUE":
        bip340.verify(key, message, signature)
        nonce, z = bip340.decode(signature)
        assert bip340.encode(nonce, z) == signature
        point = SECP256K1.lift_x(key)
        c = SECP256K1.public_int(bip340.challenge(nonce, point, message))
        assert SECP256K1.base(z) == SECP256K1.add(nonce, SECP256K1.multiply_public(c, point))
    else:
        with pytest.raises(InvalidSignature):
            bip340.verify(key, message, signature)


def one_of_one(secret: bytes) -> KeyShare:
    key = SECP256K1.base(SECP256K1.parse_scalar(secret))
    public = PublicKeyPackage(SECP256K1.name, 1, key, ((1, key),), bytes(32))
    return KeyShare(1, SecretBytes(secret), public)


def root_of(case: dict[str, Any]) -> bytes | None:
    return None if case["merkleRoot"] is None else unhex(case["merkleRoot"])


@pytest.mark.parametrize("case", WALLET["scriptPubKey"], ids=range(len(WALLET["scriptPubKey"])))
def test_output_keys(case: dict[str, Any]) -> None:
    internal = SECP256K1.lift_x(unhex(case["given"]["internalPubkey"]))
    steps = case["intermediary"]
    assert tap_tweak_scalar(internal, root_of(steps)) == unhex(steps["tweak"])
    public = PublicKeyPackage(SECP256K1.name, 1, internal, ((1, internal),), bytes(32))
    share = KeyShare(1, SecretBytes(SECP256K1.scalar(1)), public)
    output = tap_tweak(share, root_of(steps)).public.group_key
    assert output[1:] == unhex(steps["tweakedPubkey"])
    for block in case["expected"].get("scriptPathControlBlocks", []):
        assert unhex(block)[0] & 1 == output[0] - 2  # the parity of the output key


@pytest.mark.parametrize("case", SPENDING, ids=range(len(SPENDING)))
def test_tweaked_keys_sign(case: dict[str, Any]) -> None:
    steps = case["intermediary"]
    share = one_of_one(unhex(case["given"]["internalPrivkey"]))
    tweaked = tap_tweak(share, root_of(case["given"]))
    tweaked.check()
    assert tweaked.secret == SecretBytes(unhex(steps["tweakedPrivkey"]))
    message = unhex(steps["sigHash"])
    network = Network(
        {1: lambda party: sign_with(FROST_TAPROOT, party, tweaked, message, stream("w"))}
    ).deliver()
    bip340.verify(tweaked.public.group_key[1:], message, network.outcomes[1])
    bip340.verify(tweaked.public.group_key[1:], message, unhex(case["expected"]["witness"][0])[:64])
