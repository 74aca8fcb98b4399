"""BIP 143: what is signed to spend a P2WPKH output."""

import json
from dataclasses import replace
from pathlib import Path

from coincurve import PrivateKey

from console.adapters.chains.bitcoin.script import p2wpkh
from console.adapters.chains.bitcoin.sighash import segwit_digest
from console.adapters.chains.bitcoin.signatures import ecdsa_signature
from console.adapters.chains.bitcoin.transaction import TxOut, parse_transaction

EXAMPLE = json.loads((Path(__file__).parent / "bip143/native-p2wpkh.json").read_text())
UNSIGNED = parse_transaction(bytes.fromhex(EXAMPLE["unsigned"]))
SPENT = TxOut(EXAMPLE["amount"], bytes.fromhex(EXAMPLE["script"]))
KEY = bytes.fromhex(EXAMPLE["key"])


def test_the_digest_is_the_one_of_the_example() -> None:
    assert p2wpkh(KEY) == SPENT.script
    digest = segwit_digest(UNSIGNED, EXAMPLE["input"], SPENT)
    assert digest.hex() == EXAMPLE["sighash"]


def test_the_example_is_signed_with_the_same_bytes() -> None:
    digest = segwit_digest(UNSIGNED, EXAMPLE["input"], SPENT)
    made = PrivateKey(bytes.fromhex(EXAMPLE["secret"])).sign_recoverable(digest, hasher=None)
    signature = ecdsa_signature(made, digest, KEY)
    assert signature.hex() == EXAMPLE["signature"] + "01"
    signed = parse_transaction(bytes.fromhex(EXAMPLE["signed"]))
    assert signed.inputs[1].witness == (signature, KEY)
    assert signed.encode().hex() == EXAMPLE["signed"]


def test_the_signed_example_is_the_unsigned_one_but_for_what_unlocks_it() -> None:
    signed = parse_transaction(bytes.fromhex(EXAMPLE["signed"]))
    bare = tuple(replace(each, script_sig=b"") for each in signed.without_witnesses().inputs)
    assert replace(signed, inputs=bare) == UNSIGNED
    assert signed.wtxid != signed.txid
    assert signed.vsize < len(signed.encode())
