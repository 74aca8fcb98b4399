"""BIP 174, BIP 370 and BIP 371: partially signed transactions."""

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.adapters.chains.bitcoin.bech32 import decode_program
from console.adapters.chains.bitcoin.finalize import extract
from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v0, to_v2
from console.adapters.chains.bitcoin.script import witness_script
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.application.errors import TransactionError, UnknownTransaction

HERE = Path(__file__).parent
VECTORS = {
    name: json.loads((HERE / name / "vectors.json").read_text())
    for name in ("bip174", "bip370", "bip371")
}
VALID = [case for vectors in VECTORS.values() for case in vectors["valid"]]
INVALID = [case for vectors in VECTORS.values() for case in vectors["invalid"]]
CORE = json.loads((HERE / "bip174/bitcoin-core.json").read_text())
LOCKED = VECTORS["bip370"]["lock_time"]


def _parse(text: str) -> Psbt:
    return parse_psbt(base64.b64decode(text, validate=True))


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["description"][:60])
def test_valid_ones_are_read_and_written_unchanged(case: dict[str, str]) -> None:
    assert _parse(case["psbt"]).encode() == base64.b64decode(case["psbt"])


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case["description"][:60])
def test_invalid_ones_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(UnknownTransaction):
        _parse(case["psbt"])


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["description"][:60])
def test_either_version_says_the_same_transaction(case: dict[str, str]) -> None:
    psbt = _parse(case["psbt"])
    first, second = to_v0(psbt), to_v2(to_v0(psbt))
    assert parse_psbt(first.encode()).transaction == psbt.transaction
    assert parse_psbt(second.encode()).transaction == psbt.transaction
    assert to_v0(second).transaction == psbt.transaction


@pytest.mark.parametrize("case", LOCKED, ids=lambda case: case["description"][:60])
def test_lock_times_are_determined(case: dict[str, Any]) -> None:
    if case["lock_time"] is None:
        with pytest.raises(UnknownTransaction, match="height"):
            _parse(case["psbt"])
        return
    psbt = _parse(case["psbt"])
    assert psbt.transaction.locktime == case["lock_time"]
    assert parse_psbt(to_v0(psbt).encode()).transaction.locktime == case["lock_time"]


@pytest.mark.parametrize("case", VECTORS["bip174"]["signer_check_failures"])
def test_what_a_signer_must_refuse_is_a_psbt_still(case: dict[str, str]) -> None:
    assert _parse(case["psbt"]).encode() == base64.b64decode(case["psbt"])


def test_the_extractor_gives_the_transaction() -> None:
    case = VECTORS["bip174"]["extractor"][0]
    assert extract(_parse(case["extract"])).encode().hex() == case["result"]


def test_the_extractor_refuses_what_is_not_signed() -> None:
    with pytest.raises(TransactionError, match="not signed"):
        extract(_parse(VECTORS["bip174"]["valid"][0]["psbt"]))


def test_the_creator_gives_the_psbt() -> None:
    case = VECTORS["bip174"]["creator"][0]
    inputs = tuple(
        TxIn(OutPoint(bytes.fromhex(each["txid"])[::-1], each["vout"])) for each in case["inputs"]
    )
    outputs = tuple(
        TxOut(int(Decimal(str(amount)) * 10**8), witness_script(*decode_program("bcrt", address)))
        for pair in case["outputs"]
        for address, amount in pair.items()
    )
    made = psbt_of(Transaction(2, inputs, outputs), ((),) * len(inputs), ((),) * len(outputs))
    assert base64.b64encode(made.encode()).decode() == case["result"]


@pytest.mark.parametrize("text", CORE["valid"])
def test_what_bitcoin_core_reads_is_read_and_written_unchanged(text: str) -> None:
    assert _parse(text).encode() == base64.b64decode(text)


@pytest.mark.parametrize("text", CORE["invalid"])
def test_what_bitcoin_core_refuses_is_refused(text: str) -> None:
    with pytest.raises(UnknownTransaction):
        _parse(text)


@pytest.mark.parametrize("text", CORE["unproven"])
def test_what_proves_no_amount_is_not_signed(text: str) -> None:
    with pytest.raises(UnknownTransaction):
        parse_spending(base64.b64decode(text))
