"""A broadcast saga over requests in memory: every state that they went through is kept."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from console.application.sagas.backoff import Backoff
from console.application.sagas.broadcast import BroadcastLimits, BroadcastSaga
from console.domain.signing_request import RequestState
from console.domain.values import Chain
from tests.unit.application.test_requests_that_compete import SlowLedger
from tests.unit.domain.facts import ANA, START

LIMITS = BroadcastLimits(takeover_s=0.0, polls=60, rebroadcast_every=1, refused_s=0.0)


@dataclass
class Watched(SlowLedger):
    """Keeps every state that the request went through, and counts what was recorded."""

    states: list[RequestState] = field(default_factory=list)
    records: int = 0

    async def record_request(self, name, wallet, command):
        before = self.requests[name]
        await super().record_request(name, wallet, command)
        self.states.append(self.requests[name].state)
        self.records += self.requests[name] != before


async def follow(
    ledger: Watched, chain: Any, limits: BroadcastLimits = LIMITS, now_ms: int = START
) -> Watched:
    """Follow all requests to the end of the saga's polls."""
    tasks = []
    saga = BroadcastSaga(
        me=ANA,
        aggregates=ledger,
        chains={Chain.ETHEREUM: chain},
        reservations=ledger.reservations,
        clock=SimpleNamespace(now_ms=lambda: now_ms),
        spawn=lambda work: tasks.append(asyncio.ensure_future(work)),
        limits=limits,
        backoff=Backoff(first_s=0.0, last_s=0.0),
    )
    saga.resume()
    await asyncio.gather(*tasks)
    return ledger
