"""TokenSession: the only thread of a token's only session, and the rules of its use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from pkcs11 import exceptions as p11
from pkcs11.types import Session, Token

from console.application.errors import HsmError, TokenMissing, VaultLocked, WrongPin
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from hsm.faults import leaves_state_known, translate
from hsm.keys import KeyRecord, TokenKeys, load_keys, presence_key, read_record, sign_checked
from hsm.library import Library, TokenChoice, serial_of
from hsm.module import ModuleFunctions
from hsm.presence_check import check_elsewhere
from hsm.signed_files import SignedFiles
from hsm.tries import counted, pin_text
from hsm.worker import CallStuck, Worker

_T = TypeVar("_T")
_PRESENCE_PROBE = b"quorate/presence"
# Another process's login ends before the call that waits for it is given up.
_CHILD_SHARE = 0.8


class TokenSession:
    """Methods but `call`, `look_soon`, `lock_now` and `close` block, and run inside `call`.

    `lost` is called in the token's thread when the handles are dropped because something failed.
    """

    def __init__(
        self,
        library: Library,
        choice: TokenChoice,
        member: MemberId,
        backoff: PinBackoff,
        limit_s: float,
        files: SignedFiles,
    ) -> None:
        self.files = files
        # The key record as it was last read.
        self.record: KeyRecord | None = None
        self._library = library
        self._choice = choice
        self._member = member
        self._backoff = backoff
        self._limit_s = limit_s
        self._keys: TokenKeys | None = None
        self._generation = library.generation
        self._closed = False
        self._lost: list[Callable[[str], None]] = []
        # The token as it was last found, for those who need no newer flags; the generation of that.
        self.found: Token | None = None
        self._found_in = -1
        # The generation in which a login began that has not come to a known end.
        self._unsure_in: int | None = None
        # Whether the presence key asks for the PIN; known since the login.
        self._asked = False
        library.require_same_process()
        library.claim(choice.text)
        self._worker = Worker(self._recover)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called, in any thread, with the reason why the keys are lost."""
        self._lost.append(callback)

    @property
    def trouble(self) -> str:
        """Why no call is taken now, empty if calls are taken."""
        stuck = self._worker.stuck
        return "" if stuck is None else self._stuck_text(stuck)

    async def call(self, step: str, operation: Callable[[], _T]) -> _T:
        """Run `operation` in the token's thread; the library's errors are translated to ours.

        `step` says in messages what it was for. Raises: HsmError when the token does not answer.
        """
        # Checked here too: after a fork there is no thread and the call would never return.
        self._library.require_same_process()
        if self._closed:
            raise VaultLocked("the vault is closed")
        try:
            return await self._worker.call(
                step, lambda: self._guarded(step, operation), self._limit_s
            )
        except CallStuck as stuck:
            text = self._stuck_text(stuck)
        self._tell_lost(text)
        raise HsmError(text)

    def look_soon(self, look: Callable[[], None]) -> None:
        """Have the token's thread look at it when it has time; nobody waits for it."""
        if self._closed:
            return
        self._worker.give_up_if_late()

        def quiet() -> None:
            with suppress(HsmError):
                self._guarded("looking at the token", look)

        self._worker.post("looking at the token", quiet, self._limit_s)

    async def lock_now(self) -> None:
        """Log out; a token that does not answer is locked here, and logged out when it does."""
        if self._closed or self._worker.stuck is not None:
            self._keys = None
            return
        with suppress(HsmError):
            await self.call("locking", self.logout)
        self._keys = None

    async def close(self) -> None:
        """Log out, release the token, end the thread."""
        if self._closed:
            return
        self._library.require_same_process()
        try:
            await self.lock_now()
        finally:
            self._closed = True
            self._library.release(self._choice.text)
            self._worker.end()

    @property
    def unlocked(self) -> bool:
        return (
            self._keys is not None
            and self._generation == self._library.generation
            and self._worker.stuck is None
        )

    @property
    def backoff(self) -> PinBackoff:
        return self._backoff

    def keys(self) -> TokenKeys:
        """Return the checked keys. Raises: VaultLocked."""
        if self._keys is None:
            raise VaultLocked("the vault is locked")
        if self._generation != self._library.generation:
            self._keys = None
            self._tell_lost("the PKCS#11 library was restarted; unlock the vault")
            raise VaultLocked("the PKCS#11 library was restarted; unlock the vault")
        return self._keys

    def find(self) -> Token:
        """Return the token, also one that has come back. Raises: TokenMissing, HsmError."""
        known, self.found = self.found, None
        if known is not None and self._found_in == self._library.generation:
            self.found = self._seen_again(known)
        if self.found is None:
            self.found = self._search()
            self._found_in = self._library.generation
        return self.found

    def functions(self) -> ModuleFunctions:
        """Return the module's own functions. Raises: HsmError."""
        return self._library.functions()

    def _search(self) -> Token:
        try:
            return self._library.find(self._choice)
        except TokenMissing:
            # Modules may list what was there when they were initialised.
            if self.unlocked or not self._library.reset_if_sole_owner():
                raise
        return self._library.find(self._choice)

    def _seen_again(self, known: Token) -> Token | None:
        """Return the token with its flags of now, if it is still in its slot: one call."""
        try:
            token = known.slot.get_token()
        except (p11.TokenNotPresent, p11.TokenNotRecognised, p11.SlotIDInvalid):
            return None
        same = token.serial == known.serial and self._choice.fits(known.slot, token)
        return token if same else None

    def public_record(self) -> KeyRecord:
        """Read the key record, locked or not. Raises: TokenMissing, KeyCheckFailed."""
        if self.unlocked:
            return self.keys().record
        # A session without login sees public objects only.
        with self.find().open() as session:
            self.record = read_record(session, self._member, self.files.read_record)
        return self.record

    def login(self, pin: SecretBytes) -> None:
        """Log in and check the keys. Raises: WrongPin, PinLocked, KeyCheckFailed, HsmError."""
        if self.unlocked:
            self.prove(pin)
            self._keys = load_keys(self.keys().session, self.public_record())
            return
        self._keys = None
        try:
            self._log_in(pin)
        except p11.UserAlreadyLoggedIn:
            # Not our login, although we own the token: under it any PIN would pass.
            self._library.reset()
            self._log_in(pin)

    def _log_in(self, pin: SecretBytes) -> None:
        token = self.find()
        # A session without login sees public objects only; after the login it sees all.
        with _public(token) as outside:
            self.record = read_record(outside, self._member, self.files.read_record)
            session = self._counted(token, lambda: self._open(token, pin))
            whole = False
            try:
                keys = load_keys(session, self.record)
                self._asked = self._asks_again(outside, self.record)
                whole = True
            finally:
                if not whole:
                    session.close()
                self._unsure_in = None
            self._generation = self._library.generation
            self._keys = keys

    def _open(self, token: Token, pin: SecretBytes) -> Session:
        session = token.open(rw=True, user_pin=pin_text(pin))
        self._unsure_in = self._library.generation
        return session

    def prove(self, pin: SecretBytes) -> None:
        """Have the token verify the PIN while logged in; the session is not changed.

        A key with CKA_ALWAYS_AUTHENTICATE signs only after the PIN was entered again; where the
        token does not enforce that, another process logs in. A plain login here is no check: while
        a session is logged in, any PIN passes as "already logged in".
        """
        record = self.keys().record
        token = self.find()
        if self._asked:
            self._counted(token, lambda: self._sign_presence(token, pin, record))
        else:
            self._counted(token, lambda: self._check_elsewhere(token, pin))

    def logout(self) -> None:
        """Log out and drop the handles; never raises for a missing token."""
        unsure_in, self._unsure_in = self._unsure_in, None
        if self._keys is None:
            if unsure_in == self._library.generation:
                self._library.reset()
            return
        keys, self._keys = self._keys, None
        if self._generation != self._library.generation:
            return
        try:
            keys.session.close()
        except p11.PKCS11Error:
            # Whether the token is still logged in is not known: end all sessions.
            self._library.reset()

    def fault(self, reason: str) -> None:
        """Drop all handles after an error that leaves the token's state unknown."""
        held, self._keys = self._keys, None
        # What failed is told; that the module does not start again is told by the next call.
        with suppress(HsmError):
            self._library.reset()
        if held is not None:
            self._tell_lost(reason)

    def _recover(self) -> None:
        """Forget what a late call did: it may have logged in."""
        with self._library.lock:
            self._keys = None
            self._library.reset()

    def _tell_lost(self, reason: str) -> None:
        for callback in self._lost:
            callback(reason)

    def _stuck_text(self, stuck: CallStuck) -> str:
        return (
            f"the token {self._choice.text!r} has not answered for {stuck.limit_s:g} s while "
            f"{stuck.step} (module {self._library.name}). The vault is locked here; keys and funds "
            "are not affected. Unlock it when the token answers again; if it never does, restart "
            "this node"
        )

    def _guarded(self, step: str, operation: Callable[[], _T]) -> _T:
        with self._library.lock:
            failure: type[p11.PKCS11Error]
            try:
                return operation()
            except p11.PKCS11Error as error:
                failure = type(error)
            told = translate(failure, self._where(step))
            if not leaves_state_known(failure):
                self.fault(str(told))
            # Raised outside the handler, so that it references no frame of the failed call.
            raise told

    def _where(self, step: str) -> str:
        return f"{self._choice.text!r} (module {self._library.name}) while {step}"

    def _counted(self, token: Token, attempt: Callable[[], _T]) -> _T:
        """Make one PIN try under the back-off. Raises: PinLocked, WrongPin, HsmError.

        Raises: UserAlreadyLoggedIn, if nobody judged the PIN because of another login.
        """
        failure: type[p11.PKCS11Error]
        try:
            return counted(token, self._backoff, attempt)
        except p11.PKCS11Error as error:
            failure = type(error)
        if failure is p11.UserAlreadyLoggedIn:
            raise failure
        wrong = translate(failure, self._where("checking the PIN"))
        if isinstance(wrong, WrongPin) and self._keys is None:
            # The refused login left a session open, without a handle to close it.
            self._library.reset_if_sole_owner()
        if not leaves_state_known(failure):
            self.fault(str(wrong))
        # Raised outside the handler, so that it references no frame of the failed call.
        raise wrong

    def _asks_again(self, outside: Session, record: KeyRecord) -> bool:
        """Return whether the presence key refuses to sign without the PIN. Raises: KeyCheckFailed.

        In a session that is closed afterwards: a refused signature stays open until then.
        """
        if not record.presence_point:
            return False
        key = presence_key(outside, checked=True)
        try:
            sign_checked(key, record.presence_point, _PRESENCE_PROBE)
        except p11.UserNotLoggedIn:
            return True
        return False

    def _check_elsewhere(self, token: Token, pin: SecretBytes) -> None:
        # A slot's number may be another one in another process; the serial number is not.
        choice = TokenChoice(label=token.label, serial=serial_of(token))
        check_elsewhere(self._library.module, choice, pin, self._limit_s * _CHILD_SHARE)

    def _sign_presence(self, token: Token, pin: SecretBytes, record: KeyRecord) -> None:
        # A separate session: a refused PIN leaves the operation open until the session ends.
        with token.open() as session:
            key = presence_key(session)
            sign_checked(key, record.presence_point, _PRESENCE_PROBE, pin=pin_text(pin))


@contextmanager
def _public(token: Token) -> Iterator[Session]:
    """Open a session without login; that it is gone when it is closed does no harm."""
    session = token.open()
    try:
        yield session
    finally:
        with suppress(p11.PKCS11Error):
            session.close()
