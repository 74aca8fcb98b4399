"""Addresses: where a member's machine is reached, as its member signs, or as this node's says."""

from collections.abc import Callable, Coroutine
from typing import Any

from console.application.aggregates import Aggregates
from console.application.peers.signed_statements import Publish, Verified
from console.application.peers.statements import AddressChange
from console.application.ports.clock import Clock
from console.domain import machine_links, member
from console.domain.addresses import proper_address
from console.domain.errors import Conflict
from console.domain.events import AddressChanged, AddressSetHere
from console.domain.ids import MemberId
from console.domain.quotas import Counted

LetIn = Callable[[MemberId], Coroutine[Any, Any, None]]


class Addresses:
    """Signs this machine's address; records and follows everybody's."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        clock: Clock,
        publish: Publish,
        let_in: LetIn,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._clock = clock
        self._publish = publish
        self._let_in = let_in

    async def move(self, address: str, at_ms: int) -> None:
        """Sign where this machine is reached from now on. Raises: DomainError."""
        own = self._aggregates.member(self._me)
        if proper_address(address, "the address") == own.address:
            raise Conflict("the others reach this machine at that address already")
        moved = own.links.moved
        # What is dated before the newest one counts for nothing: a clock may have been ahead.
        await self._publish(AddressChange(max(at_ms, moved.at_ms + 1 if moved else 0), address))

    async def on_change(self, verified: Verified) -> None:
        """Record where a member's machine is reached, if it is news. Raises: DomainError."""
        s = verified.expect(AddressChange)
        event = AddressChanged(
            member=verified.signer,
            address=proper_address(s.address, "the address"),
            digest=verified.digest,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        known = self._aggregates.member(verified.signer)
        if machine_links.decide(known.links, event):
            now_ms = self._clock.now_ms()
            self._aggregates.quotas.require(verified.signer, Counted.LINK_CHANGE, now_ms)
            await self._aggregates.record_member(verified.signer, member.ChangeLink(event))
            await self._let_in(verified.signer)

    async def set_here(self, member_id: MemberId, address: str, at_ms: int) -> None:
        """Reach a peer at this address from this node, "" for its own. Raises: DomainError."""
        if member_id == self._me:
            raise Conflict("this node does not call itself: change its own address instead")
        known = self._aggregates.member(member_id)
        if address and proper_address(address, "the address") == known.address:
            raise Conflict(f"{known.display_name} is reached at that address already")
        event = AddressSetHere(member_id, address, at_ms)
        await self._aggregates.record_member(member_id, member.ChangeLink(event))
        await self._let_in(member_id)
