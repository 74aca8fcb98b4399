"""SigningSaga: from complete approvals to one verified signature, though members may drop out.

A failed attempt is discarded; the next has a new session, fresh nonces and, where possible, other
signers. After some attempts the pauses grow, and it goes on until the request is over: a cause
that is gone needs nobody to say so. Sessions that began are bounded; after that people decide.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.ports.network import PeerHealth
from console.application.sagas.backoff import Backoff
from console.application.sagas.troubles import Troubles
from console.application.sessions.host import SessionHost
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.application.sessions.verdicts import Verdicts
from console.application.signing.coordinator import PURPOSE
from console.domain.errors import DomainError
from console.domain.events import (
    RequestApproved,
    RequestDenied,
    RequestDisputed,
    RequestSigned,
    RequestWithdrawn,
    SigningSessionStarted,
    WalletActivated,
)
from console.domain.ids import MemberId, RequestId
from console.domain.signing_request import RequestState, SigningRequest
from console.protocols.kernel.abort import AbortKind

log = structlog.get_logger(__name__)

_LATENCY_STEP_S = 0.05
SLOW = Backoff(first_s=10.0, last_s=60.0)
"""Pauses after several attempts of which no session came: nothing was recorded or used up."""
RARE = Backoff(first_s=30.0, last_s=900.0)
"""Pauses after several sessions that failed."""


@dataclass(frozen=True, slots=True)
class SigningLimits:
    """Bounds of one request's automatic attempts; times in seconds.

    `attempts` follow each other quickly; at most `started` sessions are begun by themselves.

    A custodian `n` places after the proposer takes over after `n * takeover_s` without progress.
    """

    attempts: int = 6
    started: int = 100
    run_deadline_s: float = 60.0
    takeover_s: float = 20.0


class SigningSaga:
    """Any custodian can lead; the proposer's node is first in line."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        host: SessionHost,
        verdicts: Verdicts,
        clock: Clock,
        health: Callable[[], Mapping[MemberId, PeerHealth]],
        locked: Callable[[], frozenset[MemberId]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        moved: Callable[[str], None],
        limits: SigningLimits | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._host = host
        self._verdicts = verdicts
        self._clock = clock
        self._health = health
        self._locked = locked
        self._spawn = spawn
        self._limits = limits or SigningLimits()
        self._backoff = backoff or Backoff()
        self._leading: dict[RequestId, asyncio.Event] = {}
        """Requests that this node leads or waits to lead; the event ends a pause."""
        self.troubles = Troubles(moved)

    def on_event(self, record: RecordedEvent) -> None:
        """React to what was recorded."""
        match record.event:
            case RequestApproved(request=request):
                self.consider(request)
            case (
                RequestDenied(request=request)
                | RequestDisputed(request=request)
                | RequestWithdrawn(request=request)
            ):
                failure = SessionFailed(
                    FailureKind.CANCELLED, "the request was denied or withdrawn"
                )
                self._spawn(self._host.stop_subject(request, failure))
                self._wake(request)
            case SigningSessionStarted(request=request):
                self.troubles.clear(request)
            case WalletActivated(wallet=wallet):
                for request, known in tuple(self._aggregates.requests.items()):
                    if known.proposal.wallet == wallet and not self._is_open(known):
                        self._wake(request)
            case RequestSigned(request=request, session=session):
                self._spawn(self._stop_others(request, session))
                self._wake(request)
            case _:
                pass

    def resume(self) -> None:
        """Resume after a start what is unfinished in the ledger."""
        for request in tuple(self._aggregates.requests):
            self.consider(request)

    def consider(self, request_id: RequestId) -> None:
        """Queue as a leader of a request whose approvals are complete."""
        request = self._aggregates.requests.get(request_id)
        if request is None or not self._is_open(request) or request_id in self._leading:
            return
        custodians = request.policy.quorum.custodians
        if self._me not in custodians:
            return
        first = custodians.index(request.proposal.proposer)
        place = (custodians.index(self._me) - first) % len(custodians)
        self._leading[request_id] = asyncio.Event()
        self._spawn(self._lead(request_id, place * self._limits.takeover_s))

    def _wake(self, request_id: RequestId) -> None:
        """End a pause of a request that is over: nothing is in its way any more."""
        self.troubles.clear(request_id)
        if request_id in self._leading:
            self._leading[request_id].set()

    async def retry(self, request_id: RequestId) -> None:
        """Lead immediately, on an operator's command. Raises: NotYetPossible."""
        request = self._aggregates.request(request_id)
        if request_id in self._leading:
            self._leading[request_id].set()
        elif self._is_open(request):
            self._leading[request_id] = asyncio.Event()
            self._spawn(self._lead(request_id, 0))

    def _is_open(self, request: SigningRequest) -> bool:
        proposal = request.proposal
        wallet = self._aggregates.wallets.get(proposal.wallet)
        if wallet is None or request.is_outdated(wallet.epoch):
            return False
        expired = self._clock.now_ms() >= proposal.expires_at_ms
        return not expired and request.state in {RequestState.APPROVED, RequestState.SIGNING}

    async def _lead(self, request_id: RequestId, wait_s: float) -> None:
        try:
            await self._wait_for_turn(request_id, wait_s)
            proposal = self._aggregates.request(request_id).proposal
            excluded = self._verdicts.banned(proposal.wallet, proposal.epoch)
            started = 0
            for attempt in itertools.count(1):
                request = self._aggregates.request(request_id)
                if not self._is_open(request) or _frozen(request):
                    return
                signers = choose_signers(
                    request, self._me, self._health(), self._locked(), excluded
                )
                failure = await self._attempt(request_id, signers)
                if failure is None or failure.kind is AbortKind.FREEZE:
                    return
                begun = len(self._aggregates.request(request_id).attempts) > len(request.attempts)
                started += begun
                if started >= self._limits.started:
                    return
                self._note(request_id, failure, begun=begun)
                unwilling = failure.unreachable or (frozenset(signers) - {self._me})
                excluded = _with_excluded(request, excluded, unwilling | failure.blamed)
                await self._pause(request_id, self._pause_s(attempt, begun=begun))
        finally:
            self._leading.pop(request_id, None)
            known = self._aggregates.requests.get(request_id)
            if known is None or not self._is_open(known):
                self.troubles.clear(request_id)

    def _note(self, request_id: RequestId, failure: SessionFailed, *, begun: bool) -> None:
        """Keep why no session began; how one ended that did is on record."""
        if begun:
            self.troubles.clear(request_id)
        else:
            self.troubles.note(request_id, failure.reason)

    def _pause_s(self, attempt: int, *, begun: bool) -> float:
        later = attempt - self._limits.attempts
        if later < 0:
            return self._backoff.pause_s(attempt)
        return (RARE if begun else SLOW).pause_s(later + 1)

    async def _pause(self, request_id: RequestId, seconds: float) -> bool:
        """Wait; return whether an operator ended the wait."""
        wake = self._leading[request_id]
        try:
            async with asyncio.timeout(seconds):
                await wake.wait()
        except TimeoutError:
            return False
        wake.clear()
        return True

    async def _wait_for_turn(self, request_id: RequestId, wait_s: float) -> None:
        """Wait for the leaders before us; each attempt of theirs restarts the wait."""
        while wait_s:
            seen = len(self._aggregates.request(request_id).attempts)
            if await self._pause(request_id, wait_s):
                return
            request = self._aggregates.request(request_id)
            if not self._is_open(request):
                return
            if len(request.attempts) == seen and request.running is None:
                return

    async def _attempt(
        self, request_id: RequestId, signers: tuple[MemberId, ...]
    ) -> SessionFailed | None:
        try:
            await self._host.lead(PURPOSE, request_id, signers, self._limits.run_deadline_s)
        except SessionFailed as failure:
            log.info("signing-session-failed", request=request_id, why=failure.reason)
            return failure
        except (DomainError, AdapterError) as refusal:
            log.info("signing-session-refused", request=request_id, why=str(refusal))
            return SessionFailed(FailureKind.REFUSED, str(refusal))
        return None

    async def _stop_others(self, request_id: RequestId, session: str) -> None:
        for run in self._host.of_subject(request_id):
            if run.info.session != session:
                await run.fail(SessionFailed(FailureKind.CANCELLED, "the request is signed"))


def choose_signers(
    request: SigningRequest,
    me: MemberId,
    health: Mapping[MemberId, PeerHealth],
    locked: frozenset[MemberId],
    excluded: frozenset[MemberId],
) -> tuple[MemberId, ...]:
    """Return threshold signers in roster order: us, then others by rank.

    Not excluded before excluded; among these unlocked, then locked, then unreachable; among these
    the fastest. Excluded members come last rather than not at all: being unreachable once is no
    fault. A locked member answers and signs nothing, but may be unlocked at any moment.
    """
    quorum = request.policy.quorum

    def rank(member: MemberId) -> tuple[bool, bool, int, int, int]:
        link = health.get(member)
        away = 2 if link is None or not link.online else 1 if member in locked else 0
        latency = round(link.latency_s / _LATENCY_STEP_S) if link else 0
        index = quorum.custodians.index(member)
        return (member != me, member in excluded, away, latency, index)

    chosen = sorted(quorum.custodians, key=rank)[: quorum.threshold]
    return tuple(m for m in quorum.custodians if m in chosen)


def _with_excluded(
    request: SigningRequest, excluded: frozenset[MemberId], more: frozenset[MemberId]
) -> frozenset[MemberId]:
    """Exclude more members, or none if too few would be left."""
    joined = excluded | more
    left = len(request.policy.quorum.custodians) - len(joined)
    return joined if left >= request.policy.quorum.threshold else more


def _frozen(request: SigningRequest) -> bool:
    """Return whether checks blamed so many members that too few honest ones are left."""
    blamed = {m for attempt in request.attempts for m in attempt.blamed}
    return len(request.policy.quorum.custodians) - len(blamed) < request.policy.quorum.threshold
