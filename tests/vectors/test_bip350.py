"""BIP 173 and BIP 350, and addresses of every kind as Bitcoin Core reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.adapters.chains.bitcoin import bech32
from console.adapters.chains.bitcoin.address import address_of, canonical, script_of
from console.adapters.chains.bitcoin.script import ScriptKind, can_be_spent, kind_of
from console.application.errors import InvalidAddress
from console.domain.values import Network

HERE = Path(__file__).parent
STRINGS = json.loads((HERE / "bip350/strings.json").read_text())
ADDRESSES = json.loads((HERE / "bip350/addresses.json").read_text())
NETWORKS = {
    "main": Network.MAINNET,
    "test": Network.TESTNET,
    "testnet4": Network.TESTNET,
    "signet": Network.TESTNET,
    "regtest": Network.DEVNET,
}
CONSTANTS = {"bech32": bech32.BECH32, "bech32m": bech32.BECH32M}


@pytest.mark.parametrize("kind", CONSTANTS)
def test_valid_strings_are_read_and_written(kind: str) -> None:
    for text in STRINGS[f"{kind}_valid"]:
        prefix, values, constant = bech32.decode(text)
        assert constant == CONSTANTS[kind]
        assert bech32.encode(prefix, values, constant) == text.lower()


@pytest.mark.parametrize("kind", CONSTANTS)
def test_invalid_strings_are_refused(kind: str) -> None:
    for text in STRINGS[f"{kind}_invalid"]:
        with pytest.raises(InvalidAddress):
            bech32.decode(text)


@pytest.mark.parametrize("case", ADDRESSES["valid"], ids=lambda case: case["address"][:24])
def test_addresses_of_every_kind(case: dict[str, Any]) -> None:
    network, script = NETWORKS[case["chain"]], bytes.fromhex(case["script"])
    assert address_of(script, network) == case["address"]
    if kind_of(script) is ScriptKind.FUTURE:
        with pytest.raises(InvalidAddress, match="nobody can protect"):
            script_of(case["address"], network)
        return
    if not can_be_spent(script):
        # Bitcoin Core's own examples are of random bytes, and it pays to keys that do not exist.
        with pytest.raises(InvalidAddress, match="nobody can ever spend"):
            script_of(case["address"], network)
        return
    assert script_of(case["address"], network) == script
    if case["any_case"]:
        assert canonical(case["address"].upper(), network) == case["address"]
    if network is not Network.MAINNET:
        with pytest.raises(InvalidAddress):
            script_of(case["address"], Network.MAINNET)


@pytest.mark.parametrize("text", ADDRESSES["invalid"])
@pytest.mark.parametrize("network", Network)
def test_invalid_addresses_are_refused(text: str, network: Network) -> None:
    with pytest.raises(InvalidAddress):
        script_of(text, network)
