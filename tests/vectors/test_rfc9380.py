"""RFC 9380: expansion of messages with SHA-256."""

import hashlib
import json
from pathlib import Path

import pytest

from console.protocols.math.expand_message import BadExpansion, expand_message_xmd

HERE = Path(__file__).parent / "rfc9380-hash-to-curve"
EXPANSIONS = json.loads((HERE / "expand_message_xmd_SHA256_38.json").read_text())["tests"]


@pytest.mark.parametrize("test", EXPANSIONS, ids=range(len(EXPANSIONS)))
def test_expansion(test: dict[str, str]) -> None:
    dst = bytes.fromhex(test["DST_prime"])[:-1]
    expanded = expand_message_xmd(test["msg"].encode(), dst, int(test["len_in_bytes"], 16))
    assert expanded.hex() == test["uniform_bytes"]


def test_long_tags_are_hashed_and_empty_ones_refused() -> None:
    long = b"t" * 256
    hashed = hashlib.sha256(b"H2C-OVERSIZE-DST-" + long).digest()
    assert expand_message_xmd(b"m", long, 40) == expand_message_xmd(b"m", hashed, 40)
    assert expand_message_xmd(b"m", long[:255], 40) != expand_message_xmd(b"m", long, 40)
    # With 255 bytes a tag is used as it is: its length still fits into a byte (section 5.3.1).
    suffix = long[:255] + b"\xff"
    first = hashlib.sha256(bytes(64) + b"m" + b"\x00\x20\x00" + suffix).digest()
    block = hashlib.sha256(first + b"\x01" + suffix).digest()
    assert expand_message_xmd(b"m", long[:255], 32) == block
    with pytest.raises(BadExpansion):
        expand_message_xmd(b"m", b"", 32)


def test_outputs_beyond_the_hash_are_refused() -> None:
    assert len(expand_message_xmd(b"m", b"t", 255 * 32)) == 255 * 32
    for size in (255 * 32 + 1, 2**16):
        with pytest.raises(BadExpansion):
            expand_message_xmd(b"m", b"t", size)
