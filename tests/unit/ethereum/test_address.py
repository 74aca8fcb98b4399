"""Addresses are refused with the reason."""

import pytest

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.address import (
    address_of,
    checksummed,
    parse_address,
    parse_any_address,
)
from console.application.errors import InvalidAddress
from console.application.ports.chain import Asset
from console.domain.values import Network
from tests.unit.ethereum.places import KEY, ME

TEXT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
WRONG = {
    "": "begins with 0x",
    TEXT[2:]: "begins with 0x",
    TEXT.replace("0x", "0X"): "begins with 0x",
    TEXT[:-1]: "this one has 39",
    TEXT + "0": "this one has 41",
    TEXT[:-1] + "g": "only the digits",
    TEXT[:-1] + "é": "only the digits",
    TEXT[:-1] + "٣": "only the digits",
    " " + TEXT: "begins with 0x",
    TEXT.replace("A", "a", 1): "checksum is wrong",
    "0x" + "0" * 40: "zero address",
    "vitalik.eth": "names are not looked up",
}


@pytest.mark.parametrize(("text", "reason"), WRONG.items())
def test_the_reason_is_told(text: str, reason: str) -> None:
    with pytest.raises(InvalidAddress, match=reason):
        parse_address(text)


@pytest.mark.parametrize("text", [TEXT, TEXT.lower(), "0x" + TEXT[2:].upper()])
def test_all_small_and_all_capital_letters_carry_no_checksum(text: str) -> None:
    assert checksummed(parse_address(text)) == TEXT


@pytest.mark.parametrize(
    ("name", "chain_id"), [("eth", 1), ("sep", 11_155_111), ("holesky", 17_000), ("hoe", 560_048)]
)
def test_the_short_name_of_the_wallets_chain_is_read(name: str, chain_id: int) -> None:
    """ERC-3770."""
    assert checksummed(parse_address(f"{name}:{TEXT}", chain_id)) == TEXT
    for other in (None, 5, 31_337):
        with pytest.raises(InvalidAddress, match="another chain"):
            parse_address(f"{name}:{TEXT}", other)
    for wrong in (f"{name}:{name}:{TEXT}", f"{name}: {TEXT}", f"{name}:"):
        with pytest.raises(InvalidAddress):
            parse_address(wrong, chain_id)


@pytest.mark.parametrize("name", ["", "ETH", "eth ", "matic", "ethereum", "eip155:1"])
def test_a_name_of_no_chain_here_is_refused(name: str) -> None:
    with pytest.raises(InvalidAddress, match="not served here"):
        parse_address(f"{name}:{TEXT}", 1)


def test_an_address_of_another_network_is_refused() -> None:
    mainnet, testnet, devnet = (
        EthereumAdapter(network, ("http://127.0.0.1:1",))
        for network in (Network.MAINNET, Network.TESTNET, Network.DEVNET)
    )
    assert mainnet.validate_address(f"eth:{TEXT}") == TEXT
    assert testnet.validate_address(f"sep:{TEXT}") == TEXT
    asset = Asset(f"eth:{TEXT}", "USDX", 6)
    listed = EthereumAdapter(Network.MAINNET, ("http://127.0.0.1:1",), (asset,), (f"eth:{TEXT}",))
    assert [each.address for each in listed.assets] == [TEXT]
    for adapter, name in ((mainnet, "sep"), (testnet, "eth"), (devnet, "eth")):
        with pytest.raises(InvalidAddress, match="another chain"):
            adapter.validate_address(f"{name}:{TEXT}")


def test_the_zero_address_is_an_address_but_no_payee() -> None:
    zero = f"0x{'0' * 40}"
    assert parse_any_address(zero) == bytes(20)
    with pytest.raises(InvalidAddress, match="zero address"):
        parse_address(zero)


def test_a_key_has_its_address() -> None:
    assert checksummed(ME) == "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
    assert address_of(KEY.public_key.format()) == ME


@pytest.mark.parametrize(
    "key", [b"", b"\2" * 32, b"\2" + b"\xff" * 32, KEY.public_key.format(False)]
)
def test_what_is_no_compressed_key_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidAddress):
        address_of(key)


def test_other_lengths_are_not_written() -> None:
    with pytest.raises(InvalidAddress):
        checksummed(b"\1" * 19)
