"""One limit for secrets, over setting up, the command line and the API: told, never a cut."""

import io
from pathlib import Path

import pytest

from console import cli_secrets
from console.application.api_codec import MalformedCall, decode_command, encode
from console.application.commands import MAX_SECRET_CHARS, Pin, Unlock, secret_problem
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, set_up_member
from console.settings import SettingsInvalid

FITS = ["x", "x" * MAX_SECRET_CHARS, "\u00e9" * MAX_SECRET_CHARS, "\U0001f5e1" * MAX_SECRET_CHARS]
TOO_LONG = ["x" * (MAX_SECRET_CHARS + 1), "\U0001f5e1" * (MAX_SECRET_CHARS + 1), "x" * 5000]


@pytest.mark.parametrize("text", FITS)
def test_what_fits_is_taken_whole(text, monkeypatch):
    secret = text.encode()
    assert secret_problem(secret) == ""
    sent = decode_command(encode(Unlock(Pin(bytearray(secret)))))
    assert bytes(sent.pin.reveal()) == secret
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
    assert bytes(cli_secrets.read_pin("PIN").reveal()) == secret


@pytest.mark.parametrize("text", TOO_LONG)
def test_what_is_longer_is_refused_everywhere(text, monkeypatch, tmp_path: Path):
    assert "at most 128" in secret_problem(text.encode())
    with pytest.raises(MalformedCall):
        decode_command(encode(Unlock(Pin(bytearray(text.encode())))))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
    with pytest.raises(SettingsInvalid, match="at most 128"):
        cli_secrets.read_pin("PIN")
    new = NewMember(
        member="ana",
        name="Ana",
        peer_address="localhost:1",
        console_address="localhost:2",
        module="file",
        token="",
        fresh_softhsm=False,
        chains=(),
    )
    with pytest.raises(SettingsInvalid, match="at most 128"):
        set_up_member(tmp_path, new, SecretBytes(bytearray(text.encode())), None)
    assert not list(tmp_path.iterdir())


def test_bytes_that_are_no_text_are_bounded_too():
    assert secret_problem(b"\x80" * 10)
    assert secret_problem(b"a" + b"\x80" * 600)
    assert secret_problem(b"")
