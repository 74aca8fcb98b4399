"""FileSession: the only thread that owns a file vault's keys while they are open."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.adapters.shares.key_file import (
    MAX_KEY_FILE,
    FileKeys,
    KeyFile,
    open_keys,
    parse_key_file,
)
from console.application.errors import HsmError, SealBroken, TokenMissing, VaultLocked, WrongPin
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import MAX_PASSPHRASE
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealer import NONCE_SIZE, OWN_GCM, SEAL_OVERHEAD

_T = TypeVar("_T")


class FileSession:
    """Methods but `call` and `close` are blocking and run inside `call`. Implements `Sealer`."""

    def __init__(
        self,
        path: Path,
        member: MemberId,
        least_memory_kib: int,
        backoff: PinBackoff,
        random: Callable[[int], bytes],
    ) -> None:
        self._path = path
        self._member = member
        self._least_memory_kib = least_memory_kib
        self._random = random
        self._keys: FileKeys | None = None
        self._closed = False
        self.backoff = backoff
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vault")

    async def call(self, operation: Callable[[], _T]) -> _T:
        """Run `operation` in the vault's thread."""
        if self._closed:
            raise VaultLocked("the vault is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, operation)

    async def close(self) -> None:
        """Lock, then end the thread."""
        if not self._closed:
            await self.call(self.lock)
            self._closed = True
            self._thread.shutdown(wait=False)

    @property
    def unlocked(self) -> bool:
        return self._keys is not None

    def keys(self) -> FileKeys:
        """Return the open keys. Raises: VaultLocked."""
        if self._keys is None:
            raise VaultLocked("the vault is locked")
        return self._keys

    def unlock(self, passphrase: SecretBytes) -> None:
        """Open the key file. Raises: WrongPin, PinLocked, TokenMissing, KeyCheckFailed."""
        keys = self._open(passphrase)
        self.lock()
        self._keys = keys

    def prove(self, passphrase: SecretBytes) -> None:
        """Open the key file again beside the open keys. Raises: as `unlock`, VaultLocked."""
        self.keys()
        self._open(passphrase).kek.wipe()

    def lock(self) -> None:
        """Wipe the keys."""
        keys, self._keys = self._keys, None
        if keys is not None:
            keys.kek.wipe()

    def read(self) -> KeyFile:
        """Read the key file's header. Raises: TokenMissing, KeyCheckFailed, HsmError."""
        try:
            with self._path.open("rb") as stream:
                data = stream.read(MAX_KEY_FILE + 1)
        except FileNotFoundError:
            raise TokenMissing("the key file is missing") from None
        except OSError as error:
            raise HsmError(f"the key file cannot be read: {error.strerror}") from None
        return parse_key_file(data, self._member, self._least_memory_kib)

    @property
    def method(self) -> int:
        """The one method of encrypted files."""
        return OWN_GCM

    def by(self, method: int) -> "FileSession":
        """Return this sealer. Raises: SealBroken for another method."""
        if method != OWN_GCM:
            raise SealBroken("a record was sealed by an HSM, not by encrypted files")
        return self

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        """Return nonce, ciphertext and tag. Raises: VaultLocked."""
        nonce = self._random(NONCE_SIZE)
        return nonce + self._cipher().encrypt(nonce, bytes(secret.reveal()), associated)

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        """Open what `seal` returned. Raises: SealBroken, VaultLocked."""
        cipher = self._cipher()
        if len(sealed) <= SEAL_OVERHEAD:
            raise SealBroken("a sealed record is cut off")
        try:
            opened = cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated)
        except InvalidTag:
            raise SealBroken(
                "a sealed record does not open: altered, or sealed for something else"
            ) from None
        return SecretBytes(opened)

    def _cipher(self) -> AESGCM:
        return AESGCM(bytes(self.keys().kek.reveal()))

    def _open(self, passphrase: SecretBytes) -> FileKeys:
        file = self.read()
        if not 1 <= len(passphrase) <= MAX_PASSPHRASE:
            raise WrongPin(f"a passphrase has 1 to {MAX_PASSPHRASE} bytes")
        self.backoff.begin_try()
        try:
            keys = open_keys(file, passphrase)
        except WrongPin:
            raise
        except HsmError:
            self.backoff.not_tried()
            raise
        self.backoff.succeeded()
        return keys
