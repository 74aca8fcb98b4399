"""BroadcastSaga: broadcasts a signed transaction and follows it until it is final.

Confirmed is not final while the chain can take it back: then the request is open again.

Broadcast and confirmation are separate, idempotent steps that any member can resume; the bytes
were recorded before, so that a crash can neither lose nor change them. While the chain's node does
not answer, that is shown and it is asked again, without an end; an operator can have it asked now.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
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
from console.application.sagas.following import PAUSES, Following
from console.application.sagas.troubles import Troubles
from console.application.signing.reservations import Reservations
from console.domain import request_commands
from console.domain.errors import DomainError, NotYetPossible
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
    `polls_a_step` polls, up to 10 min. A transaction is followed until it is settled or has
    failed; `polls` ends the following earlier, in tests. What the chain has no longer is taken
    back after as many looks as `refusals`. A refusal is followed by a pause of `refused_s`, since
    nodes lag behind each other. It is recorded after `refusals` in a row for the same reason. What
    a chain lets expire has expired `expiring_ms` after its signature.
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
        moved: Callable[[str], None],
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
        self._backoff = backoff or PAUSES
        self.troubles = Troubles(moved)
        self._following: dict[RequestId, Following] = {}
        self._missed: Counter[RequestId] = Counter()
        self._refused: dict[RequestId, type[TransactionError]] = {}

    def on_event(self, record: RecordedEvent) -> None:
        """React to what was recorded."""
        if isinstance(record.event, RequestSigned):
            self._consider(record.event.request)

    def resume(self) -> None:
        """Resume after a start what is unfinished in the ledger."""
        for request in tuple(self._aggregates.requests):
            self._consider(request)

    def try_now(self, request_id: RequestId) -> None:
        """Ask the chain now, on an operator's command, and broadcast if it has nothing of it.

        Raises: NotYetPossible.
        """
        self._consider(request_id)
        following = self._following.get(request_id)
        if following is None:
            raise NotYetPossible("the chain is not asked about this request any more")
        following.hurry()

    def follows(self, request_id: RequestId) -> bool:
        """Return whether the chain is still asked about a request."""
        return request_id in self._following

    def silent_since_ms(self, request_id: RequestId) -> int | None:
        """Return since when no node of the chain answers about a request; None if one does."""
        following = self._following.get(request_id)
        return following.silent_since_ms if following else None

    def _consider(self, request_id: RequestId) -> None:
        request = self._aggregates.request(request_id)
        if self._is_final(request) or request_id in self._following:
            return
        adapter = self._chains.get(request.proposal.chain)
        if adapter is None or adapter.network is not request.proposal.network:
            return
        self._following[request_id] = Following()
        self._spawn(self._follow(request_id))

    async def _follow(self, request_id: RequestId) -> None:
        following = self._following[request_id]
        try:
            request = self._aggregates.request(request_id)
            adapter = self._chains[request.proposal.chain]
            place = self._place(request)
            alike, reason, poll = 0, TransactionError, 0
            if place:
                await following.pause(min(place * self._limits.takeover_s, 1.0))
            while poll < (self._limits.polls or poll + 1):
                poll, more_s, urgent = poll + 1, 0.0, following.take_hurry()
                turn = 0 if urgent else place
                try:
                    if await self._advance(request_id, adapter, poll, turn, urgent=urgent):
                        return
                    self._answered(request_id, following)
                except (ChainUnavailable, DomainError) as trouble:
                    # A reply that the domain refuses counts as no reply.
                    log.info("chain-unavailable", request=request_id, why=str(trouble))
                    following.unanswered(self._clock.now_ms())
                    self.troubles.note(request_id, str(trouble))
                except TransactionError as refusal:
                    self._answered(request_id, following)
                    # The chain's node may lag behind: the funds may have moved nevertheless.
                    alike = alike + 1 if type(refusal) is reason else 1
                    reason, more_s = type(refusal), self._limits.refused_s
                    if alike == self._limits.refusals:
                        alike = 0
                        newest = self._aggregates.request(request_id)
                        await self._record_refusal(newest, adapter, refusal)
                step = 1 + poll // self._limits.polls_a_step
                if await following.pause(more_s + self._backoff.pause_s(step)):
                    # Whoever asks expects news: the pauses are short again.
                    poll = 0
        finally:
            del self._following[request_id]
            self.troubles.clear(request_id)
            self._missed.pop(request_id, None)
            self._refused.pop(request_id, None)

    def _answered(self, request_id: RequestId, following: Following) -> None:
        if following.answered():
            self.troubles.clear(request_id)

    async def _advance(
        self, request_id: RequestId, adapter: ChainAdapter, poll: int, place: int, *, urgent: bool
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
        if my_turn and (first or urgent or poll % self._limits.rebroadcast_every == 0):
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
        now, name = self._clock.now_ms(), request.proposal.request
        if isinstance(refusal, TransactionImpossible) or self._is_stuck(request, adapter):
            await self._record(request, request_commands.RecordFailure(str(refusal), now))
        elif request.refused is None or self._refused.get(name) is not type(refusal):
            # A node's words may hold numbers that change: what is new is another reason.
            self._refused[name] = type(refusal)
            await self._record(request, request_commands.RecordRefusal(str(refusal), now))
            if self._aggregates.request(name).refused is None:
                # It was recorded often enough: from now on it is shown only.
                self.troubles.note(name, f"its node refuses it again: {refusal}")

    def _is_stuck(self, request: SigningRequest, adapter: ChainAdapter) -> bool:
        """Return whether nothing can take its place, and it does not expire by itself either.

        It would stay open for ever. Another request then uses its nonce, so that only one of the
        two can be executed. What this version cannot read is not judged.
        """
        signed = request.signed
        if adapter.lets_expire or signed is None:
            return False
        if self._clock.now_ms() - signed.at_ms < self._limits.expiring_ms:
            return False
        try:
            return not adapter.can_be_replaced(request.proposal.transaction)
        except UnknownTransaction:
            return False

    async def _record_inclusion(
        self, request: SigningRequest, transaction_id: str, inclusion: Inclusion
    ) -> bool:
        self.troubles.clear(request.proposal.request)
        now = self._clock.now_ms()
        confirmed, waits = request.confirmed, inclusion.state is InclusionState.PENDING
        # A node that lags behind by a block counts one confirmation less.
        if confirmed is not None and waits and inclusion.block != confirmed.block:
            await self._take_back(request, "its block is no longer in the chain")
            return False
        why = "the chain has this one instead of what it had confirmed in its place"
        other = confirmed is not None and confirmed.transaction_id != transaction_id
        if other and not inclusion.settled:
            # Of two signatures of one request a node may name the one and the other in turn.
            await self._take_back(request, "the chain has its other signature")
            return False
        if request.failed is not None:
            await self._take_back(request, why)
            return False
        self._missed.pop(request.proposal.request, None)
        if inclusion.state is InclusionState.FAILED:
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
        """Open a request again when the chain has had nothing of it for several looks.

        Each time takes twice as many: a node that changes its word for ever fills no ledger.
        """
        name = request.proposal.request
        self._missed[name] += 1
        if self._missed[name] >= self._limits.refusals << min(request.takings_back, 20):
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
