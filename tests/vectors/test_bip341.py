"""BIP 341: what is signed to spend a Taproot output by its key path."""

import json
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.sighash import HashType, taproot_digest
from console.adapters.chains.bitcoin.signatures import schnorr_signature
from console.adapters.chains.bitcoin.transaction import TxOut, parse_stripped, parse_transaction
from console.domain.values import Network

VECTORS = json.loads((Path(__file__).parent / "bip341/wallet-test-vectors.json").read_text())
SPENDING = VECTORS["keyPathSpending"][0]
WHOLE = [each for each in SPENDING["inputSpending"] if each["given"]["hashType"] in {0, 1}]
UNSIGNED = parse_stripped(bytes.fromhex(SPENDING["given"]["rawUnsignedTx"]))
SPENT = tuple(
    TxOut(each["amountSats"], bytes.fromhex(each["scriptPubKey"]))
    for each in SPENDING["given"]["utxosSpent"]
)


def test_there_are_cases_of_both_hash_types() -> None:
    assert {each["given"]["hashType"] for each in WHOLE} == {0, 1}


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: str(case["given"]["txinIndex"]))
def test_digests_and_witnesses(case: dict[str, Any]) -> None:
    index, hash_type = case["given"]["txinIndex"], HashType(case["given"]["hashType"])
    digest = taproot_digest(UNSIGNED, index, SPENT, hash_type)
    assert digest.hex() == case["intermediary"]["sigHash"]
    secret = PrivateKey(bytes.fromhex(case["intermediary"]["tweakedPrivkey"]))
    key = secret.public_key.format()[1:]
    signature = schnorr_signature(secret.sign_schnorr(digest, bytes(32)), digest, key, hash_type)
    assert [signature.hex()] == case["expected"]["witness"]


@pytest.mark.parametrize(
    "case", VECTORS["scriptPubKey"], ids=lambda c: c["expected"]["bip350Address"]
)
def test_scripts_have_the_addresses_of_bip_350(case: dict[str, Any]) -> None:
    script = bytes.fromhex(case["expected"]["scriptPubKey"])
    assert address_of(script, Network.MAINNET) == case["expected"]["bip350Address"]


def test_the_signed_transaction_is_read_and_written() -> None:
    data = bytes.fromhex(SPENDING["auxiliary"]["fullySignedTx"])
    signed = parse_transaction(data)
    assert signed.encode() == data
    assert len(signed.inputs) == len(SPENT)
