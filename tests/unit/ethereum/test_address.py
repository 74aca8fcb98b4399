"""Addresses are refused with the reason."""

import pytest

from console.adapters.chains.ethereum.address import address_of, checksummed, parse_address
from console.application.errors import InvalidAddress
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
