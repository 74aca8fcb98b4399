"""The ledger's key: 32 random bytes, stored wrapped by the vault."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

from console.adapters.ledger.connection import KEY_SIZE
from console.application.errors import LedgerCorrupted, LedgerUnavailable
from console.application.ports.vault import KeyWrapPort
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import MAX_WRAPPED_BLOB, create_file

PURPOSE = "ledger"
_MAX_FILE = MAX_WRAPPED_BLOB


async def ledger_key(
    key_file: Path,
    ledger_file: Path,
    wrapping: KeyWrapPort,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> SecretBytes:
    """Return the ledger's key; create it if there is neither a key file nor a ledger.

    Raises: LedgerCorrupted if a ledger is there without its key; SealBroken, VaultLocked, HsmError.
    """
    blob = await asyncio.to_thread(_stored, key_file, ledger_file)
    if blob is None:
        fresh = SecretBytes(random(KEY_SIZE))
        try:
            blob = await wrapping.wrap(PURPOSE, fresh)
        finally:
            fresh.wipe()
        await asyncio.to_thread(_store, key_file, blob)
    key = await wrapping.unwrap(PURPOSE, blob)
    if len(key) != KEY_SIZE:
        key.wipe()
        raise LedgerCorrupted("the ledger's key has a wrong length")
    return key


def _stored(key_file: Path, ledger_file: Path) -> bytes | None:
    try:
        with key_file.open("rb") as stream:
            return stream.read(_MAX_FILE + 1)
    except FileNotFoundError:
        if ledger_file.exists():
            # A new key could never open the records.
            raise LedgerCorrupted("the file of the ledger's key is missing") from None
        return None
    except OSError as error:
        raise LedgerUnavailable(f"the ledger's key cannot be read: {error.strerror}") from None


def _store(key_file: Path, blob: bytes) -> None:
    try:
        create_file(key_file, blob)
    except OSError as error:
        raise LedgerUnavailable(f"the ledger's key cannot be stored: {error.strerror}") from None
