"""Link keys: a member's TLS key changes by a signed statement, and locks nobody out.

The new key counts beside the old one until all members are known to have heard of it, or the
operator says so. Then the member signs that it counts alone, and shows it. The old key is kept for
members that were away, and only for telling them; whoever has heard no longer takes it.
"""

import asyncio

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import HsmError
from console.application.peers.addresses import LetIn
from console.application.peers.signed_statements import (
    Publish,
    StatementRefused,
    Verified,
)
from console.application.peers.statements import LinkKeyChange
from console.application.peers.telling import Telling
from console.application.ports.clock import Clock
from console.application.ports.link_keys import MachineUnusable
from console.application.ports.network import NetworkPort
from console.domain import machine_links, member
from console.domain.errors import Conflict, DomainError
from console.domain.events import LinkKeyChanged
from console.domain.ids import MemberId
from console.domain.quotas import Counted

log = structlog.get_logger(__name__)


class LinkKeys:
    """Changes this node's TLS key; records and follows everybody's."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        network: NetworkPort,
        clock: Clock,
        publish: Publish,
        let_in: LetIn,
        telling: Telling,
        news: asyncio.Event,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._network = network
        self._keys = network.keys
        self._clock = clock
        self._publish = publish
        self._let_in = let_in
        self._telling = telling
        self._news = news

    @property
    def untold(self) -> tuple[MemberId, ...]:
        """Who has not said yet that it knows this node's newest key."""
        newest = self._newest()
        return self._telling.untold(newest) if newest else ()

    async def rotate(self) -> None:
        """Generate a new key and tell the others. Raises: DomainError."""
        coming = self._aggregates.member(self._me).links.coming
        if coming and await self._keys.holds(coming.tls_pin):
            raise Conflict("a new TLS key is being told to the others already")
        await self._say(await self._made(), alone=False)

    async def finish(self) -> None:
        """Go over to the new key now, whoever has not heard of it. Raises: DomainError."""
        coming = self._aggregates.member(self._me).links.coming
        if coming is None:
            raise Conflict("no new TLS key waits")
        if not await self._keys.holds(coming.tls_pin):
            raise Conflict("this machine no longer has its new TLS key: change the key once more")
        await self._say(coming.certificate, alone=True)

    async def on_change(self, verified: Verified) -> None:
        """Record a member's key, if it is news. Raises: StatementRefused, DomainError."""
        s = verified.expect(LinkKeyChange)
        try:
            pin = self._network.pin_of(verified.signer, s.certificate)
        except MachineUnusable as trouble:
            raise StatementRefused(str(trouble)) from None
        event = LinkKeyChanged(
            member=verified.signer,
            certificate=s.certificate,
            tls_pin=pin,
            alone=s.alone,
            digest=verified.digest,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        known = self._aggregates.member(verified.signer)
        if machine_links.decide(known.links, event):
            now_ms = self._clock.now_ms()
            self._aggregates.quotas.require(verified.signer, Counted.LINK_CHANGE, now_ms)
            await self._aggregates.record_member(verified.signer, member.ChangeLink(event))
            if verified.signer == self._me:
                await self._go_over()
                self._news.set()
            else:
                await self._let_in(verified.signer)

    async def go_on(self) -> None:
        """Do what is due of this node's own change: tell the others, go over, forget."""
        await self._go_over()
        newest = self._newest()
        if newest is None or (newest.alone and not self._keys.own().former):
            return
        await self._telling.tell(newest)
        if self._newest() is not newest or self._telling.untold(newest):
            return
        if newest.alone:
            await self._keys.forget_former()
        elif await self._keys.holds(newest.tls_pin):
            try:
                await self._say(newest.certificate, alone=True)
            except (HsmError, DomainError) as trouble:
                # Nothing is lost: it is tried again, and both keys count until then.
                log.warning("link-key-not-alone", why=str(trouble))

    async def _go_over(self) -> None:
        """Show the key that counts alone by the ledger, also after a start."""
        own = self._aggregates.members.get(self._me)
        if own and own.links.key:
            try:
                await self._keys.go_over(own.links.key.tls_pin)
            except MachineUnusable as trouble:
                log.info("link-key-missing", why=str(trouble))

    async def _made(self) -> bytes:
        try:
            return await self._keys.coming()
        except MachineUnusable as trouble:
            raise Conflict(str(trouble)) from None

    async def _say(self, certificate: bytes, *, alone: bool) -> None:
        newest = self._newest()
        after = newest.at_ms + 1 if newest else 0
        now = self._clock.now_ms()
        await self._publish(
            LinkKeyChange(at_ms=max(now, after), certificate=certificate, alone=alone)
        )

    def _newest(self) -> LinkKeyChanged | None:
        own = self._aggregates.members.get(self._me)
        return (own.links.coming or own.links.key) if own else None
