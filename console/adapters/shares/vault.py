"""FileVault: a member's vault in encrypted files, its parts and its lock."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.adapters.shares.key_file import KEK_SIZE, KeyFile, seal_keys
from console.adapters.shares.parts import FileAnchor, FileIdentity, FileShares, FileWrapping
from console.adapters.shares.session import FileSession
from console.application.errors import HsmError
from console.application.ports.vault import VaultStatus
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import LEAST_MEMORY_KIB, SHORTEST_PASSPHRASE, Argon2Cost
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealed_record import ShareFiles, create_file

KEY_FILE = "keys.sealed"
BACKING = "an encrypted file: only the passphrase protects the keys, no hardware does"
DEFAULT_COST = Argon2Cost()


@dataclass(frozen=True, slots=True)
class FileVaultSettings:
    """The paths of the vault's files, and the cost of a guess.

    Key files below `least_memory_kib` are refused; only tests set it lower.
    """

    directory: Path
    member: MemberId
    cost: Argon2Cost = DEFAULT_COST
    least_memory_kib: int = LEAST_MEMORY_KIB
    shortest_passphrase: int = SHORTEST_PASSPHRASE


def create_file_vault(
    settings: FileVaultSettings,
    passphrase: SecretBytes,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Generate a member's keys in a new key file; return the identity key. Blocking.

    Wipes `passphrase`. Raises: HsmError if a key file exists, or the passphrase is short.
    """
    kek = SecretBytes(random(KEK_SIZE))
    try:
        if settings.cost.memory_kib < settings.least_memory_kib:
            raise HsmError("the Argon2 memory is below the allowed minimum")
        if len(passphrase) < settings.shortest_passphrase:
            raise HsmError(f"a passphrase has at least {settings.shortest_passphrase} bytes")
        file = seal_keys(settings.member, settings.cost, passphrase, kek, random(16), random(12))
    finally:
        kek.wipe()
        passphrase.wipe()
    try:
        create_file(settings.directory / KEY_FILE, file.encode())
    except FileExistsError:
        raise HsmError("a key file exists already; it is not replaced") from None
    except OSError as error:
        raise HsmError(f"the key file cannot be created: {error.strerror}") from None
    return file.public_key


class FileVault:
    """Implements `VaultPort` over encrypted files."""

    def __init__(
        self,
        settings: FileVaultSettings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        folder, member = settings.directory, settings.member
        backoff = PinBackoff(folder / "passphrase-backoff", now_ms)
        self._settings = settings
        self._session = FileSession(
            folder / KEY_FILE, member, settings.least_memory_kib, backoff, random
        )
        self._identity = FileIdentity(self._session)
        self._shares = FileShares(self._session, ShareFiles(folder / "shares"))
        self._wrapping = FileWrapping(self._session, member)
        self._anchor = FileAnchor(self._session, member, folder / "ledger-head.sealed")

    @property
    def identity(self) -> FileIdentity:
        return self._identity

    @property
    def shares(self) -> FileShares:
        return self._shares

    @property
    def wrapping(self) -> FileWrapping:
        return self._wrapping

    @property
    def anchor(self) -> FileAnchor:
        return self._anchor

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Files do not go away by themselves: `callback` is never called."""

    async def status(self) -> VaultStatus:
        """Return the vault's state; a missing key file is a state, not an error."""
        try:
            return await self._session.call(self._status)
        except HsmError as error:
            return self._describe(None, 0.0, str(error))

    async def unlock(self, pin: SecretBytes) -> None:
        """Open the keys with the passphrase; wipes `pin`."""
        try:
            await self._session.call(lambda: self._session.unlock(pin))
        finally:
            pin.wipe()

    async def verify_pin(self, pin: SecretBytes) -> None:
        """Verify the passphrase again while unlocked; wipes `pin`."""
        try:
            await self._session.call(lambda: self._session.prove(pin))
        finally:
            pin.wipe()

    async def lock(self) -> None:
        """Wipe the keys."""
        await self._session.call(self._session.lock)

    async def close(self) -> None:
        """Lock and end the thread."""
        await self._session.close()

    def _status(self) -> VaultStatus:
        retry_after_s = self._session.backoff.retry_after_s()
        try:
            file = self._session.read()
        except HsmError as error:
            return self._describe(None, retry_after_s, str(error))
        return self._describe(file, retry_after_s, BACKING)

    def _describe(self, file: KeyFile | None, retry_after_s: float, backing: str) -> VaultStatus:
        return VaultStatus(
            kind="file",
            label=self._settings.directory.name,
            model="Argon2id, AES-256-GCM",
            serial="" if file is None else file.salt.hex(),
            present=file is not None,
            unlocked=file is not None and self._session.unlocked,
            attempts_left=None,
            retry_after_s=retry_after_s,
            backing=backing,
            for_tests_only=False,
        )
