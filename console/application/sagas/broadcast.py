"""BroadcastSaga: hands a signed transaction to its chain and follows it until it is final.

Broadcast and confirmation are separate, idempotent steps that any member can resume; the bytes
were recorded before, so that a crash can neither lose nor change them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import ChainUnavailable, TransactionError
from console.application.ports.chain import (
    ChainAdapter,
    Inclusion,
    InclusionState,
    SignedTransaction,
)
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.sagas.backoff import Backoff
from console.domain import signing_request
from console.domain.events import RequestSigned
from console.domain.ids import MemberId, RequestId
from console.domain.signing_request import OVER, RequestState, SigningRequest
from console.domain.values import Chain

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BroadcastLimits:
    """Others than the first in line wait `takeover_s` a place; `polls` bounds the following."""

    takeover_s: float = 5.0
    polls: int = 240
    rebroadcast_every: int = 10


class BroadcastSaga:
    """Runs on every custodian's node; the first in line broadcasts, all follow the chain."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        chains: Mapping[Chain, ChainAdapter],
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        limits: BroadcastLimits | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._chains = chains
        self._clock = clock
        self._spawn = spawn
        self._limits = limits or BroadcastLimits()
        self._backoff = backoff or Backoff(first_s=0.2, last_s=2.0)
        self._following: set[RequestId] = set()

    def on_event(self, record: RecordedEvent) -> None:
        """React to what was recorded."""
        if isinstance(record.event, RequestSigned):
            self._consider(record.event.request)

    def resume(self) -> None:
        """After a start: go on with what the ledger says is unfinished."""
        for request in tuple(self._aggregates.requests):
            self._consider(request)

    def _consider(self, request_id: RequestId) -> None:
        request = self._aggregates.request(request_id)
        if request.signed is None or request.state in OVER or request_id in self._following:
            return
        if request.proposal.chain not in self._chains:
            return
        self._following.add(request_id)
        self._spawn(self._follow(request_id))

    async def _follow(self, request_id: RequestId) -> None:
        try:
            request = self._aggregates.request(request_id)
            adapter = self._chains[request.proposal.chain]
            place = self._place(request)
            if place:
                await asyncio.sleep(min(place * self._limits.takeover_s, 1.0))
            for poll in range(1, self._limits.polls + 1):
                if await self._advance(request_id, adapter, poll, place):
                    return
                await asyncio.sleep(self._backoff.pause_s(min(poll, 5)))
        finally:
            self._following.discard(request_id)

    async def _advance(
        self, request_id: RequestId, adapter: ChainAdapter, poll: int, place: int
    ) -> bool:
        """Do one step; True when the transaction is final."""
        request = self._aggregates.request(request_id)
        if request.signed is None or request.state in OVER:
            return True
        signed = SignedTransaction(request.signed.signed_transaction, request.signed.transaction_id)
        try:
            inclusion = await adapter.status(signed.transaction_id)
            my_turn = place == 0 or poll > place * self._limits.rebroadcast_every
            if inclusion.state is InclusionState.UNKNOWN and my_turn:
                first = request.state is RequestState.SIGNED
                if first or poll % self._limits.rebroadcast_every == 0:
                    await adapter.broadcast(signed)
                    command = signing_request.RecordBroadcast(self._clock.now_ms())
                    await self._record(request, command)
                return False
            return await self._record_inclusion(request, inclusion)
        except ChainUnavailable as trouble:
            log.info("chain-unavailable", request=request_id, why=str(trouble))
            return False
        except TransactionError as refusal:
            reason = str(refusal)
            await self._record(request, signing_request.RecordFailure(reason, self._clock.now_ms()))
            return True

    async def _record_inclusion(self, request: SigningRequest, inclusion: Inclusion) -> bool:
        now = self._clock.now_ms()
        match inclusion.state:
            case InclusionState.CONFIRMED:
                await self._record(request, signing_request.RecordBroadcast(now))
                await self._record(
                    request, signing_request.RecordConfirmation(inclusion.block, now)
                )
                return True
            case InclusionState.FAILED:
                await self._record(request, signing_request.RecordFailure(inclusion.reason, now))
                return True
            case InclusionState.PENDING | InclusionState.UNKNOWN:
                return False

    async def _record(
        self, request: SigningRequest, command: signing_request.RequestCommand
    ) -> None:
        proposal = request.proposal
        await self._aggregates.record_request(proposal.request, proposal.wallet, command)

    def _place(self, request: SigningRequest) -> int:
        custodians = request.policy.quorum.custodians
        if request.signed is None or self._me not in custodians:
            return len(custodians)
        lead = next(
            (a.coordinator for a in request.attempts if a.session == request.signed.session),
            request.proposal.proposer,
        )
        return (custodians.index(self._me) - custodians.index(lead)) % len(custodians)
