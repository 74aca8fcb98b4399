"""EIP-712: the hash of a typed document."""

import json
from pathlib import Path

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.signable import attach
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.typed_data import parse_typed_data
from console.adapters.chains.ethereum.typed_schema import encode_type

CASE = json.loads((Path(__file__).parent / "eip712/mail.json").read_text())
DATA = json.dumps(CASE["document"]).encode()


def test_the_document_is_hashed() -> None:
    document = parse_typed_data(DATA)
    assert encode_type(document.schema.types, "Mail") == CASE["encode_type"]
    assert document.schema.hashes["Mail"].hex() == CASE["type_hash"][2:]
    assert document.message_hash().hex() == CASE["message_hash"][2:]
    assert document.domain_separator().hex() == CASE["domain_separator"][2:]
    assert document.signing_hash().hex() == CASE["signing_hash"][2:]


def test_the_document_is_signed() -> None:
    key = PrivateKey(keccak(CASE["private_key_text"].encode()))
    made = key.sign_recoverable(parse_typed_data(DATA).signing_hash(), hasher=None)
    signed = attach(DATA, parse_signature(made), 1)
    assert signed.sender.hex() == CASE["address"][2:]
    assert signed.content.hex() == f"{CASE['r'][2:]}{CASE['s'][2:]}{CASE['v']:02x}"
