"""Secrets from a terminal or from standard input, never from an argument."""

import getpass
import sys

from console.application.commands import secret_problem
from console.protocols.kernel.secret import SecretBytes
from console.settings import SettingsInvalid

_MAX_LINE = 4096


def read_pin(prompt: str) -> SecretBytes:
    """Read a PIN from the terminal without echo, or a line of standard input."""
    return _secret_of(_read_secret(prompt), prompt)


def read_optional_pin() -> SecretBytes | None:
    """Read a PIN as `read_pin` does; None for an empty line or none."""
    text = _read_secret("PIN (empty: nothing is tried)")
    return _secret_of(text, "PIN") if text else None


def _read_secret(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    return sys.stdin.readline(_MAX_LINE).rstrip("\n")


def _secret_of(text: str, prompt: str) -> SecretBytes:
    secret = bytearray(text.encode(errors="surrogateescape"))
    # A longer one is refused, and never cut: nobody could type it again elsewhere.
    problem = secret_problem(secret)
    if problem:
        raise SettingsInvalid(f"{prompt}: {problem}")
    return SecretBytes(secret)
