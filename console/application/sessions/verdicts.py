"""Verdicts: a failed check is recorded, with its proof, before anything about it is sent."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from console.application.aggregates import Aggregates
from console.application.ports.clock import Clock
from console.application.ports.threshold import KeyMaterial, ThresholdSigner
from console.application.sessions.protocol_session import FailureKind, SessionFailed, SessionInfo
from console.application.shares.share_manager import ShareManager
from console.domain.errors import PolicyViolation
from console.domain.events import SessionAborted
from console.domain.ids import MemberId, RequestId, WalletId
from console.domain.verdicts import Verdict, banned, quarantine
from console.domain.wallet import Wallet
from console.protocols.kernel.abort import AbortKind

StopWith = Callable[[frozenset[MemberId], SessionFailed], Coroutine[Any, Any, None]]
StopWhere = Callable[[Callable[[str], bool], SessionFailed], Coroutine[Any, Any, None]]

_NO_WALLET = WalletId("")
_VERDICTS = {
    AbortKind.BLAME: Verdict.BLAME,
    AbortKind.BAN: Verdict.BAN,
    AbortKind.FREEZE: Verdict.FREEZE,
}


class Verdicts:
    """This member's verdicts about others, and their consequences."""

    def __init__(
        self,
        aggregates: Aggregates,
        shares: ShareManager,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        stop_with: StopWith,
        stop_where: StopWhere,
    ) -> None:
        self._aggregates = aggregates
        self._shares = shares
        self._clock = clock
        self._spawn = spawn
        self._stop_with = stop_with
        self._stop_where = stop_where

    async def record(
        self,
        info: SessionInfo,
        failure: SessionFailed,
        wallet: WalletId = _NO_WALLET,
        epoch: int = 0,
    ) -> None:
        """Record a failed check durably; transport trouble and disagreement are none.

        Our other sessions with a banned member end too: leaks of several sessions add up. So do
        all that use a key which is now quarantined.
        Raises: LedgerError.
        """
        verdict = _VERDICTS.get(failure.kind)
        if verdict is None:
            return
        await self._aggregates.record_verdict(
            SessionAborted(
                session=info.session,
                purpose=info.purpose,
                subject=info.subject,
                wallet=wallet,
                epoch=epoch,
                verdict=verdict.value,
                check=failure.check,
                reason=failure.reason,
                blamed=tuple(sorted(failure.blamed)),
                proof=failure.proof,
                at_ms=self._clock.now_ms(),
            )
        )
        if verdict is Verdict.BAN:
            stopped = SessionFailed(
                FailureKind.CANCELLED, "a member of this session was banned in another"
            )
            self._spawn(self._stop_with(failure.blamed, stopped))
        elif verdict is Verdict.FREEZE:
            stopped = SessionFailed(FailureKind.CANCELLED, "the wallet's keys are quarantined")
            self._spawn(self._stop_where(lambda about: self._uses(wallet, about), stopped))

    def _uses(self, wallet: WalletId, subject: str) -> bool:
        """Return whether sessions about this request or drill use the wallet's keys."""
        request = self._aggregates.requests.get(RequestId(subject))
        if request:
            return request.proposal.wallet == wallet
        return subject.partition("@")[0] == wallet

    async def destroy(
        self,
        scheme: ThresholdSigner,
        wallet: Wallet,
        held: KeyMaterial,
        failure: SessionFailed,
        peers: Collection[int],
    ) -> None:
        """After a ban, destroy the stored pair states with the banned members.

        Raises: HsmError, SealBroken; the ban is on record by then.
        """
        if failure.kind is not AbortKind.BAN:
            return
        left = scheme.without_peers(held, peers)
        if left is not None:
            try:
                await self._shares.replace(wallet.wallet, scheme.kind, wallet.epoch, left)
            finally:
                left.wipe()

    def banned(self, wallet: WalletId, epoch: int) -> frozenset[MemberId]:
        """Return the members that this one does not sign with in this epoch."""
        forked = {name for name, m in self._aggregates.members.items() if m.forked}
        return frozenset(banned(self._aggregates.verdicts, wallet, epoch)) | forked

    def require_usable(
        self, wallet: WalletId, epoch: int, participants: frozenset[MemberId]
    ) -> None:
        """Check that the keys are not quarantined and none of the members is banned.

        Raises: PolicyViolation.
        """
        frozen = quarantine(self._aggregates.verdicts, wallet, epoch)
        if frozen:
            raise PolicyViolation(
                f"the wallet's keys are quarantined here until a refresh: {frozen.reason}"
            )
        shut_out = self.banned(wallet, epoch) & participants
        if shut_out:
            names = ", ".join(sorted(shut_out))
            raise PolicyViolation(f"this member does not sign with {names} until a refresh")
