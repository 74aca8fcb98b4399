"""LinkKeysPort in files: each key a pair of its own; a small file says which one is in use.

The first pair is `peer`, those after it `peer-2` and so on. Certificates are renewed in place.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from console.adapters.network.anchors import renewed
from console.adapters.network.tls import (
    TlsIdentity,
    TlsMaterialUnusable,
    create_identity,
    load_identity,
    read_shown,
    spki_pin,
    write_anew,
)
from console.application.ports.link_keys import MachineUnusable, OwnLink

log = structlog.get_logger(__name__)

RENEW_BEFORE_MS = 90 * 86_400_000
"""How long before its end a certificate is renewed; the others are warned at the same time."""
IN_USE = "peer.in-use"
PEER_NAME = "peer"

Show = Callable[[TlsIdentity, tuple[TlsIdentity, ...]], Awaitable[None]]


class LinkKeyFiles:
    """The keys in a member's directory. Raises: TlsMaterialUnusable."""

    def __init__(self, directory: Path, dns_name: str) -> None:
        self._directory = directory
        self._dns_name = dns_name
        self._number = _read_number(directory / IN_USE)
        self.identity = load_identity(directory, _name(self._number))
        self._changing = asyncio.Lock()
        """Held while what is shown changes: a renewal and a new key may fall together."""
        self.show: Show = _show_nobody
        """Where links are: set once they exist."""

    @property
    def former(self) -> tuple[TlsIdentity, ...]:
        """The keys from before that are still kept, newest first."""
        kept: list[TlsIdentity] = []
        for number in range(self._number - 1, 0, -1):
            with contextlib.suppress(TlsMaterialUnusable):
                pair = load_identity(self._directory, _name(number))
                # Fresh, as nobody renews it, and known to nobody but by its key.
                kept.append(renewed(pair, self._dns_name))
        return tuple(kept)

    def own(self) -> OwnLink:
        """Return what is shown now."""
        shown = read_shown(self.identity.certificate_pem)
        former = any(self._key_file(n).exists() for n in range(1, self._number))
        return OwnLink(shown.tls_pin, shown.ends_ms, former)

    async def coming(self) -> bytes:
        """Generate the next key, or find it again; return a certificate of it, PEM."""
        try:
            return (await asyncio.to_thread(self._coming)).certificate_pem
        except (OSError, TlsMaterialUnusable) as trouble:
            raise MachineUnusable(f"the new TLS key cannot be kept: {trouble}") from None

    async def holds(self, pin: bytes) -> bool:
        """Return whether the key of this pin is here."""
        return await asyncio.to_thread(self._find, pin) is not None

    async def go_over(self, pin: bytes) -> None:
        """Show the key of this pin from now on."""
        async with self._changing:
            await self._go_over(pin)

    async def _go_over(self, pin: bytes) -> None:
        if pin == spki_pin(self.identity.certificate_pem):
            return
        number = await asyncio.to_thread(self._find, pin)
        if number is None:
            raise MachineUnusable("this node does not have the TLS key that it announced")
        try:
            await asyncio.to_thread(self._use, number)
        except (OSError, TlsMaterialUnusable) as trouble:
            raise MachineUnusable(f"the new TLS key cannot be used: {trouble}") from None
        await self.show(self.identity, self.former)

    async def forget_former(self) -> None:
        """Destroy the keys from before the one that is shown."""
        await asyncio.to_thread(self._forget)
        await self.show(self.identity, ())

    async def renew_if_due(self, now_ms: int) -> bool:
        """Renew the certificate from 90 days before its end; True if that was done."""
        async with self._changing:
            return await self._renew_if_due(now_ms)

    async def _renew_if_due(self, now_ms: int) -> bool:
        if read_shown(self.identity.certificate_pem).ends_ms - now_ms > RENEW_BEFORE_MS:
            return False
        self.identity = renewed(self.identity, self._dns_name)
        path = self._directory / f"{_name(self._number)}.crt"
        try:
            await asyncio.to_thread(write_anew, path, self.identity.certificate_pem)
        except OSError as failure:
            # It is shown all the same, and made once more at the next start.
            log.warning("certificate-not-kept", why=failure.strerror)
        await self.show(self.identity, self.former)
        log.info("certificate-renewed")
        return True

    def _coming(self) -> TlsIdentity:
        name = _name(self._number + 1)
        if not self._key_file(self._number + 1).exists():
            return create_identity(self._directory, name, self._dns_name)
        try:
            return load_identity(self._directory, name)
        except TlsMaterialUnusable:
            # Half of a pair, from an end in between: nobody was told of it.
            for suffix in ("key", "crt"):
                (self._directory / f"{name}.{suffix}").unlink(missing_ok=True)
            return create_identity(self._directory, name, self._dns_name)

    def _find(self, pin: bytes) -> int | None:
        for number in (self._number, self._number + 1):
            with contextlib.suppress(TlsMaterialUnusable):
                pair = load_identity(self._directory, _name(number))
                if spki_pin(pair.certificate_pem) == pin:
                    return number
        return None

    def _use(self, number: int) -> None:
        # Others know the new key by its anchor alone.
        pair = renewed(load_identity(self._directory, _name(number)), self._dns_name)
        write_anew(self._directory / f"{_name(number)}.crt", pair.certificate_pem)
        write_anew(self._directory / IN_USE, f"{number}\n".encode())
        self._number, self.identity = number, pair

    def _forget(self) -> None:
        for number in range(1, self._number):
            for suffix in ("key", "crt"):
                # What cannot be removed is tried again: nobody takes it any more.
                with contextlib.suppress(OSError):
                    (self._directory / f"{_name(number)}.{suffix}").unlink(missing_ok=True)

    def _key_file(self, number: int) -> Path:
        return self._directory / f"{_name(number)}.key"


async def keep_renewed(keys: LinkKeyFiles, now_ms: Callable[[], int]) -> None:
    """Renew the certificate whenever it is due, until cancelled."""
    while True:
        await keys.renew_if_due(now_ms())
        await asyncio.sleep(dt.timedelta(days=1).total_seconds())


async def _show_nobody(_identity: TlsIdentity, _former: tuple[TlsIdentity, ...]) -> None:
    return


def _name(number: int) -> str:
    return PEER_NAME if number == 1 else f"{PEER_NAME}-{number}"


def _read_number(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii", errors="replace")[:8].strip()
    except FileNotFoundError:
        return 1
    except OSError:
        raise TlsMaterialUnusable(f"{path.name} cannot be read") from None
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise TlsMaterialUnusable(f"{path.name} is damaged")
    return int(text)
