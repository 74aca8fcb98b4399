"""DrillSaga: after each ceremony, and when an operator asks, every custodian proves its share."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.ports.event_store import RecordedEvent
from console.application.sagas.backoff import Backoff
from console.application.sessions.host import SessionHost
from console.application.sessions.protocol_session import SessionFailed
from console.application.sessions.verdicts import Verdicts
from console.application.signing.drills import PURPOSE, drill_subject
from console.domain.errors import DomainError, NotYetPossible
from console.domain.events import WalletActivated
from console.domain.ids import MemberId, WalletId
from console.domain.wallet import Wallet
from console.protocols.kernel.abort import AbortKind

log = structlog.get_logger(__name__)

ATTEMPTS = 6
"""Attempts per group: peers that have not received the new epoch yet refuse at first."""
RUN_DEADLINE_S = 60.0


class DrillSaga:
    """Leads drills in groups of the threshold, so that each custodian is in at least one."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        host: SessionHost,
        verdicts: Verdicts,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._host = host
        self._verdicts = verdicts
        self._spawn = spawn
        self._backoff = backoff or Backoff()
        self._leading: set[WalletId] = set()

    def on_event(self, record: RecordedEvent) -> None:
        """React to an event: the member that proposed a ceremony also leads its first drill."""
        match record.event:
            case WalletActivated(wallet=wallet, ceremony=ceremony):
                known = self._aggregates.ceremonies.get(ceremony)
                if known and known.proposal.proposer == self._me:
                    self._spawn(self._after_ceremony(wallet))
            case _:
                pass

    def resume(self) -> None:
        """Do nothing: a drill that a crash interrupted proved nothing."""

    async def run(self, wallet_id: WalletId) -> None:
        """Lead the drills of a wallet until all have ended.

        Raises: NotYetPossible naming the custodians without proof, and why.
        """
        state = self._aggregates.wallet(wallet_id)
        if self._me not in state.quorum.custodians:
            raise NotYetPossible("only a custodian of the wallet can lead its drills")
        if wallet_id in self._leading:
            raise NotYetPossible("a drill of this wallet is under way")
        self._leading.add(wallet_id)
        try:
            troubles = [
                trouble
                for group in self._groups(state)
                if (trouble := await self._lead(state, group))
            ]
        finally:
            self._leading.discard(wallet_id)
        if troubles:
            raise NotYetPossible("; ".join(troubles))

    def _groups(self, state: Wallet) -> list[tuple[MemberId, ...]]:
        """Return groups of custodians; a last group that is too small repeats some of the first."""
        banned = self._verdicts.banned(state.wallet, state.epoch)
        others = [m for m in state.quorum.custodians if m != self._me and m not in banned]
        size = state.quorum.threshold - 1
        if len(others) < size:
            raise NotYetPossible("too many custodians are banned here until a refresh")
        chosen = [others[at : at + size] for at in range(0, len(others), size)]
        for other in others:
            if len(chosen[-1]) < size and other not in chosen[-1]:
                chosen[-1].append(other)
        return [
            tuple(m for m in state.quorum.custodians if m == self._me or m in group)
            for group in chosen
        ]

    async def _lead(self, state: Wallet, group: tuple[MemberId, ...]) -> str:
        """Lead one group, with bounded attempts; return the reason of the failure, "" if none."""
        trouble = ""
        for attempt in range(1, ATTEMPTS + 1):
            if self._aggregates.wallet(state.wallet).epoch != state.epoch:
                return "a new epoch has begun meanwhile"
            try:
                await self._host.lead(PURPOSE, drill_subject(state), group, RUN_DEADLINE_S)
            except SessionFailed as failure:
                trouble = failure.reason
                if failure.kind is not AbortKind.RETRY:
                    break  # After a failed check another attempt would meet the same member.
            except (DomainError, AdapterError) as refusal:
                trouble = str(refusal)
            else:
                return ""
            await asyncio.sleep(self._backoff.pause_s(attempt))
        return trouble

    async def _after_ceremony(self, wallet_id: WalletId) -> None:
        try:
            await self.run(wallet_id)
        except DomainError as refusal:
            # No caller waits for it: the screen shows the shares without a proof.
            log.info("drill-incomplete", wallet=wallet_id, why=str(refusal))
