"""BIP 32: unhardened children and the form of extended public keys."""

import json
from pathlib import Path

import pytest

from console.protocols.derivation import ExtendedPublicKey, derive_public
from console.protocols.derivation.xpub import BadExtendedKey
from console.protocols.keygen.share import PublicKeyPackage
from console.protocols.math.secp256k1 import SECP256K1

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "bip32/bip32_vectors.json").read_text())

KEYS = {(v["vector"], c["path"]): c["ext_pub"] for v in VECTORS for c in v["chains"]}
STEPS = [
    (KEYS[number, parent], int(step), text)
    for (number, path), text in KEYS.items()
    for parent, _, step in [path.rpartition("/")]
    if parent and not step.endswith("'")
]
INVALID = VECTORS[-1]["invalid_keys"]


@pytest.mark.parametrize("text", KEYS.values(), ids=[f"{n}-{path}" for n, path in KEYS])
def test_extended_keys_are_read_and_written(text: str) -> None:
    assert ExtendedPublicKey.decode(text).encode() == text


def test_there_are_unhardened_steps() -> None:
    assert len(STEPS) == 6


@pytest.mark.parametrize(("parent", "index", "expected"), STEPS)
def test_unhardened_children(parent: str, index: int, expected: str) -> None:
    extended = ExtendedPublicKey.decode(parent)
    child = extended.child(index)
    assert child.encode() == expected
    share = ((1, extended.key),)
    public = PublicKeyPackage(SECP256K1.name, 1, extended.key, share, extended.chain_code)
    derived = derive_public(public, (index,))
    assert (derived.group_key, derived.chain_code) == (child.key, child.chain_code)
    assert derived.public_shares == ((1, child.key),)


@pytest.mark.parametrize("case", INVALID, ids=[case["reason"] for case in INVALID])
def test_invalid_extended_keys_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(BadExtendedKey):
        ExtendedPublicKey.decode(case["key"])
