"""Telling: a machine's own newest changes are handed to each peer until it says that it has them.

Others pull, but only from where they find us: a machine that moved has to go and say so.
"""

import asyncio

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import PeerRefused, PeerUnavailable
from console.application.peers.messages import Ack, Announce, decode_reply, encode
from console.application.peers.signed_statements import to_signed
from console.application.ports.network import NetworkPort
from console.domain.events import AddressChanged, LinkKeyChanged
from console.domain.ids import MemberId

log = structlog.get_logger(__name__)

_TIMEOUT_S = 3.0


class Telling:
    """What each peer said that it has. After a start everything is told once more."""

    def __init__(self, me: MemberId, aggregates: Aggregates, network: NetworkPort) -> None:
        self._me = me
        self._aggregates = aggregates
        self._network = network
        self._told: dict[tuple[MemberId, type], bytes] = {}
        """The digest of the newest change of each kind that a peer has."""

    def untold(self, change: AddressChanged | LinkKeyChanged) -> tuple[MemberId, ...]:
        """Return who has not said yet that it has a change."""
        peers = (m for m in self._aggregates.members if m != self._me)
        return tuple(m for m in peers if self._told.get((m, type(change))) != change.digest)

    async def tell(self, change: AddressChanged | LinkKeyChanged) -> None:
        """Tell everybody who has not said that it has a change, once."""
        message = encode(Announce(to_signed(change.evidence)))
        await asyncio.gather(*(self._tell(peer, change, message) for peer in self.untold(change)))

    async def _tell(
        self, peer: MemberId, change: AddressChanged | LinkKeyChanged, message: bytes
    ) -> None:
        try:
            reply = decode_reply(await self._network.tell(peer, message, _TIMEOUT_S))
        except (PeerUnavailable, PeerRefused) as trouble:
            log.debug("change-untold", peer=peer, why=str(trouble))
            return
        if isinstance(reply, Ack):
            self._told[peer, type(change)] = change.digest
