"""Vault: the member's secure element, an HSM token, keys in a cloud's KMS, or encrypted files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from console.application.ports.share_storage import ShareStoragePort
from console.protocols.kernel.secret import SecretBytes


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """The vault's state, readable without unlocking it.

    `kind` is "pkcs11", "file" or "kms". `attempts_left` is None when the token does not report it.
    `retry_after_s` is above 0 while the PIN back-off lasts. `backing` says what protects the
    keys, for people. With `for_tests_only` it may not hold keys of a main network; nor while it is
    `unproven`, not known to be hardware and not accepted by the operator all the same.
    """

    kind: str
    label: str
    model: str
    serial: str
    present: bool
    unlocked: bool
    attempts_left: int | None
    retry_after_s: float
    backing: str
    for_tests_only: bool
    unproven: bool = False


@dataclass(frozen=True, slots=True)
class HeadAnchor:
    """A ledger's head: the newest record's number, and 32 bytes that stand for all records."""

    sequence: int
    hash: bytes


class IdentityPort(Protocol):
    """The member's long-term P-256 identity key; it cannot leave the vault."""

    async def public_key(self) -> bytes:
        """Return the public key, 65 bytes, SEC1 uncompressed."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """Sign SHA-256(message) with ECDSA; 64 bytes, r || s big endian. Raises: VaultLocked."""
        ...


class KeyWrapPort(Protocol):
    """Wraps small secrets (database keys) under the vault's non-extractable AES-256 key."""

    async def wrap(self, purpose: str, secret: SecretBytes) -> bytes:
        """Seal `secret` (at most 512 bytes) bound to `purpose`. Raises: VaultLocked, HsmError."""
        ...

    async def unwrap(self, purpose: str, blob: bytes) -> SecretBytes:
        """Open what `wrap` sealed. Raises: SealBroken, VaultLocked, HsmError."""
        ...


class HeadAnchorPort(Protocol):
    """Stores the ledger's head inside the vault, which a copy of the disk does not include."""

    async def read(self) -> HeadAnchor | None:
        """Return the newest anchor, or None if none was ever written. Raises: HsmError."""
        ...

    async def write(self, head: HeadAnchor) -> None:
        """Replace the anchor; an interrupted write leaves the previous one readable."""
        ...


class VaultPort(Protocol):
    """One member's vault. All parts share its session; `lock` closes them all."""

    @property
    def identity(self) -> IdentityPort: ...
    @property
    def shares(self) -> ShareStoragePort: ...
    @property
    def wrapping(self) -> KeyWrapPort: ...
    @property
    def anchor(self) -> HeadAnchorPort: ...

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called with the reason when the vault locks itself, in any thread."""
        ...

    async def status(self) -> VaultStatus:
        """Return the vault's state as last seen, `present=False` for a missing token.

        It never waits for a token.
        """
        ...

    async def unlock(self, pin: SecretBytes) -> None:
        """Log in and verify the key-check values. Always wipes `pin`.

        Raises: WrongPin, PinLocked, TokenMissing, KeyCheckFailed, HsmError.
        """
        ...

    async def verify_pin(self, pin: SecretBytes) -> None:
        """Verify the PIN again while unlocked (before an approval); the session stays open.

        Counts as a try like `unlock`. Wipes `pin`. Raises as `unlock`.
        """
        ...

    async def lock(self) -> None:
        """Log out and erase all secrets in memory; safe to call at any time."""
        ...

    async def close(self) -> None:
        """Lock, then release the library and its thread."""
        ...
