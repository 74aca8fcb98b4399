"""EIP-191: personal messages, hashed with their prefix."""

import json
from pathlib import Path

import pytest
from coincurve import PrivateKey

from console.adapters.chains.ethereum.messages import build_message, parse_message
from console.adapters.chains.ethereum.signable import attach
from console.adapters.chains.ethereum.signature import parse_signature

CASES = json.loads((Path(__file__).parent / "eip191/messages.json").read_text())
SIGNED = [case for case in CASES if "signature" in case]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["message"])
def test_messages_are_hashed(case: dict[str, str]) -> None:
    data = build_message(case["message"].encode())
    assert parse_message(data).signing_hash().hex() == case["hash"][2:]


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case["message"])
def test_messages_are_signed(case: dict[str, str]) -> None:
    key = PrivateKey(bytes.fromhex(case["private_key"][2:]))
    data = build_message(case["message"].encode())
    made = key.sign_recoverable(bytes.fromhex(case["hash"][2:]), hasher=None)
    signed = attach(data, parse_signature(made), 1)
    assert signed.content.hex() == case["signature"][2:]
    assert signed.sender.hex() == case["address"][2:].lower()
