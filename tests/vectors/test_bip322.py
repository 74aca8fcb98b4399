"""BIP 322: simple signatures of messages, which Bitcoin Core's interpreter judges."""

import base64
import binascii
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from console.adapters.chains.bitcoin.address import script_of
from console.adapters.chains.bitcoin.message import SIMPLE, message_hash, to_sign, to_spend
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of, p2tr, p2wpkh
from console.adapters.chains.bitcoin.sighash import segwit_digest, taproot_digest
from console.adapters.chains.bitcoin.signatures import ecdsa_signature, schnorr_signature
from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.wire import Reader, stacked
from console.application.errors import UnknownTransaction
from console.domain.values import Network
from console.protocols.derivation import base58check, tap_tweak_scalar
from console.protocols.math.group import Point
from console.protocols.math.secp256k1 import N
from tests.unit.bitcoin.wallets import core_accepts

HERE = Path(__file__).parent / "bip322"
BASIC = json.loads((HERE / "basic-test-vectors.json").read_text())
GENERATED = json.loads((HERE / "generated-test-vectors.json").read_text())
CASES = [*BASIC["simple"], *GENERATED["simple"]]
PREFIX = SIMPLE.decode()
WRONG = [
    case
    for case in [*BASIC["error"], *GENERATED["error"]]
    if case["signature"].startswith(PREFIX) and case["error_substr"] == "invalid signature"
]


def accepted(message: str, address: str, signature: str) -> bool:
    """Build the virtual transactions and ask Bitcoin Core."""
    script = script_of(address, Network.MAINNET)
    try:
        reader = Reader(base64.b64decode(signature.removeprefix(PREFIX), validate=True), "witness")
        witness = reader.stack()
        reader.end()
    except (binascii.Error, UnknownTransaction):
        return False
    unsigned = to_sign(message, script)
    signed = replace(unsigned, inputs=(replace(unsigned.inputs[0], witness=witness),))
    return core_accepts(signed, (TxOut(0, script),))


@pytest.mark.parametrize("case", BASIC["tx_hashes"], ids=lambda case: case["message"][:12])
def test_hashes(case: dict[str, str]) -> None:
    script = script_of(case["address"], Network.MAINNET)
    assert message_hash(case["message"]).hex() == case["message_hash"]
    assert to_spend(case["message"], script).txid == case["to_spend_tx_hash"]
    assert to_sign(case["message"], script).txid == case["to_sign_tx_hash"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["message"][:20])
def test_signatures_of_others_fit_our_virtual_transactions(case: dict[str, Any]) -> None:
    for signature in case["bip322_signatures"]:
        assert accepted(case["message"], case["address"], signature)
        assert not accepted(case["message"] + "!", case["address"], signature)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case["description"][:50])
def test_wrong_signatures_do_not_fit(case: dict[str, str]) -> None:
    assert not accepted(case["message"], case["address"], case["signature"])


def test_there_are_wrong_signatures() -> None:
    assert len(WRONG) > 5


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["type"] in {"p2wpkh", "p2tr"}],
    ids=lambda case: case["message"][:20],
)
def test_our_signatures_are_among_those_of_the_document(case: dict[str, Any]) -> None:
    secret = PrivateKey(base58check.decode(case["private_keys"][0])[1:33])
    script = script_of(case["address"], Network.MAINNET)
    unsigned, key = to_sign(case["message"], script), secret.public_key.format()
    if kind_of(script) is ScriptKind.P2TR:
        if key[0] == 3:
            secret = PrivateKey((N - secret.to_int()).to_bytes(32, "big"))
        secret = secret.add(bytes(tap_tweak_scalar(Point(key), None)))
        output_key = secret.public_key.format()[1:]
        assert p2tr(output_key) == script
        digest = taproot_digest(unsigned, 0, (TxOut(0, script),))
        made = secret.sign_schnorr(digest, bytes(32))
        witness: tuple[bytes, ...] = (schnorr_signature(made, digest, output_key),)
    else:
        assert p2wpkh(key) == script
        digest = segwit_digest(unsigned, 0, TxOut(0, script))
        made = secret.sign_recoverable(digest, hasher=None)
        witness = (ecdsa_signature(made, digest, key), key)
    encoded = PREFIX + base64.b64encode(stacked(witness)).decode()
    assert encoded in case["bip322_signatures"] or kind_of(script) is ScriptKind.P2TR
    assert accepted(case["message"], case["address"], encoded)
