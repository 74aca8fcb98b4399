"""EIP-155: legacy transactions that name their chain."""

import json
from pathlib import Path

import pytest

from console.adapters.chains.ethereum.signable import parse
from console.adapters.chains.ethereum.signature import Signature
from console.adapters.chains.ethereum.signed import parse_signed, sign_transaction
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.application.errors import UnknownTransaction
from tests.unit.ethereum.drafts import Draft

HERE = Path(__file__).parent
EXAMPLE = json.loads((HERE / "eip155/example.json").read_text())
CASES = json.loads((HERE / "eip155/transactions.json").read_text())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def test_the_example_is_built_hashed_and_signed() -> None:
    draft = Draft(EXAMPLE["chain_id"], EXAMPLE["nonce"])
    draft = draft.pay(_bytes(EXAMPLE["to"]), EXAMPLE["value"]).gas(EXAMPLE["gas_limit"])
    data = draft.price(EXAMPLE["gas_price"], legacy=True).build()
    assert data == _bytes(EXAMPLE["signing_data"])
    assert parse_transaction(data).signing_hash() == _bytes(EXAMPLE["signing_hash"])
    signature = Signature(EXAMPLE["r"], EXAMPLE["s"], EXAMPLE["v"] - 37)
    assert sign_transaction(data, signature).content == _bytes(EXAMPLE["signed"])


@pytest.mark.parametrize("case", CASES["valid"], ids=lambda case: case["name"])
def test_signed_transactions_are_read(case: dict[str, str]) -> None:
    transaction, signature, signed = parse_signed(_bytes(case["rlp"]))
    assert signed.transaction_hash == _bytes(case["hash"])
    assert signed.sender == _bytes(case["sender"])
    assert transaction.chain_id == 1
    assert sign_transaction(transaction.encode(), signature) == signed


@pytest.mark.parametrize("case", CASES["without_chain"], ids=lambda case: case["name"])
def test_transactions_without_a_chain_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(UnknownTransaction, match="no chain"):
        parse_signed(_bytes(case["rlp"]))


@pytest.mark.parametrize("case", CASES["for_chain_3"], ids=lambda case: case["name"])
def test_transactions_for_another_chain_are_read_and_not_signed(case: dict[str, str]) -> None:
    transaction, _, _ = parse_signed(_bytes(case["rlp"]))
    assert transaction.chain_id == 3
    with pytest.raises(UnknownTransaction, match="for chain 3"):
        parse(transaction.encode(), 1)
