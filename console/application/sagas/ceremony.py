"""CeremonySaga: starts a ceremony's session once all have accepted, and again when it fails."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.ceremonies.key_generation import PURPOSE
from console.application.errors import AdapterError
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.sagas.backoff import Backoff
from console.application.sagas.troubles import Troubles
from console.application.sessions.host import SessionHost
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.domain import competing
from console.domain.errors import DomainError
from console.domain.events import (
    CeremonyAborted,
    CeremonyAccepted,
    CeremonyDeclined,
    CeremonyDisputed,
    CeremonySessionFailed,
    CeremonySessionStarted,
    WalletActivated,
)
from console.domain.ids import CeremonyId, MemberId
from console.domain.key_ceremony import CeremonyState, KeyCeremony

log = structlog.get_logger(__name__)

QUICK_ATTEMPTS = 8
"""Started sessions that may fail before the next ones come rarely, until the ceremony's time is
over. An absent custodian costs none."""
RARE = Backoff(first_s=60.0, last_s=900.0)
RUN_DEADLINE_S = 120.0


class CeremonySaga:
    """The proposer's node leads; every node stops sessions of a ceremony that is over."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        host: SessionHost,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        moved: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._host = host
        self._clock = clock
        self._spawn = spawn
        self._backoff = backoff or Backoff()
        self._leading: set[CeremonyId] = set()
        self.troubles = Troubles(moved)

    def on_event(self, record: RecordedEvent) -> None:
        """React to what was recorded."""
        match record.event:
            case CeremonyAccepted(ceremony=ceremony) | CeremonySessionFailed(ceremony=ceremony):
                self.consider(ceremony)
                if isinstance(record.event, CeremonySessionFailed):
                    self._spawn(self._stop(ceremony, record.event.session, record.event.reason))
            case (
                CeremonyDeclined(ceremony=ceremony)
                | CeremonyDisputed(ceremony=ceremony)
                | CeremonyAborted(ceremony=ceremony)
            ):
                self._spawn(self._stop(ceremony, "", "the ceremony was declined or cancelled"))
                self.troubles.clear(ceremony)
            case CeremonySessionStarted(ceremony=ceremony):
                self.troubles.clear(ceremony)
            case WalletActivated(wallet=wallet):
                for other in tuple(self._aggregates.ceremonies.values()):
                    if other.proposal.wallet == wallet and self._is_superseded(other):
                        faster = "another change of shares was completed first"
                        self._spawn(self._stop(other.proposal.ceremony, "", faster))
            case _:
                pass

    def resume(self) -> None:
        """Resume after a start what is unfinished in the ledger."""
        for ceremony in tuple(self._aggregates.ceremonies):
            self.consider(ceremony)

    def consider(self, ceremony_id: CeremonyId) -> None:
        """Lead the ceremony if it waits for a session and this member proposed it."""
        ceremony = self._aggregates.ceremonies.get(ceremony_id)
        if (
            ceremony is None
            or ceremony.proposal.proposer != self._me
            or ceremony.state is not CeremonyState.ACCEPTED
            or ceremony_id in self._leading
        ):
            return
        self._leading.add(ceremony_id)
        self._spawn(self._lead(ceremony_id))

    async def _lead(self, ceremony_id: CeremonyId) -> None:
        try:
            begun_before = len(self._aggregates.ceremony(ceremony_id).attempts)
            for attempt in itertools.count(1):
                ceremony = self._aggregates.ceremony(ceremony_id)
                if not self._is_startable(ceremony):
                    return
                trouble = await self._attempt(ceremony)
                if trouble is None:
                    return
                attempts = self._aggregates.ceremony(ceremony_id).attempts
                if len(attempts) == len(ceremony.attempts):
                    self.troubles.note(ceremony_id, trouble)
                else:
                    # A session began: how it ended is on record.
                    self.troubles.clear(ceremony_id)
                often = len(attempts) - begun_before >= QUICK_ATTEMPTS
                pause = RARE if often else self._backoff
                await asyncio.sleep(pause.pause_s(attempt))
        finally:
            self._leading.discard(ceremony_id)

    def _is_startable(self, ceremony: KeyCeremony) -> bool:
        in_time = self._clock.now_ms() < ceremony.proposal.expires_at_ms
        accepted = ceremony.state is CeremonyState.ACCEPTED
        # A check blamed a member: people decide whether, and with whom, to retry.
        blamed = any(a.blamed for a in ceremony.attempts)
        return in_time and accepted and not blamed and not self._is_superseded(ceremony)

    async def _attempt(self, ceremony: KeyCeremony) -> str | None:
        """Lead one session; return why it failed, None if it did not."""
        ceremony_id = ceremony.proposal.ceremony
        try:
            await self._host.lead(PURPOSE, ceremony_id, ceremony.participants, RUN_DEADLINE_S)
        except (SessionFailed, DomainError, AdapterError) as failure:
            log.info("ceremony-session-failed", ceremony=ceremony_id, why=str(failure))
            return str(failure)
        self.troubles.clear(ceremony_id)
        return None

    def _is_superseded(self, ceremony: KeyCeremony) -> bool:
        wallet = self._aggregates.wallets.get(ceremony.proposal.wallet)
        return competing.is_superseded(ceremony, wallet)

    async def _stop(self, ceremony_id: CeremonyId, session: str, reason: str) -> None:
        for run in self._host.of_subject(ceremony_id):
            if session in {"", run.info.session}:
                await run.fail(SessionFailed(FailureKind.CANCELLED, reason))
