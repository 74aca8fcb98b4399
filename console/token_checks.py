"""What a token has of what a member needs, found out before a set-up; nothing is left in it."""

import hashlib
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
    tries = tries_file(home, module, token)
    settings = Pkcs11Settings(Path(module), token, home, tries, _NOBODY, serial=serial)
    return check_token(settings, pin, SetUp(identifier=secrets.token_bytes(16)))


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


def tries_file(home: Path, module: str, token: str) -> Path:
    """Return where wrong PINs of set-ups are counted: by token, whatever member they are for."""
    digest = hashlib.sha256(f"{Path(module).resolve()}\0{token}".encode()).hexdigest()
    return home / f".pin-tries-{digest[:16]}"
