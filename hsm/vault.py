"""Pkcs11Vault: one member's token, its parts and its lock."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pkcs11 import TokenFlag
from pkcs11.types import Token

from console.application.errors import HsmError
from console.application.ports.vault import VaultStatus
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from console.sealing.sealed_record import ShareFiles
from hsm.anchor import TokenAnchor
from hsm.identity import TokenIdentity
from hsm.library import Library, library
from hsm.sealer import TokenSealer
from hsm.shares import TokenShares
from hsm.token import TokenSession
from hsm.vendors import vendor_of
from hsm.wrapping import TokenWrapping


@dataclass(frozen=True, slots=True)
class Pkcs11Settings:
    """The token, and the paths of its sealed shares and its PIN back-off."""

    module: Path
    token_label: str
    shares_dir: Path
    backoff_file: Path
    member: MemberId


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
            module or library(settings.module), settings.token_label, settings.member, backoff
        )
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

    async def status(self) -> VaultStatus:
        """Return the vault's state; a missing token is a state, not an error."""
        try:
            return await self._token.call(self._status)
        except HsmError as error:
            return self._describe(None, 0.0, str(error))

    async def unlock(self, pin: SecretBytes) -> None:
        """Log in and check the keys; wipes `pin`."""
        try:
            await self._token.call(lambda: self._token.login(pin))
        finally:
            pin.wipe()

    async def verify_pin(self, pin: SecretBytes) -> None:
        """Verify the PIN again while unlocked; wipes `pin`."""
        try:
            await self._token.call(lambda: self._token.prove(pin))
        finally:
            pin.wipe()

    async def lock(self) -> None:
        """Log out and drop the handles."""
        await self._token.call(self._token.logout)

    async def close(self) -> None:
        """Lock, release the token and end its thread."""
        await self._token.close()

    def _status(self) -> VaultStatus:
        retry_after_s = self._token.backoff.retry_after_s()
        try:
            token = self._token.find()
            self._token.public_record()
        except HsmError as error:
            return self._describe(None, retry_after_s, str(error))
        return self._describe(token, retry_after_s, vendor_of(token.manufacturer_id).backing)

    def _describe(self, token: Token | None, retry_after_s: float, backing: str) -> VaultStatus:
        return VaultStatus(
            kind="pkcs11",
            label=self._settings.token_label,
            model="" if token is None else token.model,
            serial="" if token is None else token.serial.decode("ascii", "replace"),
            present=token is not None,
            unlocked=token is not None and self._token.unlocked,
            attempts_left=None if token is None else attempts_left(token.flags),
            retry_after_s=retry_after_s,
            backing=backing,
            for_tests_only=token is not None
            and not vendor_of(token.manufacturer_id).for_production,
        )


def attempts_left(flags: TokenFlag) -> int | None:
    """Return a token's remaining PIN tries, None if it does not report them."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return 0
    return 1 if flags & TokenFlag.USER_PIN_FINAL_TRY else None
