"""Looks: what was last seen of a token, kept so that nobody who asks has to wait for it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pkcs11 import TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Token

from console.application.errors import HsmError
from hsm.faults import is_lost
from hsm.library import serial_of
from hsm.signed_files import IN_FILES
from hsm.token import TokenSession
from hsm.vendors import vendor_of

EVERY_S = 1.0
FIRST_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A look at the token. `backing` is what protects the keys, or why nothing was seen."""

    present: bool = False
    model: str = ""
    serial: str = ""
    attempts_left: int | None = None
    backing: str = "the token has not answered yet"
    for_tests_only: bool = False
    unproven: bool = False


class Looks:
    """Looks at the token in its own thread, at most once in `EVERY_S` and only while asked."""

    def __init__(
        self, token: TokenSession, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token
        self._monotonic_s = monotonic_s
        self._seen: Seen | None = None
        self._first: asyncio.Task[None] | None = None
        self._asked_s = monotonic_s()

    async def latest(self) -> Seen:
        """Return the last look. Only the first is waited for, `FIRST_S` at most."""
        if self._seen is None:
            if self._first is None or self._first.done():
                self._first = asyncio.create_task(self._look_first())
            await asyncio.wait({self._first}, timeout=FIRST_S)
        elif self._monotonic_s() - self._asked_s >= EVERY_S:
            self.soon()
        return self._seen or Seen()

    def soon(self) -> None:
        """Look when the token's thread has time."""
        self._asked_s = self._monotonic_s()
        self._token.look_soon(self.look)

    def note(self, token: Token) -> None:
        """Note a token that answered just now; for its own thread."""
        vendor = vendor_of(token.manufacturer_id, token.model)
        record = self._token.record
        in_files = record is not None and record.heads_in_file
        self._seen = Seen(
            present=True,
            model=token.model,
            serial=serial_of(token),
            attempts_left=attempts_left(token.flags),
            backing=f"{vendor.backing}; {IN_FILES}" if in_files else vendor.backing,
            for_tests_only=vendor.for_tests_only,
            unproven=not vendor.for_production,
        )

    def look(self) -> None:
        """Look at the token now; for its own thread. Raises: PKCS11Error if it is lost."""
        try:
            token = self._token.find()
            self._token.public_record()
            self.note(token)
        except HsmError as error:
            self._seen = Seen(backing=str(error))
        except p11.PKCS11Error as error:
            self._seen = Seen(backing=f"the token answered {type(error).__name__}")
            if is_lost(type(error)):
                raise

    async def _look_first(self) -> None:
        with suppress(HsmError):
            await self._token.call("looking at the token", self.look)


def attempts_left(flags: TokenFlag) -> int | None:
    """Return a token's remaining PIN tries, None if it does not report them."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return 0
    return 1 if flags & TokenFlag.USER_PIN_FINAL_TRY else None
