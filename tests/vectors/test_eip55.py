"""EIP-55: the checksum in an address's capital letters."""

import json
from pathlib import Path

import pytest

from console.adapters.chains.ethereum.address import checksummed, parse_address
from console.application.errors import InvalidAddress

HERE = Path(__file__).parent
GROUPS = json.loads((HERE / "eip55/addresses.json").read_text())
ADDRESSES = [address for group in GROUPS.values() for address in group]


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses_are_read_and_written(text: str) -> None:
    address = parse_address(text)
    assert address.hex() == text[2:].lower()
    assert checksummed(address) == text


@pytest.mark.parametrize("text", GROUPS["normal"])
def test_a_letter_in_the_other_case_is_refused(text: str) -> None:
    letters = [place for place in range(2, 42) if text[place].isalpha()]
    for place in letters:
        with pytest.raises(InvalidAddress, match="checksum"):
            parse_address(text[:place] + text[place].swapcase() + text[place + 1 :])
