"""Library: one PKCS#11 module in this process, with its lock and the tokens in use.

PKCS#11 has one login for each token and process, for all sessions. So a token has one owner here.
The library is initialised without locking, so it has one caller at a time.
"""

import ctypes
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from pkcs11 import exceptions as p11
from pkcs11._pkcs11 import lib
from pkcs11.types import Slot, Token

from console.application.errors import HsmError, TokenMissing
from hsm.module import ModuleFunctions

_LONGEST_SLOT = 19

_registry: dict[Path, "Library"] = {}
_registry_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChoice:
    """Which token is meant: each part that is given must fit. `serial` without blanks."""

    label: str = ""
    serial: str = ""
    slot: int | None = None

    @classmethod
    def named(cls, name: str, serial: str = "", slot: int | None = None) -> "TokenChoice":
        """Read a name: a label, `serial:NUMBER`, or `slot:NUMBER`."""
        kind, _, rest = name.partition(":")
        if kind == "serial" and rest and not serial:
            return cls(serial=rest, slot=slot)
        if kind == "slot" and rest.isdecimal() and len(rest) <= _LONGEST_SLOT and slot is None:
            return cls(serial=serial, slot=int(rest))
        return cls(label=name, serial=serial, slot=slot)

    @property
    def text(self) -> str:
        """The choice for people: the label alone, if nothing else is given."""
        parts = [self.label] if self.label else []
        if self.serial:
            parts.append(f"serial number {self.serial}")
        if self.slot is not None:
            parts.append(f"slot {self.slot}")
        return ", ".join(parts) or "any"

    def fits(self, slot: Slot, token: Token) -> bool:
        """Return whether this is the token."""
        return (
            self.label in {"", token.label}
            and self.serial in {"", serial_of(token)}
            and self.slot in {None, slot.slot_id}
        )


def serial_of(token: Token) -> str:
    """Return a token's serial number, without the blanks that fill it up."""
    return token.serial.decode("ascii", "replace").strip("\0 ")


class Library:
    """A loaded module. Use everything but `claim` and `release` with `lock` held."""

    def __init__(self, module: Path) -> None:
        self.lock = threading.RLock()
        self.generation = 0
        self._module = module
        self._claims: set[str] = set()
        self._pid = os.getpid()
        # Finalised, and not initialised again: a module whose daemon or device is away.
        self._down = False
        self._functions: ModuleFunctions | None = None
        self._kept = False

    @property
    def module(self) -> Path:
        """The module's path."""
        return self._module

    @property
    def name(self) -> str:
        """The module's file name, for messages."""
        return self._module.name

    def require_same_process(self) -> None:
        """Refuse after a fork: the child would inherit the parent's login. Raises: HsmError."""
        if os.getpid() != self._pid:
            raise HsmError("the token belongs to the process that opened it")

    def claim(self, label: str) -> None:
        """Make the caller a token's only owner in this process. Raises: HsmError."""
        with _registry_lock:
            if label in self._claims:
                raise HsmError(f"the token {label!r} is in use already")
            self._claims.add(label)

    def release(self, label: str) -> None:
        """Release a token."""
        with _registry_lock:
            self._claims.discard(label)

    def find(self, choice: TokenChoice) -> Token:
        """Return the one token that is meant. Raises: TokenMissing, HsmError."""
        found = []
        for slot in self.handle().get_slots(token_present=True):
            try:
                token = slot.get_token()
            except (p11.TokenNotPresent, p11.TokenNotRecognised):
                continue
            if choice.fits(slot, token):
                found.append(token)
        if not found:
            raise TokenMissing(f"there is no token {choice.text!r} in {self.name}")
        if len(found) > 1:
            those = "; ".join(f"serial {serial_of(t)} in slot {t.slot.slot_id}" for t in found)
            raise HsmError(
                f"more than one token is {choice.text!r}: {those}. Name one as `serial:NUMBER` or "
                "`slot:NUMBER` in place of the label, or give one of them another label"
            )
        return found[0]

    def handle(self) -> lib:
        """Return the loaded module, initialised. Raises: HsmError."""
        try:
            loaded = pkcs11.lib(str(self._module))
        except p11.PKCS11Error as error:
            raise HsmError(
                f"the PKCS#11 module {self.name} does not load: {type(error).__name__}"
            ) from None
        if not self._kept:
            # Never freed: that would finalise the module when the process ends, and a module that
            # has stalled would keep it from ending.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded))
            self._kept = True
        if self._down:
            self.reset()
        return loaded

    def functions(self) -> ModuleFunctions:
        """Return the module's functions that the Python library lacks. Raises: HsmError."""
        self.handle()
        if self._functions is None:
            self._functions = ModuleFunctions(self._module)
        return self._functions

    def reset(self) -> None:
        """Initialise the library again: all sessions and logins of this process end.

        Raises: HsmError; the next use tries again.
        """
        self.generation += 1
        self._down = False
        functions = self.functions()
        self._down = True
        if functions.direct:
            functions.restart()
        else:
            self._restart_slowly()
        self._down = False

    def _restart_slowly(self) -> None:
        """Restart by the Python library, which stops all other threads meanwhile."""
        loaded = pkcs11.lib(str(self._module))
        # A module that has lost its daemon may fail to finalise; it starts anew all the same.
        with suppress(p11.PKCS11Error):
            loaded.finalize()
        try:
            loaded.initialize()
        except p11.PKCS11Error as error:
            kind = type(error).__name__
            raise HsmError(f"the PKCS#11 module {self.name} does not start again: {kind}") from None

    def reset_if_sole_owner(self) -> bool:
        """Initialise again unless another token is in use; return whether it was done.

        Closes sessions of refused logins, and finds tokens that have come back. Raises: HsmError.
        """
        if len(self._claims) > 1:
            return False
        self.reset()
        return True


def library(module: Path) -> Library:
    """Return this process's one `Library` for a module."""
    with _registry_lock:
        known = _registry.get(module)
        if known is None:
            known = _registry[module] = Library(module)
        return known
