"""Output scripts: their kinds, the data they carry, and what is dust."""

import pytest

from console.adapters.chains.bitcoin.script import (
    ScriptKind,
    data_of,
    data_script,
    dust_limit,
    kind_of,
    p2pkh,
    p2sh,
    p2tr,
    p2wpkh,
    witness_script,
)

KEY = b"\x02" + b"\x11" * 32
KINDS = [
    (p2pkh(bytes(20)), ScriptKind.P2PKH, 546),
    (p2sh(bytes(20)), ScriptKind.P2SH, 540),
    (p2wpkh(KEY), ScriptKind.P2WPKH, 294),
    (witness_script(0, bytes(32)), ScriptKind.P2WSH, 330),
    (p2tr(KEY[1:]), ScriptKind.P2TR, 330),
    (witness_script(16, bytes(32)), ScriptKind.FUTURE, 330),
    (witness_script(1, bytes(2)), ScriptKind.FUTURE, 240),
    (witness_script(0, bytes(21)), ScriptKind.UNKNOWN, 297),
    (data_script(b"hello"), ScriptKind.DATA, 0),
    (b"\x6a", ScriptKind.DATA, 0),
    (b"\x51", ScriptKind.UNKNOWN, 3 * (8 + 1 + 1 + 148)),
    (b"", ScriptKind.UNKNOWN, 3 * (8 + 1 + 148)),
]


@pytest.mark.parametrize(("script", "kind", "dust"), KINDS)
def test_kinds_and_the_dust_limits_of_bitcoin_core(
    script: bytes, kind: ScriptKind, dust: int
) -> None:
    assert kind_of(script) is kind
    assert dust_limit(script) == dust


@pytest.mark.parametrize("size", [0, 1, 75, 76, 80, 255])
def test_data_is_carried_in_one_form(size: int) -> None:
    data = bytes(range(1, 256))[:size]
    assert data_of(data_script(data)) == data
    assert data_of(data_script(data) + b"\0") is None


def test_data_in_another_form_than_one_short_push_is_no_plain_data() -> None:
    assert data_of(b"\x6a\x4c\x03abc") is None
    assert data_of(b"\x6a\x03ab") is None
    assert data_of(b"\x51\x03abc") is None
