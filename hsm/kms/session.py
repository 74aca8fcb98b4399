"""KmsSession: the one thread that asks KMS for a vault, and the rules of its use."""

import hmac
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from console.application.errors import (
    HsmError,
    KeyCheckFailed,
    TokenMissing,
    VaultLocked,
    WrongPin,
)
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes, SecretWiped
from console.sealing.passphrase import MAX_PASSPHRASE
from console.sealing.pin_backoff import PinBackoff
from hsm.keys import KeyRecord
from hsm.kms.calls import KmsCalls, KmsFault
from hsm.kms.keys import KmsIdentity, KmsKeys, require_identity, require_recorded
from hsm.kms.lock_file import LOCK_FILE, LONGEST_LOCK, open_lock, parse_lock
from hsm.signed_files import SignedFiles
from hsm.worker import CallStuck, Worker

_T = TypeVar("_T")


class KmsSession:
    """Methods but `call`, `look_soon`, `lock_now` and `close` block, and run inside `call`.

    Implements `VaultSession`. `connect` returns the client; it is called again after a call that
    did not come back. What was registered by `on_lost` is called when the vault locks itself.
    """

    def __init__(
        self,
        folder: Path,
        member: MemberId,
        backoff: PinBackoff,
        limit_s: float,
        least_memory_kib: int,
        connect: Callable[[], KmsCalls],
    ) -> None:
        self.files = SignedFiles(folder)
        self.backoff = backoff
        self._folder = folder
        self._member = member
        self._limit_s = limit_s
        self._least_memory_kib = least_memory_kib
        self._connect = connect
        self._calls: KmsCalls | None = None
        self._keys: KmsKeys | None = None
        self._closed = False
        self._lost: list[Callable[[str], None]] = []
        self._worker = Worker(self._recover)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called, in any thread, with the reason why the vault locked itself."""
        self._lost.append(callback)

    @property
    def trouble(self) -> str:
        """Why no call is taken now, empty if calls are taken."""
        stuck = self._worker.stuck
        return "" if stuck is None else _stuck_text(stuck)

    @property
    def unlocked(self) -> bool:
        return self._keys is not None and self._worker.stuck is None

    async def call(self, step: str, operation: Callable[[], _T]) -> _T:
        """Run `operation` in the vault's thread. Raises: HsmError, VaultLocked."""
        if self._closed:
            raise VaultLocked("the vault is closed")
        try:
            return await self._worker.call(step, lambda: self._guarded(operation), self._limit_s)
        except CallStuck as stuck:
            text = _stuck_text(stuck)
        self._drop()
        self._tell_lost(text)
        raise HsmError(text)

    def look_soon(self, look: Callable[[], None]) -> None:
        """Have the vault's thread look at the keys when it has time; nobody waits for it."""
        if self._closed:
            return
        self._worker.give_up_if_late()

        def quiet() -> None:
            with suppress(HsmError):
                self._guarded(look)

        self._worker.post("looking at the keys", quiet, self._limit_s)

    async def lock_now(self) -> None:
        """Take the open keys away from all calls at once; wipe them behind the one that runs."""
        keys, self._keys = self._keys, None
        if not self._closed and self._worker.stuck is None:
            with suppress(HsmError):
                await self.call("locking", self._drop)
        if keys is not None:
            keys.lock.wipe()
        self._drop()

    async def close(self) -> None:
        """Lock and end the thread."""
        if not self._closed:
            await self.lock_now()
            self._closed = True
            self._worker.end()

    def calls(self) -> KmsCalls:
        """Return the client, loaded when it is first needed. Raises: HsmError."""
        if self._calls is None:
            self._calls = self._connect()
        return self._calls

    def keys(self) -> KmsKeys:
        """Return the checked keys. Raises: VaultLocked."""
        if self._keys is None:
            raise VaultLocked("the vault is locked")
        return self._keys

    def public_record(self) -> KeyRecord:
        """Read the key record, locked or not. Raises: TokenMissing, KeyCheckFailed, HsmError."""
        if self._keys is not None:
            return self._keys.record
        record = self.files.read_record()
        if record is None:
            raise TokenMissing("the file of the key record is missing")
        if record.member != self._member:
            raise KeyCheckFailed(f"the key record is of {record.member}, not of {self._member}")
        return record

    def unlock(self, passphrase: SecretBytes) -> None:
        """Open the lock file, and check the keys. Raises: WrongPin, PinLocked, KeyCheckFailed."""
        if self._keys is not None:
            self.prove(passphrase)
            require_identity(self.calls(), self._keys.identity, self._keys.record)
            return
        record = self.public_record()
        lock = self._opened(record, passphrase)
        whole = False
        try:
            identity = KmsIdentity(self.calls())
            require_identity(self.calls(), identity, record)
            whole = True
        finally:
            if not whole:
                lock.wipe()
        self._keys = KmsKeys(identity, record, lock)

    def prove(self, passphrase: SecretBytes) -> None:
        """Open the lock file again beside the open keys. Raises: as `unlock`, VaultLocked."""
        keys = self.keys()
        with self._opened(keys.record, passphrase) as opened:
            if not hmac.compare_digest(opened, keys.lock.view()):
                raise KeyCheckFailed("the lock file holds another key than before")

    def fault(self, reason: str) -> None:
        """Lock, and tell why, if the vault is unlocked."""
        held = self._keys is not None
        self._drop()
        if held:
            self._tell_lost(f"{reason}. The vault is locked here; keys and funds are not affected")

    def _opened(self, record: KeyRecord, passphrase: SecretBytes) -> SecretBytes:
        """Make one try at the lock file: counted before, and not if nobody judged it."""
        data = self._read_lock()
        require_recorded(record, data)
        lock = parse_lock(data, self._member, self._least_memory_kib)
        if not 1 <= len(passphrase) <= MAX_PASSPHRASE:
            raise WrongPin(f"a passphrase has 1 to {MAX_PASSPHRASE} bytes")
        self.backoff.begin_try()
        try:
            opened = open_lock(self.calls(), lock, passphrase)
        except WrongPin:
            raise
        except SecretWiped:  # The caller has given up meanwhile.
            self.backoff.not_tried()
            raise VaultLocked("the passphrase is not tried any more") from None
        except (HsmError, KmsFault):
            self.backoff.not_tried()
            raise
        try:
            self.backoff.succeeded()
        except HsmError:
            opened.wipe()
            raise
        return opened

    def _read_lock(self) -> bytes:
        try:
            with (self._folder / LOCK_FILE).open("rb") as stream:
                return stream.read(LONGEST_LOCK + 1)
        except FileNotFoundError:
            raise TokenMissing("the lock file is missing") from None
        except OSError as error:
            raise HsmError(f"the lock file cannot be read: {error.strerror}") from None

    def _guarded(self, operation: Callable[[], _T]) -> _T:
        try:
            return operation()
        except KmsFault as fault:
            told, lost = fault.told, fault.lost
        if lost:
            self.fault(str(told))
        # Raised outside the handler, so that it references no frame of the failed call.
        raise told

    def _recover(self) -> None:
        """Forget what a late call did: it may have opened the lock file."""
        self._drop()
        self._calls = None

    def _drop(self) -> None:
        keys, self._keys = self._keys, None
        if keys is not None:
            keys.lock.wipe()

    def _tell_lost(self, reason: str) -> None:
        for callback in self._lost:
            callback(reason)


def _stuck_text(stuck: CallStuck) -> str:
    return (
        f"AWS KMS has not answered for {stuck.limit_s:g} s while {stuck.step}. The vault is locked "
        "here; keys and funds are not affected. Check the network, and unlock it again"
    )
