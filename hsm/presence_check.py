"""A login that a process of its own makes, to check a PIN where a token does not ask for it again.

While a process is logged in, its token takes any PIN: "already logged in". Another process has a
login of its own, so there the PIN is judged. `python -m hsm.presence_check` reads where the token
is as a line of JSON, then the PIN, from standard input, and prints one word.
"""

import ctypes
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from pkcs11 import exceptions as p11
from pkcs11.types import Session

from console.application.errors import HsmError, PinLocked, TokenMissing, WrongPin
from console.protocols.kernel.secret import SecretBytes, SecretWiped
from hsm.faults import translate
from hsm.library import Library, TokenChoice, library
from hsm.tries import MAX_PIN, pin_text, refuse_locked
from hsm.wrapping_methods.objects import handle_of

RIGHT, WRONG, LOCKED, MISSING, SHARED = "right", "wrong", "locked", "missing", "shared"
FAILED = "failed"
_MAX_REQUEST = 8192
_PR_SET_DUMPABLE = 4


def check_elsewhere(module: Path, choice: TokenChoice, pin: SecretBytes, limit_s: float) -> None:
    """Have another process log in with the PIN, within `limit_s`. Blocking; keeps `pin`.

    Raises: WrongPin, PinLocked, TokenMissing, HsmError; SecretWiped before anything is tried.
    """
    where = {
        "module": str(module),
        "label": choice.label,
        "serial": choice.serial,
        "slot": choice.slot,
    }
    given = bytearray(json.dumps(where).encode() + b"\n")
    given += pin.reveal()
    try:
        if pin.wiped:  # Meanwhile, by a caller who gave up: zeros must not become a try.
            raise SecretWiped("the secret has been wiped")
        answer = _run(given, limit_s)
    finally:
        given[:] = bytes(len(given))
    _judge(answer)


def _run(given: bytearray, limit_s: float) -> str:
    # This very program: in a bundle the interpreter is the bundle, which knows this module.
    command = [sys.executable, "-m", "hsm.presence_check"]
    home = Path(__file__).resolve().parents[1]
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=home if home.is_dir() else None,
    ) as child:
        try:
            said, _ = child.communicate(cast("bytes", given), timeout=limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            raise HsmError(
                f"the token has not answered another process for {limit_s:g} s; the PIN was not "
                "checked"
            ) from None
    text = said[:64].decode("ascii", "replace").strip()
    # The word alone is not enough: the process must also have come to its end.
    return text if child.returncode == 0 else FAILED


def _judge(answer: str) -> None:
    if answer == RIGHT:
        return
    if answer == WRONG:
        raise WrongPin("the token refused the PIN")
    if answer == LOCKED:
        raise PinLocked("the token has locked the PIN, or has one try left")
    if answer == MISSING:
        raise TokenMissing("another process does not find the token; the PIN was not checked")
    if answer == SHARED:
        raise HsmError(
            "the token's login holds for other processes too, so a PIN cannot be checked with it"
        )
    raise HsmError("another process could not log in to the token; the PIN was not checked")


def main() -> int:
    """Read a request, log in, and print what the token made of the PIN."""
    _forbid_attaching()
    where = json.loads(sys.stdin.buffer.readline(_MAX_REQUEST))
    pin = SecretBytes(bytearray(sys.stdin.buffer.read(MAX_PIN + 1)))
    sys.stdout.write(f"{_checked(where, pin)}\n")
    sys.stdout.flush()
    return 0


def _checked(where: dict[str, Any], pin: SecretBytes) -> str:
    choice = TokenChoice(label=where["label"], serial=where["serial"], slot=where["slot"])
    try:
        return _login(library(Path(where["module"])), choice, pin)
    except p11.UserAlreadyLoggedIn:
        return SHARED
    except p11.PKCS11Error as error:
        return _word(translate(type(error)))
    except HsmError as error:
        return _word(error)


def _login(owner: Library, choice: TokenChoice, pin: SecretBytes) -> str:
    token = owner.find(choice)
    refuse_locked(token.flags)
    told = owner.functions().direct
    with token.open() as session:
        if told and _is_logged_in(owner, session):
            return SHARED
    session = token.open(user_pin=pin_text(pin))
    right = not told or _is_logged_in(owner, session)
    with suppress(p11.PKCS11Error):
        session.close()
    return RIGHT if right else FAILED


def _is_logged_in(owner: Library, session: Session) -> bool:
    return owner.functions().is_logged_in(handle_of(session))


def _word(error: HsmError) -> str:
    if isinstance(error, WrongPin):
        return WRONG
    if isinstance(error, PinLocked):
        return LOCKED
    return MISSING if isinstance(error, TokenMissing) else FAILED


def _forbid_attaching() -> None:
    """Keep other processes of this user from reading the PIN here, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
