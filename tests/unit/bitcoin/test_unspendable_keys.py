"""Taproot keys that do not exist are no payees (docs/faults.md, 17)."""

import pytest
from coincurve import PublicKeyXOnly

from console.adapters.chains.bitcoin import bech32
from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.bitcoin.address import PREFIXES, script_of
from console.adapters.chains.bitcoin.script import p2tr
from console.adapters.chains.bitcoin.transaction import TxOut
from console.application.errors import InvalidAddress
from console.domain.values import Network
from tests.unit.bitcoin.changes import with_output
from tests.unit.bitcoin.wallets import NETWORK, described, draft, flagged, transfer

FIELD = 2**256 - 2**32 - 977
NO_X = [
    bytes(32),
    (5).to_bytes(32, "big"),
    FIELD.to_bytes(32, "big"),
    (FIELD + 1).to_bytes(32, "big"),
    b"\xff" * 32,
]
"""0 and 5 are no x of the curve; from the field's order on, numbers are none either."""
AN_X = [(1).to_bytes(32, "big"), (FIELD - 3).to_bytes(32, "big")]


def is_on_the_curve(x: int) -> bool:
    """Decide by arithmetic alone: x^3 + 7 is a square (Euler's criterion)."""
    return x < FIELD and pow(x**3 + 7, (FIELD - 1) // 2, FIELD) == 1


@pytest.mark.parametrize("key", NO_X, ids=bytes.hex)
@pytest.mark.parametrize("network", Network)
def test_an_address_of_no_key_is_refused(key: bytes, network: Network) -> None:
    assert not is_on_the_curve(int.from_bytes(key, "big"))
    address = bech32.encode_program(PREFIXES[network], 1, key)
    with pytest.raises(InvalidAddress, match="nobody can ever spend"):
        script_of(address, network)
    adapter = BitcoinAdapter(network, ("http://127.0.0.1:1",))
    with pytest.raises(InvalidAddress):
        adapter.validate_address(address)
    if network is NETWORK:
        with pytest.raises(InvalidAddress):
            draft().pay(address, 10_000)
        with pytest.raises(InvalidAddress):
            draft().sweep(address)


@pytest.mark.parametrize("key", NO_X, ids=bytes.hex)
def test_an_imported_payment_to_no_key_is_flagged(key: bytes) -> None:
    data = with_output(transfer(), TxOut(1_000, p2tr(key)))
    assert flagged(described(data), "nobody can spend it")


def test_keys_of_the_curve_are_paid() -> None:
    keys = [key for key in AN_X if is_on_the_curve(int.from_bytes(key, "big"))]
    assert keys
    for key in keys:
        assert PublicKeyXOnly(key)
        address = bech32.encode_program(PREFIXES[NETWORK], 1, key)
        assert script_of(address, NETWORK) == p2tr(key)
        assert described(with_output(transfer(), TxOut(1_000, p2tr(key)))).red_flags == ()
