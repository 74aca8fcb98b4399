"""BIP 84 and BIP 86: the addresses of single keys in SegWit and Taproot."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.adapters.chains.bitcoin.address import address_of, script_of
from console.adapters.chains.bitcoin.script import p2tr, p2wpkh
from console.domain.values import Network
from console.protocols.derivation import ExtendedPublicKey, TweakContext, tap_tweak_scalar
from console.protocols.math.secp256k1 import SECP256K1

HERE = Path(__file__).parent
SEGWIT = json.loads((HERE / "bip84/addresses.json").read_text())
TAPROOT = json.loads((HERE / "bip86/addresses.json").read_text())


@pytest.mark.parametrize("case", SEGWIT, ids=lambda case: case["address"])
def test_segwit_addresses(case: dict[str, str]) -> None:
    script = p2wpkh(bytes.fromhex(case["key"]))
    assert address_of(script, Network.MAINNET) == case["address"]
    assert script_of(case["address"], Network.MAINNET) == script


@pytest.mark.parametrize("case", TAPROOT["keys"], ids=lambda case: case["address"])
def test_taproot_addresses(case: dict[str, Any]) -> None:
    key = ExtendedPublicKey.decode(TAPROOT["account"])
    for step in case["path"]:
        key = key.child(step)
    assert SECP256K1.x_only(key.key).hex() == case["internal_key"]
    tweak = tap_tweak_scalar(key.key, None)
    output_key = SECP256K1.x_only(TweakContext.of(SECP256K1, key.key).apply_x_only(tweak).Q)
    assert output_key.hex() == case["output_key"]
    assert p2tr(output_key).hex() == case["script"]
    assert address_of(p2tr(output_key), Network.MAINNET) == case["address"]
    assert script_of(case["address"], Network.MAINNET) == p2tr(output_key)
