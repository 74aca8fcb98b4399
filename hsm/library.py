"""Library: one PKCS#11 module in this process, with its lock and the tokens in use.

PKCS#11 has one login for each token and process, for all sessions. So a token has one owner here.
The library is initialised without locking, so it has one caller at a time.
"""

import os
import threading
from pathlib import Path

import pkcs11
from pkcs11 import exceptions as p11
from pkcs11._pkcs11 import lib
from pkcs11.types import Token

from console.application.errors import HsmError, TokenMissing

_registry: dict[Path, "Library"] = {}
_registry_lock = threading.Lock()


class Library:
    """A loaded module. Use everything but `claim` and `release` with `lock` held."""

    def __init__(self, module: Path) -> None:
        self.lock = threading.RLock()
        self.generation = 0
        self._module = module
        self._claims: set[str] = set()
        self._pid = os.getpid()

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

    def find(self, label: str) -> Token:
        """Return the token with this label. Raises: TokenMissing, HsmError."""
        found = []
        for slot in self.handle().get_slots(token_present=True):
            try:
                token = slot.get_token()
            except (p11.TokenNotPresent, p11.TokenNotRecognised):
                continue
            if token.label == label:
                found.append(token)
        if not found:
            raise TokenMissing(f"no token is labelled {label!r}")
        if len(found) > 1:
            raise HsmError(f"more than one token is labelled {label!r}")
        return found[0]

    def handle(self) -> lib:
        """Return the loaded module. Raises: HsmError."""
        try:
            return pkcs11.lib(str(self._module))
        except p11.PKCS11Error as error:
            raise HsmError(f"the PKCS#11 module does not load: {type(error).__name__}") from None

    def reset(self) -> None:
        """Initialise the library again: all sessions and logins of this process end."""
        self.generation += 1
        try:
            self.handle().reinitialize()
        except p11.PKCS11Error as error:
            raise HsmError(
                f"the PKCS#11 module does not start again: {type(error).__name__}"
            ) from None

    def reset_if_sole_owner(self) -> None:
        """Initialise again unless another token is in use; closes sessions of refused logins."""
        if len(self._claims) <= 1:
            self.reset()


def library(module: Path) -> Library:
    """Return this process's one `Library` for a module."""
    with _registry_lock:
        known = _registry.get(module)
        if known is None:
            known = _registry[module] = Library(module)
        return known
