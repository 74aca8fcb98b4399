"""DoubtWatch: asks chains whether what may be signed unknown to this node can still be executed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from console.application.errors import AdapterError
from console.application.sagas.backoff import Backoff
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain.errors import DomainError
from console.domain.ids import RequestId
from console.domain.signing_request import SigningRequest

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


class DoubtWatch:
    """What chains say is kept in memory and asked again after a start: nothing rests on it.

    It is shown to people. What is held stays held: on a chain where nothing needs it, that costs
    nothing.
    """

    def __init__(
        self,
        transactions: Transactions,
        reservations: Reservations,
        moved: Callable[[str], None],
        backoff: Backoff = PAUSES,
    ) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._moved = moved
        self._backoff = backoff
        self._asked: dict[RequestId, _Asked] = {}
        self._used_up: set[RequestId] = set()

    def is_used_up(self, request: RequestId) -> bool:
        """Return whether the chain executes a request no more, as it said several times."""
        return request in self._used_up

    async def keep_asking(self) -> None:
        """Ask for ever, about each request with growing pauses."""
        while True:
            await self.ask(asyncio.get_running_loop().time())
            await asyncio.sleep(_ROUND_S)

    async def ask(self, now_s: float) -> None:
        """Ask about every request in doubt whose pause is over."""
        for request in self._reservations.all_in_doubt():
            name = request.proposal.request
            asked = self._asked.setdefault(name, _Asked())
            if name in self._used_up or now_s < asked.due_s:
                continue
            asked.times += 1
            # The first answers follow each other soon; after that they rarely change.
            asked.due_s = now_s + self._backoff.pause_s(asked.times - LOOKS + 1)
            used = await self._is_used_up(request)
            asked.alike = asked.alike + 1 if used else 0
            if asked.alike >= LOOKS:
                self._used_up.add(name)
                self._moved(name)

    async def _is_used_up(self, request: SigningRequest) -> bool:
        try:
            return await self._transactions.is_used_up(request.proposal)
        except (AdapterError, DomainError) as trouble:
            log.info("doubt-stays", request=request.proposal.request, why=str(trouble))
            return False
