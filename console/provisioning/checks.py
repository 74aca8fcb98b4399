"""Checks of tokens before a set-up: what a token has of what a member needs."""

import os
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.unfinished import find_softhsm, softhsm_conf
from hsm import Capabilities, Pkcs11Settings, SetUp, check_token, initialise_token

_NOBODY = MemberId("nobody")


def check(
    home: Path, module: str, token: str, pin: SecretBytes | None, serial: str = ""
) -> Capabilities:
    """Return what a token has of what a member needs; nothing is left in it. Wipes the PIN.

    Without a PIN nothing is tried. Raises: HsmError.
    """
    settings = Pkcs11Settings(Path(module), token, home, home, _NOBODY, serial=serial)
    how = SetUp(identifier=secrets.token_bytes(16), tries_in=home)
    return check_token(settings, pin, how)


def check_softhsm() -> Capabilities:
    """Return what a fresh SoftHSM token has; it is made for this and thrown away. Raises: HsmError.

    For a process that uses no other SoftHSM token.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SOFTHSM2_CONF"] = str(softhsm_conf(folder))
        module, pin = find_softhsm(), secrets.token_hex(8).encode()
        initialise_token(module, "quorate-check", SecretBytes(pin), SecretBytes(pin))
        return check(folder, str(module), "quorate-check", SecretBytes(pin))
