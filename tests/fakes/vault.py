"""A vault in memory that keeps the promises of the port, for tests above the adapters."""

import secrets
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.application.errors import (
    HsmError,
    PinLocked,
    SealBroken,
    ShareUnavailable,
    TokenMissing,
    VaultLocked,
    WrongPin,
)
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor, VaultStatus
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import wait_after
from console.sealing.sealed_record import (
    share_associated_data,
    unwrap_secret,
    wrap_secret,
)
from console.sealing.sealer import NONCE_SIZE, OWN_GCM

DEFAULT_PIN = b"482913"


class FakeSealer:
    def __init__(self) -> None:
        self._key = AESGCM(secrets.token_bytes(32))

    method = OWN_GCM

    def by(self, method: int) -> "FakeSealer":
        if method != self.method:
            raise SealBroken("no such method")
        return self

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_SIZE)
        return nonce + self._key.encrypt(nonce, bytes(secret.reveal()), associated)

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        try:
            opened = self._key.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated)
        except InvalidTag:
            raise SealBroken("a sealed record does not open") from None
        return SecretBytes(opened)


class FakeIdentity:
    def __init__(self, vault: "FakeVault") -> None:
        self._vault = vault
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    async def sign(self, message: bytes) -> bytes:
        self._vault.require_unlocked()
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class FakeShares:
    def __init__(self, vault: "FakeVault", sealer: FakeSealer) -> None:
        self._vault = vault
        self.sealer = sealer
        self.records: dict[ShareLabel, bytes] = {}

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        self._vault.require_unlocked()
        if not len(share):
            raise ValueError("a share is not empty")
        if label in self.records:
            if await self.unseal(label) != share:
                raise FileExistsError("another share is already stored under this label")
            return
        self.records[label] = self.sealer.seal(share_associated_data(label), share)

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        self._vault.require_unlocked()
        if not len(share):
            raise ValueError("a share is not empty")
        if label not in self.records:
            raise ShareUnavailable("no share is stored under this label")
        self.records[label] = self.sealer.seal(share_associated_data(label), share)

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        self._vault.require_unlocked()
        if label not in self.records:
            raise ShareUnavailable("no share is stored under this label")
        return self.sealer.open(share_associated_data(label), self.records[label])

    async def labels(self) -> tuple[ShareLabel, ...]:
        return tuple(sorted(self.records))

    async def erase(self, label: ShareLabel) -> None:
        self.records.pop(label, None)


class FakeWrapping:
    def __init__(self, vault: "FakeVault", sealer: FakeSealer) -> None:
        self._vault = vault
        self._sealer = sealer

    async def wrap(self, purpose: str, secret: SecretBytes) -> bytes:
        self._vault.require_unlocked()
        return wrap_secret(self._sealer, self._vault.member, purpose, secret)

    async def unwrap(self, purpose: str, blob: bytes) -> SecretBytes:
        self._vault.require_unlocked()
        return unwrap_secret(self._sealer, self._vault.member, purpose, blob)


class FakeAnchor:
    """`head` may be set by a test; `broken` makes it fail."""

    def __init__(self, vault: "FakeVault | None" = None) -> None:
        self._vault = vault
        self.head: HeadAnchor | None = None
        self.broken = False
        self.writes = 0

    async def read(self) -> HeadAnchor | None:
        self._require()
        return self.head

    async def write(self, head: HeadAnchor) -> None:
        self._require()
        self.writes += 1
        self.head = head

    def _require(self) -> None:
        if self.broken:
            raise HsmError("the token failed")
        if self._vault is not None:
            self._vault.require_unlocked()


class FakeVault:
    """Implements `VaultPort`. `missing` plays a token that was pulled out."""

    def __init__(
        self,
        member: MemberId,
        pin: bytes = DEFAULT_PIN,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.member = member
        self.for_tests_only = False
        self.lost: list[Callable[[str], None]] = []
        self.missing = False
        self._pin = pin
        self._unlocked = False
        self._now_ms = now_ms
        self._failures = 0
        self._failed_at_ms = 0
        sealer = FakeSealer()
        self.identity = FakeIdentity(self)
        self.shares = FakeShares(self, sealer)
        self.wrapping = FakeWrapping(self, sealer)
        self.anchor = FakeAnchor(self)

    def require_unlocked(self) -> None:
        if self.missing:
            raise TokenMissing("the token is missing")
        if not self._unlocked:
            raise VaultLocked("the vault is locked")

    def on_lost(self, callback: Callable[[str], None]) -> None:
        self.lost.append(callback)

    async def status(self) -> VaultStatus:
        return VaultStatus(
            kind="file",
            label=f"fake-{self.member}",
            model="fake",
            serial="0",
            present=not self.missing,
            unlocked=self._unlocked and not self.missing,
            attempts_left=None,
            retry_after_s=self._retry_after_s(),
            backing="nothing: this vault lives in the memory of a test",
            for_tests_only=self.for_tests_only,
        )

    async def unlock(self, pin: SecretBytes) -> None:
        self._judge(pin)
        self._unlocked = True

    async def verify_pin(self, pin: SecretBytes) -> None:
        try:
            self.require_unlocked()
        except HsmError:
            pin.wipe()
            raise
        self._judge(pin)

    async def lock(self) -> None:
        self._unlocked = False

    async def close(self) -> None:
        await self.lock()

    def _judge(self, pin: SecretBytes) -> None:
        if self.missing:
            pin.wipe()
            raise TokenMissing("the token is missing")
        wait_s = self._retry_after_s()
        if wait_s > 0:
            pin.wipe()
            raise PinLocked("too many wrong PINs", wait_s)
        with pin as given:
            right = bytes(given) == self._pin
        if not right:
            self._failures, self._failed_at_ms = self._failures + 1, self._now_ms()
            raise WrongPin("the token refused the PIN")
        self._failures = 0

    def _retry_after_s(self) -> float:
        waited_s = (self._now_ms() - self._failed_at_ms) / 1000
        return max(0.0, wait_after(self._failures) - waited_s)
