"""EIP-1559 and EIP-2930: signed transactions that the chain takes, and such that it refuses."""

import json
from pathlib import Path

import pytest

from console.adapters.chains.ethereum.signed import parse_signed, sign_transaction
from console.application.errors import UnknownTransaction

HERE = Path(__file__).parent
CASES = {
    **json.loads((HERE / "eip1559/transactions.json").read_text()),
    **json.loads((HERE / "eip2930/transactions.json").read_text()),
}
VALID = {name: case for name, case in CASES.items() if "hash" in case}
INVALID = {name: case for name, case in CASES.items() if "exception" in case}


def test_there_are_cases_of_both_kinds() -> None:
    assert (len(VALID), len(INVALID)) == (2, 13)


@pytest.mark.parametrize("name", VALID)
def test_what_the_chain_takes_is_read(name: str) -> None:
    case = VALID[name]
    transaction, signature, signed = parse_signed(bytes.fromhex(case["txbytes"][2:]))
    assert signed.transaction_hash.hex() == case["hash"][2:]
    assert signed.sender.hex() == case["sender"][2:]
    assert sign_transaction(transaction.encode(), signature) == signed


@pytest.mark.parametrize("name", INVALID)
def test_what_the_chain_refuses_is_refused(name: str) -> None:
    with pytest.raises(UnknownTransaction):
        parse_signed(bytes.fromhex(INVALID[name]["txbytes"][2:]))
