"""Reservations: coins and nonces that open requests hold, so that none is signed for twice.

Nothing is recorded for this: what a request consumes is in its bytes, whether it is open in the
ledger. Which of two requests comes first is each custodian's own view, so both could be signed
when the threshold is at most half of the custodians; the chain then takes one.

A request whose signing ended without a signature here may be signed nevertheless. It keeps what it
consumes, and what is made in its place consumes the same, so that only one can be executed.
"""

from collections.abc import Iterator, Mapping

from console.application.aggregates import Aggregates
from console.application.errors import UnknownTransaction
from console.application.ports.chain import ChainAdapter
from console.application.ports.clock import Clock
from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import RequestProposed
from console.domain.ids import MemberId, RequestId, WalletId
from console.domain.request_doubt import doubt, has_ended_unsigned
from console.domain.signing_request import OVER, RequestState, SigningRequest
from console.domain.values import Chain


class Reservations:
    """What the open requests of each wallet hold on each chain, as `me` knows them."""

    def __init__(
        self,
        me: MemberId,
        aggregates: Aggregates,
        chains: Mapping[Chain, ChainAdapter],
        clock: Clock,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._chains = chains
        self._clock = clock
        self._read: dict[RequestId, frozenset[str]] = {}

    def held(self, wallet: WalletId, chain: Chain) -> frozenset[str]:
        """Return what a wallet's open requests hold."""
        now_ms = self._clock.now_ms()
        held: set[str] = set()
        for request in tuple(self._aggregates.requests.values()):
            proposal = request.proposal
            if (proposal.wallet, proposal.chain) == (wallet, chain) and self._is_open(
                request, now_ms
            ):
                held |= self._consumed(proposal)
        return frozenset(held)

    def require_unheld(self, wallet: WalletId, chain: Chain, transaction: bytes) -> None:
        """Refuse bytes that use what an open request holds, unless they replace it.

        Raises: Conflict, NotYetPossible, UnknownTransaction.
        """
        now_ms = self._clock.now_ms()
        for other in self._sharing(wallet, chain, self._needed(chain, transaction)):
            if self._is_open(other, now_ms):
                self._require_replacement(other, transaction)

    def require_first(self, request: SigningRequest) -> None:
        """Refuse to sign what another request, signed or about to be, consumes.

        Raises: Conflict, NotYetPossible, UnknownTransaction.
        """
        proposal, now_ms = request.proposal, self._clock.now_ms()
        needed = self._needed(proposal.chain, proposal.transaction)
        for other in self._sharing(proposal.wallet, proposal.chain, needed):
            if other.proposal.request == proposal.request:
                continue
            if other.state is _DONE:
                raise Conflict("the chain has confirmed another transaction in its place")
            begun = other.signatures or other.has_released or self.held_in_doubt(other)
            if begun and self._is_open(other, now_ms):
                self._require_replacement(other, proposal.transaction)

    def successor(self, request: SigningRequest) -> SigningRequest | None:
        """Return the confirmed request that has consumed what this one needs."""
        proposal = request.proposal
        for other in self._sharing(proposal.wallet, proposal.chain, self._consumed(proposal)):
            if other.state is _DONE and other.proposal.request != proposal.request:
                return other
        return None

    def consumes_known(self, request: SigningRequest) -> bool:
        """Return whether this node can tell what a request consumes."""
        return bool(self._consumed(request.proposal))

    def in_doubt(self, request: SigningRequest) -> bool:
        """Return whether one that ended unsigned here may be signed and executed."""
        if not has_ended_unsigned(request, self._epoch(request), self._clock.now_ms()):
            return False
        return doubt(request, self._me).may_be_signed and self.successor(request) is None

    def all_in_doubt(self) -> tuple[SigningRequest, ...]:
        """Return every request that ended unsigned here and may be signed and executed."""
        return tuple(r for r in tuple(self._aggregates.requests.values()) if self.in_doubt(r))

    def held_in_doubt(self, request: SigningRequest) -> bool:
        """Return whether one in doubt keeps what it consumes, and can be made again with it.

        What cannot be replaced holds nothing: the next request takes the same nonce, or it expires
        on the chain by itself.
        """
        proposal = request.proposal
        if not self._consumed(proposal) or not self.in_doubt(request):
            return False
        return self._chains[proposal.chain].can_be_replaced(proposal.transaction)

    def excludes(self, request: SigningRequest, transaction: bytes) -> bool:
        """Return whether the chain takes only one of a request and of these bytes.

        Raises: NotYetPossible, UnknownTransaction.
        """
        needed = self._needed(request.proposal.chain, transaction)
        return not needed.isdisjoint(self._consumed(request.proposal))

    def _is_open(self, request: SigningRequest, now_ms: int) -> bool:
        """Return whether a request can still be executed, as far as this node knows."""
        if request.signatures:
            return request.state not in OVER
        ended = has_ended_unsigned(request, self._epoch(request), now_ms)
        return not ended or self.held_in_doubt(request)

    def _epoch(self, request: SigningRequest) -> int:
        wallet = self._aggregates.wallets.get(request.proposal.wallet)
        return request.proposal.epoch if wallet is None else wallet.epoch

    def _needed(self, chain: Chain, transaction: bytes) -> frozenset[str]:
        """Return what the bytes would consume. Raises: NotYetPossible, UnknownTransaction."""
        adapter = self._chains.get(chain)
        if adapter is None:
            raise NotYetPossible(f"this node has no connection to {chain.value}")
        return adapter.consumes(transaction)

    def _sharing(
        self, wallet: WalletId, chain: Chain, needed: frozenset[str]
    ) -> Iterator[SigningRequest]:
        """Yield every request of the wallet that consumes something of what is needed."""
        for other in tuple(self._aggregates.requests.values()):
            proposal = other.proposal
            if (proposal.wallet, proposal.chain) != (wallet, chain):
                continue
            if needed & self._consumed(proposal):
                yield other

    def _consumed(self, proposal: RequestProposed) -> frozenset[str]:
        """Return what a request on record consumes here: nothing, if it is for another network.

        What this node can no longer decode blocks nothing: it does not sign that either.
        """
        adapter = self._chains.get(proposal.chain)
        if adapter is None or adapter.network is not proposal.network:
            return frozenset()
        known = self._read.get(proposal.request)
        if known is None:
            # A request's bytes never change, and a ledger may hold thousands of them.
            try:
                known = adapter.consumes(proposal.transaction)
            except UnknownTransaction:
                known = frozenset()
            self._read[proposal.request] = known
        return known

    def _require_replacement(self, other: SigningRequest, transaction: bytes) -> None:
        name, doubtful = other.proposal.request, self.held_in_doubt(other)
        same = other.proposal.transaction == transaction
        if not doubtful and (same or not other.signatures):
            raise Conflict(
                f"the request {name} uses the same coins or nonce; wait until it is over, or "
                "propose this one again"
            )
        adapter = self._chains[other.proposal.chain]
        why = adapter.may_replace(other.proposal.transaction, transaction)
        if why and doubtful:
            raise Conflict(
                f"a signature of the request {name}, which uses the same coins or nonce, may "
                f"exist; make that one again, or cancel it on the chain: {why}"
            )
        if why:
            raise Conflict(f"it cannot take the place of {name}: {why}")


_DONE = RequestState.CONFIRMED
