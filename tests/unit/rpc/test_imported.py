"""Exported bytes are read in every form that programs write (docs/faults.md, 28)."""

import base64
from textwrap import wrap

import pytest

from console.adapters.rpc.imported import MAX_TEXT, bytes_from_text
from console.application.errors import TransactionError
from tests.unit.bitcoin.wallets import transfer

DATA = transfer()
PACKED = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text",
    [
        DATA.decode("latin-1"),
        DATA.hex(),
        f"0x{DATA.hex().upper()}",
        PACKED,
        f"  {PACKED}\r\n",
        base64.encodebytes(DATA).decode(),
        "\r\n".join(wrap(PACKED, 64)),
    ],
    ids=["raw", "hex", "capital hex", "base 64", "with an end of line", "in lines", "DOS lines"],
)
def test_every_form_is_the_same_bytes(text: str) -> None:
    assert bytes_from_text(text) == DATA


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to import"),
        ("no such form!", "neither"),
        (PACKED + "=", "neither"),
        (DATA.decode("latin-1") + "\u2028", "changed on their way"),
        (DATA.decode("utf-8", "replace"), "neither"),
        ("psbt" + PACKED + "\u00ff", "neither"),
        ("A" * (MAX_TEXT + 4), "longer"),
    ],
)
def test_other_texts_are_refused(text: str, words: str) -> None:
    with pytest.raises(TransactionError, match=words):
        bytes_from_text(text)
