"""PIN tries: each is made only after the token's flags and our own back-off were asked."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pkcs11 import TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Session, Token

from console.application.errors import (
    HsmError,
    LastTryLeft,
    PinLocked,
    VaultLocked,
    WrongPin,
)
from console.protocols.kernel.secret import SecretBytes, SecretWiped
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealed_record import sync_folder
from hsm.faults import translate
from hsm.library import serial_of

_T = TypeVar("_T")
MAX_PIN = 255
# The fewest tries that tokens are set to is three. Some do not report how many are left.
_SURE_TRIES = 2
_LAST_TRY = (
    "The token was not asked again. A right PIN in its maker's program resets its count; "
    "with --last-try the next one is tried here"
)


def refuse_locked(flags: TokenFlag) -> None:
    """Refuse a try that would lock the token, or that cannot succeed. Raises: PinLocked."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise PinLocked("the token has locked the PIN; the security officer must unlock it")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise PinLocked("the token has one try left; the security officer must reset its count")


def refuse_last(flags: TokenFlag, failures: int, *, last_try: bool) -> None:
    """Refuse a set-up's try that may be the token's last, unless told to use it. Raises: PinLocked.

    `failures` are the wrong PINs in a row that we have counted.
    """
    if last_try or flags & TokenFlag.USER_PIN_LOCKED:
        refuse_locked(flags & ~TokenFlag.USER_PIN_FINAL_TRY)
    elif flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise LastTryLeft("the token has one try left, and a wrong PIN locks it", _LAST_TRY)
    elif failures >= _SURE_TRIES:
        raise LastTryLeft(
            f"{failures} wrong PINs were given in a row, and many tokens lock at the third",
            _LAST_TRY,
        )


def counted(
    token: Token, backoff: PinBackoff, attempt: Callable[[], _T], *, last_try: bool | None = None
) -> _T:
    """Make one PIN try. `last_try`: None for a node, a set-up says whether it may use the last.

    If a right PIN cannot be noted, a session that the try opened is closed.
    Raises: PinLocked, HsmError, and what the library raises.
    """
    if last_try is None:
        refuse_locked(token.flags)
    else:
        refuse_last(token.flags, backoff.failures(), last_try=last_try)
    backoff.begin_try()
    try:
        result = attempt()
    except SecretWiped:  # The caller has given up meanwhile.
        backoff.not_tried()
        raise VaultLocked("the PIN is not tried any more") from None
    except p11.PKCS11Error as error:
        if not isinstance(translate(type(error)), WrongPin):
            backoff.not_tried()
        raise
    except HsmError as error:
        if not isinstance(error, WrongPin):
            backoff.not_tried()
        raise
    try:
        backoff.succeeded()
    except HsmError:
        # Who is told of an error has no session to close: the login ends here.
        if isinstance(result, Session):
            result.close()
        raise
    return result


def pin_text(pin: SecretBytes) -> str:
    """Return the PIN as text for the library: a copy that cannot be wiped, so short-lived."""
    if not 1 <= len(pin) <= MAX_PIN:
        raise WrongPin("a PIN has 1 to 255 bytes")
    # Undecodable bytes become a PIN that is refused; an exception would quote them.
    text = str(pin.reveal(), "utf-8", "replace")
    if pin.wiped:  # Meanwhile, by a caller who gave up: zeros must not become a try.
        raise SecretWiped("the secret has been wiped")
    return text


def tries_file(folder: Path, module: Path, token: Token) -> Path:
    """Return where wrong PINs of set-ups are counted in `folder`: by token, however it was named.

    A token that two libraries show has one count. What earlier versions have counted, by the name
    that the operator gave, is taken over. Raises: HsmError.
    """
    serial = serial_of(token)
    makers = f"{_plain(token.manufacturer_id)}\0{_plain(token.model)}" if serial else _real(module)
    path = _counting(folder, f"{makers}\0{serial}\0{token.label}")
    named = (token.label, f"serial:{serial}", f"slot:{token.slot.slot_id}")
    for name in named:
        _take_over(_counting(folder, f"{_real(module)}\0{name}"), path)
    return path


def _plain(text: str) -> str:
    return text.strip("\0 ")


def _counting(folder: Path, what: str) -> Path:
    return folder / f".pin-tries-{hashlib.sha256(what.encode()).hexdigest()[:16]}"


def _real(module: Path) -> str:
    return str(module.resolve())


def _take_over(old: Path, path: Path) -> None:
    """Let an old count be the token's, if it is the higher one. Raises: HsmError."""
    if not old.exists():
        return
    try:
        if _failures(old) > _failures(path):
            old.replace(path)
            sync_folder(path.parent)
        else:
            old.unlink()
    except FileNotFoundError:  # Another set-up did it meanwhile.
        return
    except OSError as error:
        raise HsmError(f"the PIN back-off file cannot be kept: {error.strerror}") from None


def _failures(path: Path) -> int:
    return PinBackoff(path, lambda: time.time_ns() // 1_000_000).failures()
