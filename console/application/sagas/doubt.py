"""DoubtWatch: asks chains whether what may be signed unknown to this node can still be executed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.ports.chain import ChainAdapter
from console.application.ports.clock import Clock
from console.application.sagas.backoff import Backoff
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain.errors import DomainError
from console.domain.ids import RequestId
from console.domain.signing_request import SigningRequest
from console.domain.values import Chain

log = structlog.get_logger(__name__)

LOOKS = 4
"""Answers in a row that are believed: a node may lag behind."""
PAUSES = Backoff(first_s=30.0, last_s=3600.0)
_ROUND_S = 20.0


@dataclass(slots=True)
class _Asked:
    due_s: float = 0.0
    times: int = 0
    alike: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtWatch:
    """What chains say is kept in memory and asked again after a start: nothing rests on it.

    It is shown to people. What is held stays held: on a chain where nothing needs it, that costs
    nothing.
    """

    aggregates: Aggregates
    transactions: Transactions
    reservations: Reservations
    chains: Mapping[Chain, ChainAdapter]
    clock: Clock
    moved: Callable[[str], None]
    backoff: Backoff = PAUSES
    _asked: dict[RequestId, _Asked] = field(default_factory=dict, init=False)
    _used_up: set[RequestId] = field(default_factory=set, init=False)

    def is_used_up(self, request: RequestId) -> bool:
        """Return whether the chain executes a request no more, as it said several times."""
        return request in self._used_up

    async def keep_asking(self) -> None:
        """Ask for ever, about each request with growing pauses."""
        while True:
            await self.ask()
            await asyncio.sleep(_ROUND_S)

    async def ask(self) -> None:
        """Ask about every request in doubt whose pause is over."""
        for name, request in tuple(self.aggregates.requests.items()):
            if name in self._used_up or not self.reservations.in_doubt(request):
                continue
            asked = self._asked.setdefault(name, _Asked())
            now_s = self.clock.monotonic_s()
            if now_s >= asked.due_s:
                asked.times += 1
                # The first answers follow each other soon, and then they rarely change.
                asked.due_s = now_s + self.backoff.pause_s(asked.times - LOOKS + 1)
                used = await self._is_used_up(request)
                asked.alike = asked.alike + 1 if used else 0
                if asked.alike >= LOOKS:
                    self._used_up.add(name)
                    del self._asked[name]
                    self.moved(name)

    async def _is_used_up(self, request: SigningRequest) -> bool:
        proposal = request.proposal
        adapter = self.chains.get(proposal.chain)
        if adapter is None or adapter.network is not proposal.network:
            return False
        try:
            keys = self.transactions.keys(self.aggregates.wallet(proposal.wallet))
            return await adapter.is_used_up(proposal.transaction, keys)
        except (AdapterError, DomainError) as trouble:
            log.info("doubt-stays", request=proposal.request, why=str(trouble))
            return False
