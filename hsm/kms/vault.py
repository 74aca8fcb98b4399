"""KmsVault: one member's vault over two keys in AWS KMS and a passphrase."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor, VaultStatus
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import LEAST_MEMORY_KIB, SHORTEST_PASSPHRASE, Argon2Cost
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealed_record import ShareFiles
from hsm.identity import TokenIdentity
from hsm.kms.calls import CallTimes, KmsFault
from hsm.kms.connect import Connect, connect
from hsm.kms.looks import KmsLooks
from hsm.kms.place import KmsPlace
from hsm.kms.sealer import KmsSealer
from hsm.kms.session import KmsSession
from hsm.shares import TokenShares
from hsm.signed_files import IN_FILES
from hsm.vendors import Standing
from hsm.wrapping import TokenWrapping

CALL_LIMIT_S = 30.0
_OWN = "keys in AWS KMS and a passphrase; this was not run against the real service yet"
_FOREIGN = "an endpoint that is not AWS's own, and a passphrase: for tests only"
DEFAULT_COST, DEFAULT_TIMES = Argon2Cost(), CallTimes()


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsSettings:
    """The keys in KMS, and the paths of the vault's files.

    `folder` has lock file, key record and ledger head. With `accept_unproven` keys of a main
    network are taken. Lock files below `least_memory_kib` are refused; only tests set it lower.
    """

    place: KmsPlace
    folder: Path
    member: MemberId
    accept_unproven: bool = False
    times: CallTimes = DEFAULT_TIMES
    call_limit_s: float = CALL_LIMIT_S
    cost: Argon2Cost = DEFAULT_COST
    least_memory_kib: int = LEAST_MEMORY_KIB
    shortest_passphrase: int = SHORTEST_PASSPHRASE
    connect: Connect = connect


class KmsAnchor:
    """Implements `HeadAnchorPort` in a signed file: KMS keeps no data."""

    def __init__(self, session: KmsSession) -> None:
        self._session = session

    async def read(self) -> HeadAnchor | None:
        """Return the anchor, None if none was written since the set-up."""
        return await self._session.call(
            "reading the ledger's head",
            lambda: self._session.files.read_head(self._session.keys()),
        )

    async def write(self, head: HeadAnchor) -> None:
        """Replace the anchor's file atomically."""
        if head.sequence < 0 or len(head.hash) != 32:
            raise ValueError("an anchor is a sequence and a hash of 32 bytes")
        await self._session.call(
            "writing the ledger's head",
            lambda: self._session.files.write_head(self._session.keys(), head),
        )


class KmsVault:
    """Implements `VaultPort` over AWS KMS."""

    def __init__(
        self,
        settings: KmsSettings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings = settings
        self._session = KmsSession(
            settings.folder,
            settings.member,
            PinBackoff(settings.folder / "pin-backoff", now_ms),
            settings.call_limit_s,
            settings.least_memory_kib,
            lambda: settings.connect(settings.place, settings.times),
        )
        self._looks = KmsLooks(self._session, settings.place)
        self._session.on_lost(self._looks.note)
        sealer = KmsSealer(self._session)
        files = ShareFiles(settings.folder / "shares")
        self._identity = TokenIdentity(self._session)
        self._shares = TokenShares(self._session, files, sealer)
        self._wrapping = TokenWrapping(self._session, settings.member, sealer)
        self._anchor = KmsAnchor(self._session)

    @property
    def identity(self) -> TokenIdentity:
        return self._identity

    @property
    def shares(self) -> TokenShares:
        return self._shares

    @property
    def wrapping(self) -> TokenWrapping:
        return self._wrapping

    @property
    def anchor(self) -> KmsAnchor:
        return self._anchor

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called, in any thread, with the reason when the vault locks itself."""
        self._session.on_lost(callback)

    async def status(self) -> VaultStatus:
        """Return the vault's state as it was last seen: this never waits for KMS."""
        seen = await self._looks.latest()
        problem = self._session.trouble or seen.problem
        standing = self._settings.place.standing
        backing = _OWN if standing is Standing.UNPROVEN else _FOREIGN
        return VaultStatus(
            kind="kms",
            label=self._settings.place.region,
            model="AWS KMS",
            serial=self._settings.place.short,
            present=seen.present and not problem,
            unlocked=self._session.unlocked,
            attempts_left=None,
            retry_after_s=await asyncio.to_thread(self._retry_after_s),
            backing=problem or f"{backing}; {IN_FILES}",
            for_tests_only=standing is Standing.FOR_TESTS,
            unproven=standing is not Standing.PROVEN and not self._settings.accept_unproven,
        )

    async def unlock(self, pin: SecretBytes) -> None:
        """Open the lock file with the passphrase and KMS, and check the keys; wipes `pin`."""
        await self._judged("unlocking", pin, lambda: self._session.unlock(pin))

    async def verify_pin(self, pin: SecretBytes) -> None:
        """Verify the passphrase again while unlocked; wipes `pin`."""
        await self._judged("checking the passphrase", pin, lambda: self._session.prove(pin))

    async def lock(self) -> None:
        """Wipe the open keys; a service that does not answer does not hold this up."""
        await self._session.lock_now()

    async def close(self) -> None:
        """Lock and end the thread."""
        await self._session.close()

    async def _judged(self, step: str, pin: SecretBytes, attempt: Callable[[], None]) -> None:
        def judge() -> None:
            try:
                attempt()
            except KmsFault as fault:
                # In the same call, so that the next status knows why the keys cannot be used.
                if fault.lost:
                    self._looks.note(str(fault.told))
                raise
            self._looks.note()

        try:
            await self._session.call(step, judge)
        finally:
            pin.wipe()

    def _retry_after_s(self) -> float:
        try:
            return self._session.backoff.retry_after_s()
        except HsmError:
            return 0.0
