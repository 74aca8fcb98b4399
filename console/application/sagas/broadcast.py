"""BroadcastSaga: broadcasts a signed transaction and follows it until it is final.

Confirmed is not final while the chain can take it back: then the request is open again.

Broadcast and confirmation are separate, idempotent steps that any member can resume; the bytes
were recorded before, so that a crash can neither lose nor change them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import (
    ChainUnavailable,
    TransactionError,
    TransactionImpossible,
    UnknownTransaction,
)
from console.application.ports.chain import (
    MESSAGE_ID,
    ChainAdapter,
    Inclusion,
    InclusionState,
    SignedTransaction,
)
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.sagas.backoff import Backoff
from console.application.signing.reservations import Reservations
from console.domain import request_commands
from console.domain.errors import DomainError
from console.domain.events import RequestSigned
from console.domain.ids import MemberId, RequestId
from console.domain.request_chain import REPLACED
from console.domain.signing_request import OVER, SigningRequest
from console.domain.values import Chain

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BroadcastLimits:
    """When nodes broadcast what the chain does not know, and when they stop.

    Each later place starts `takeover_s` after the one before it, at most 1 s in all, and
    broadcasts after `rebroadcast_every` polls per place. The pause doubles after every
    `polls_a_step` polls. A transaction is followed until it is settled or has failed; `polls` ends
    the following earlier, in tests. What the chain has no longer is taken back after as many looks
    as `refusals`. A refusal is followed by a pause of `refused_s`, since nodes lag behind each
    other. It is recorded after `refusals` in a row for the same reason. What a chain lets expire
    has expired `expiring_ms` after its signature.
    """

    takeover_s: float = 5.0
    polls: int | None = None
    polls_a_step: int = 40
    rebroadcast_every: int = 10
    refusals: int = 4
    refused_s: float = 2.0
    expiring_ms: int = 600_000


class BroadcastSaga:
    """Runs on every custodian's node; the first in line broadcasts, all follow the chain."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        chains: Mapping[Chain, ChainAdapter],
        reservations: Reservations,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        limits: BroadcastLimits | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._chains = chains
        self._reservations = reservations
        self._clock = clock
        self._spawn = spawn
        self._limits = limits or BroadcastLimits()
        self._backoff = backoff or Backoff(first_s=0.2, last_s=30.0)
        self._following: set[RequestId] = set()
        self._missed: Counter[RequestId] = Counter()

    def on_event(self, record: RecordedEvent) -> None:
        """React to what was recorded."""
        if isinstance(record.event, RequestSigned):
            self._consider(record.event.request)

    def resume(self) -> None:
        """Resume after a start what is unfinished in the ledger."""
        for request in tuple(self._aggregates.requests):
            self._consider(request)

    def _consider(self, request_id: RequestId) -> None:
        request = self._aggregates.request(request_id)
        if self._is_final(request) or request_id in self._following:
            return
        adapter = self._chains.get(request.proposal.chain)
        if adapter is None or adapter.network is not request.proposal.network:
            return
        self._following.add(request_id)
        self._spawn(self._follow(request_id))

    async def _follow(self, request_id: RequestId) -> None:
        try:
            request = self._aggregates.request(request_id)
            adapter = self._chains[request.proposal.chain]
            place = self._place(request)
            alike, reason = 0, TransactionError
            if place:
                await asyncio.sleep(min(place * self._limits.takeover_s, 1.0))
            for poll in count(1):
                if poll > (self._limits.polls or poll):
                    return
                try:
                    if await self._advance(request_id, adapter, poll, place):
                        return
                except (ChainUnavailable, DomainError) as trouble:
                    # A reply that the domain refuses counts as no reply.
                    log.info("chain-unavailable", request=request_id, why=str(trouble))
                except TransactionError as refusal:
                    # The chain's node may lag behind: the funds may have moved nevertheless.
                    alike = alike + 1 if type(refusal) is reason else 1
                    reason = type(refusal)
                    if alike == self._limits.refusals:
                        alike = 0
                        await self._record_refusal(request, adapter, refusal)
                    await asyncio.sleep(self._limits.refused_s)
                await asyncio.sleep(self._backoff.pause_s(1 + poll // self._limits.polls_a_step))
        finally:
            self._following.discard(request_id)
            self._missed.pop(request_id, None)

    async def _advance(
        self, request_id: RequestId, adapter: ChainAdapter, poll: int, place: int
    ) -> bool:
        """Do one step; return True when the transaction is final.

        Raises: ChainUnavailable, TransactionError.
        """
        request = self._aggregates.request(request_id)
        if self._is_final(request):
            return True
        # If there are two signatures, all members broadcast the same one.
        signatures = sorted(request.signatures, key=lambda s: s.transaction_id)
        for signature in signatures:
            inclusion = await _inclusion(adapter, signature.transaction_id)
            if inclusion.state is not InclusionState.UNKNOWN:
                return await self._record_inclusion(request, signature.transaction_id, inclusion)
        if request.confirmed is not None:
            await self._take_back(request, "its block is no longer in the chain")
            return False
        successor = self._reservations.successor(request)
        if request.failed is not None:
            if successor is None:
                await self._take_back(request, "what the chain confirmed in its place is gone")
            return False
        if successor is not None:
            replaced = f"{REPLACED}the chain confirmed {successor.proposal.request} in its place"
            now = self._clock.now_ms()
            await self._record(request, request_commands.RecordFailure(replaced, now))
            return False
        first = request.broadcast is None
        my_turn = place == 0 or poll > place * self._limits.rebroadcast_every
        if my_turn and (first or poll % self._limits.rebroadcast_every == 0):
            chosen = signatures[0]
            await adapter.broadcast(
                SignedTransaction(chosen.signed_transaction, chosen.transaction_id)
            )
            now = self._clock.now_ms()
            command = request_commands.RecordBroadcast(chosen.transaction_id, now)
            await self._record(request, command)
        return False

    async def _record_refusal(
        self, request: SigningRequest, adapter: ChainAdapter, refusal: TransactionError
    ) -> None:
        """Fail what can never be executed; any other stays open (docs/adr/010).

        Anyone may broadcast its bytes later, beside a second payment.
        """
        now = self._clock.now_ms()
        if isinstance(refusal, TransactionImpossible) or self._is_stuck(request, adapter):
            await self._record(request, request_commands.RecordFailure(str(refusal), now))
        else:
            await self._record(request, request_commands.RecordRefusal(str(refusal), now))

    def _is_stuck(self, request: SigningRequest, adapter: ChainAdapter) -> bool:
        """Return whether nothing can take its place, and it does not expire by itself either.

        It would stay open for ever. What this version cannot read is not judged.
        """
        signed = request.signed
        if signed is None or self._clock.now_ms() - signed.at_ms < self._limits.expiring_ms:
            return False
        try:
            return not adapter.can_be_replaced(request.proposal.transaction)
        except UnknownTransaction:
            return False

    async def _record_inclusion(
        self, request: SigningRequest, transaction_id: str, inclusion: Inclusion
    ) -> bool:
        now = self._clock.now_ms()
        confirmed, waits = request.confirmed, inclusion.state is InclusionState.PENDING
        # A node that lags behind by a block counts one confirmation less.
        if confirmed is not None and waits and inclusion.block != confirmed.block:
            await self._take_back(request, "its block is no longer in the chain")
            return False
        self._missed.pop(request.proposal.request, None)
        if request.failed is not None or inclusion.state is InclusionState.FAILED:
            why = "the chain has this one instead of what it had confirmed in its place"
            await self._record(request, request_commands.RecordTakenBack(why, now))
        match inclusion.state:
            case InclusionState.CONFIRMED:
                await self._record(request, request_commands.RecordBroadcast(transaction_id, now))
                await self._record(
                    request,
                    request_commands.RecordConfirmation(
                        transaction_id, inclusion.block, now, settled=inclusion.settled
                    ),
                )
                return inclusion.settled
            case InclusionState.FAILED:
                await self._record(request, request_commands.RecordFailure(inclusion.reason, now))
                return True
            case InclusionState.PENDING:
                # Whichever member broadcast it, the chain has it, and it may have to be replaced.
                await self._record(request, request_commands.RecordBroadcast(transaction_id, now))
                return False
            case InclusionState.UNKNOWN:
                return False

    def _is_final(self, request: SigningRequest) -> bool:
        """Return whether nothing can happen to a request any more, or nothing is signed yet."""
        if not request.signatures:
            return True
        if request.state not in OVER:
            return False
        if not request.may_be_taken_back:
            return True
        if request.confirmed is not None:
            return False
        successor = self._reservations.successor(request)
        if successor is not None and successor.confirmed is not None:
            return successor.confirmed.settled
        # What this version cannot read has no successor that it could name.
        return not self._reservations.consumes_known(request)

    async def _take_back(self, request: SigningRequest, reason: str) -> None:
        """Open a request again when the chain has had nothing of it for several looks."""
        name = request.proposal.request
        self._missed[name] += 1
        if self._missed[name] >= self._limits.refusals:
            del self._missed[name]
            log.warning("confirmation-taken-back", request=name, why=reason)
            command = request_commands.RecordTakenBack(reason, self._clock.now_ms())
            await self._record(request, command)

    async def _record(
        self, request: SigningRequest, command: request_commands.RequestCommand
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


async def _inclusion(adapter: ChainAdapter, transaction_id: str) -> Inclusion:
    """Return what the chain reports; a message is complete once it is signed."""
    if transaction_id.startswith(MESSAGE_ID):
        return Inclusion(InclusionState.CONFIRMED)
    return await adapter.status(transaction_id)
