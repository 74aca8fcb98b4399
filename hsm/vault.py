"""Pkcs11Vault: one member's token, its parts and its lock."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.application.errors import HsmError
from console.application.ports.vault import VaultStatus
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealed_record import ShareFiles
from hsm.anchor import TokenAnchor
from hsm.identity import TokenIdentity
from hsm.library import Library, TokenChoice, library
from hsm.looks import Looks
from hsm.sealer import TokenSealer
from hsm.shares import TokenShares
from hsm.signed_files import SignedFiles
from hsm.token import TokenSession
from hsm.wrapping import TokenWrapping

CALL_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Pkcs11Settings:
    """The token, and the paths of its sealed shares and its PIN back-off.

    `token_label` is a label, `serial:NUMBER` or `slot:NUMBER`; `serial` and `slot` choose among
    tokens of one label. With `accept_unproven` a token not known to be hardware is taken. What is
    asked of the token fails after `call_limit_s`.
    """

    module: Path
    token_label: str
    shares_dir: Path
    backoff_file: Path
    member: MemberId
    serial: str = ""
    slot: int | None = None
    accept_unproven: bool = False
    call_limit_s: float = CALL_LIMIT_S

    @property
    def files_dir(self) -> Path:
        """Where key record and ledger head are, if the token keeps none."""
        return self.shares_dir.parent

    @property
    def choice(self) -> TokenChoice:
        """Which of the module's tokens is meant."""
        return TokenChoice.named(self.token_label, self.serial, self.slot)


class Pkcs11Vault:
    """Implements `VaultPort` over PKCS#11. One vault owns a token in a process."""

    def __init__(
        self,
        settings: Pkcs11Settings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random: Callable[[int], bytes] = secrets.token_bytes,
        module: Library | None = None,
    ) -> None:
        self._settings = settings
        backoff = PinBackoff(settings.backoff_file, now_ms)
        self._token = TokenSession(
            module or library(settings.module),
            settings.choice,
            settings.member,
            backoff,
            settings.call_limit_s,
            SignedFiles(settings.files_dir),
        )
        self._looks = Looks(self._token)
        self._token.on_lost(lambda _: self._looks.soon())
        sealer = TokenSealer(self._token, random)
        self._identity = TokenIdentity(self._token)
        self._shares = TokenShares(self._token, ShareFiles(settings.shares_dir), sealer)
        self._wrapping = TokenWrapping(self._token, settings.member, sealer)
        self._anchor = TokenAnchor(self._token)

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
    def anchor(self) -> TokenAnchor:
        return self._anchor

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called, in any thread, with the reason when the vault locks itself."""
        self._token.on_lost(callback)

    async def status(self) -> VaultStatus:
        """Return the vault's state as it was last seen: this never waits for the token.

        A missing token is a state, not an error.
        """
        seen = await self._looks.latest()
        trouble = self._token.trouble
        return VaultStatus(
            kind="pkcs11",
            label=self._settings.token_label,
            model=seen.model,
            serial=seen.serial,
            present=seen.present and not trouble,
            unlocked=self._token.unlocked,
            attempts_left=seen.attempts_left,
            retry_after_s=await asyncio.to_thread(self._retry_after_s),
            backing=trouble or seen.backing,
            for_tests_only=seen.for_tests_only,
            unproven=seen.unproven and not self._settings.accept_unproven,
        )

    async def unlock(self, pin: SecretBytes) -> None:
        """Log in and check the keys; wipes `pin`."""
        await self._judged("unlocking", pin, lambda: self._token.login(pin))

    async def verify_pin(self, pin: SecretBytes) -> None:
        """Verify the PIN again while unlocked; wipes `pin`."""
        await self._judged("checking the PIN", pin, lambda: self._token.prove(pin))

    async def lock(self) -> None:
        """Log out and drop the handles; a token that does not answer does not hold this up."""
        await self._token.lock_now()

    async def close(self) -> None:
        """Lock, release the token and end its thread."""
        await self._token.close()

    async def _judged(self, step: str, pin: SecretBytes, attempt: Callable[[], None]) -> None:
        def judge() -> None:
            try:
                attempt()
            except HsmError:
                # In the same call, so that the next status knows what the token made of it.
                self._looks.look()
                raise
            if self._token.found is not None:
                self._looks.note(self._token.found)

        try:
            await self._token.call(step, judge)
        finally:
            pin.wipe()

    def _retry_after_s(self) -> float:
        try:
            return self._token.backoff.retry_after_s()
        except HsmError:
            return 0.0
