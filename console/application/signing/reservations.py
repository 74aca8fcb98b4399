"""Reservations: coins and nonces that open requests hold, so that none is signed for twice.

Nothing is recorded for this: what a request consumes is in its bytes, whether it is open in the
ledger. Which of two requests comes first is each custodian's own view, so both could be signed
when the threshold is at most half of the custodians; the chain then takes one.
"""

from collections.abc import Iterator, Mapping

from console.application.aggregates import Aggregates
from console.application.errors import UnknownTransaction
from console.application.ports.chain import ChainAdapter
from console.application.ports.clock import Clock
from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import RequestProposed
from console.domain.ids import RequestId, WalletId
from console.domain.signing_request import OVER, UNSIGNED, RequestState, SigningRequest
from console.domain.values import Chain


class Reservations:
    """What the open requests of each wallet hold on each chain."""

    def __init__(
        self, aggregates: Aggregates, chains: Mapping[Chain, ChainAdapter], clock: Clock
    ) -> None:
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
            begun = other.signatures or any(a.share_released for a in other.attempts)
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

    def _is_open(self, request: SigningRequest, now_ms: int) -> bool:
        """Return whether a request can still be executed, as far as this node knows."""
        if request.state not in UNSIGNED:
            return request.state not in OVER
        wallet = self._aggregates.wallets.get(request.proposal.wallet)
        outdated = wallet is not None and request.is_outdated(wallet.epoch)
        if outdated and not request.has_released:
            return False
        return now_ms < request.proposal.expires_at_ms

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
        adapter = self._chains[other.proposal.chain]
        if other.proposal.transaction == transaction or not other.signatures:
            raise Conflict(
                f"the request {other.proposal.request} uses the same coins or nonce; wait until it "
                "is over, or propose this one again"
            )
        why = adapter.may_replace(other.proposal.transaction, transaction)
        if why:
            raise Conflict(f"it cannot take the place of {other.proposal.request}: {why}")


_DONE = RequestState.CONFIRMED
