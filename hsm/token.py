"""TokenSession: the only thread of a token's only session, and the rules of its use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pkcs11 import exceptions as p11
from pkcs11.types import Session, Token

from console.application.errors import HsmError, VaultLocked, WrongPin
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from hsm.faults import leaves_state_known, translate
from hsm.keys import KeyRecord, TokenKeys, load_keys, presence_key, read_record, sign_checked
from hsm.library import Library
from hsm.tries import counted, pin_text

_T = TypeVar("_T")
_PRESENCE_PROBE = b"quorate/presence"


class TokenSession:
    """Methods but `call` and `close` are blocking and run inside `call`."""

    def __init__(self, library: Library, label: str, member: MemberId, backoff: PinBackoff) -> None:
        self._library = library
        self._label = label
        self._member = member
        self._backoff = backoff
        self._keys: TokenKeys | None = None
        self._generation = library.generation
        self._closed = False
        library.require_same_process()
        library.claim(label)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hsm")

    async def call(self, operation: Callable[[], _T]) -> _T:
        """Run `operation` in the token's thread; the library's errors are translated to ours."""
        # Checked here too: after a fork there is no thread and the call would never return.
        self._library.require_same_process()
        if self._closed:
            raise VaultLocked("the vault is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._guarded, operation)

    async def close(self) -> None:
        """Log out, release the token, end the thread."""
        if self._closed:
            return
        try:
            await self.call(self.logout)
        finally:
            self._closed = True
            self._library.release(self._label)
            self._thread.shutdown(wait=False)

    @property
    def unlocked(self) -> bool:
        return self._keys is not None and self._generation == self._library.generation

    @property
    def backoff(self) -> PinBackoff:
        return self._backoff

    def keys(self) -> TokenKeys:
        """Return the checked keys. Raises: VaultLocked."""
        if self._keys is None:
            raise VaultLocked("the vault is locked")
        if self._generation != self._library.generation:
            self._keys = None
            raise VaultLocked("the PKCS#11 library was restarted; unlock the vault")
        return self._keys

    def find(self) -> Token:
        """Return the token. Raises: TokenMissing."""
        return self._library.find(self._label)

    def public_record(self) -> KeyRecord:
        """Read the key record, locked or not. Raises: TokenMissing, KeyCheckFailed."""
        if self.unlocked:
            return self.keys().record
        # A session without login sees public objects only.
        with self.find().open() as session:
            return read_record(session, self._member)

    def login(self, pin: SecretBytes) -> None:
        """Log in and check the keys. Raises: WrongPin, PinLocked, KeyCheckFailed, HsmError."""
        if self.unlocked:
            self.prove(pin)
            self._keys = load_keys(self.keys().session, self.public_record())
            return
        self._keys = None
        record = self.public_record()
        self._generation = self._library.generation
        session = self._counted(lambda: self._open(pin))
        self._generation = self._library.generation
        try:
            self._keys = load_keys(session, record)
        finally:
            if self._keys is None:
                session.close()

    def prove(self, pin: SecretBytes) -> None:
        """Have the token verify the PIN while logged in; the session is not changed.

        A key with CKA_ALWAYS_AUTHENTICATE signs only after the PIN was entered again. A plain
        login is no check: while a session is logged in, any PIN passes as "already logged in".
        """
        record = self.keys().record
        self._require_presence_enforced(record)
        self._counted(lambda: self._sign_presence(pin, record))

    def logout(self) -> None:
        """Log out and drop the handles; never raises for a missing token."""
        if self._keys is None:
            return
        keys, self._keys = self._keys, None
        if self._generation != self._library.generation:
            return
        try:
            keys.session.close()
        except p11.PKCS11Error:
            # Whether the token is still logged in is not known: end all sessions.
            self._library.reset()

    def fault(self) -> None:
        """Drop all handles after an error that leaves the token's state unknown."""
        self._keys = None
        self._library.reset()

    def _guarded(self, operation: Callable[[], _T]) -> _T:
        with self._library.lock:
            failure: type[p11.PKCS11Error]
            try:
                return operation()
            except p11.PKCS11Error as error:
                failure = type(error)
            if not leaves_state_known(failure):
                self.fault()
            # Raised outside the handler, so that it references no frame of the failed call.
            raise translate(failure)

    def _counted(self, attempt: Callable[[], _T]) -> _T:
        """Make one PIN try under the back-off. Raises: PinLocked, WrongPin, HsmError."""
        failure: type[p11.PKCS11Error]
        try:
            return counted(self.find(), self._backoff, attempt)
        except p11.PKCS11Error as error:
            failure = type(error)
        wrong = translate(failure)
        if isinstance(wrong, WrongPin) and self._keys is None:
            # The refused login left a session open, without a handle to close it.
            self._library.reset_if_sole_owner()
        if not leaves_state_known(failure):
            self.fault()
        # Raised outside the handler, so that it references no frame of the failed call.
        raise wrong

    def _open(self, pin: SecretBytes) -> Session:
        text = pin_text(pin)
        token = self.find()
        try:
            return token.open(rw=True, user_pin=text)
        except p11.UserAlreadyLoggedIn:
            # Not our login, although we own the token: under it any PIN would pass.
            self._library.reset()
        token = self.find()
        return token.open(rw=True, user_pin=text)

    def _require_presence_enforced(self, record: KeyRecord) -> None:
        with self.find().open() as session:
            try:
                sign_checked(presence_key(session), record.presence_point, _PRESENCE_PROBE)
            except p11.UserNotLoggedIn:
                return
        raise HsmError("the token does not ask for the PIN again; it cannot prove presence")

    def _sign_presence(self, pin: SecretBytes, record: KeyRecord) -> None:
        # A separate session: a refused PIN leaves the operation open until the session ends.
        with self.find().open() as session:
            key = presence_key(session)
            sign_checked(key, record.presence_point, _PRESENCE_PROBE, pin=pin_text(pin))
