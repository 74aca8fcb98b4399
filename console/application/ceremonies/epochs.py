"""Epochs: a complete certificate activates new shares, and only then old ones are erased."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.ceremonies.certificates import key_certificate, verified_certificate
from console.application.errors import HsmError
from console.application.peers.signed_statements import Verified
from console.application.peers.statements import (
    AnyStatement,
    Erasure,
    KeyCertificate,
)
from console.application.ports.clock import Clock
from console.application.shares.share_manager import ShareManager
from console.domain import ceremony_commands, competing, key_ceremony, wallet
from console.domain.errors import AlreadyDecided, DomainError
from console.domain.events import SharesErased
from console.domain.ids import CeremonyId, MemberId, WalletId
from console.domain.key_ceremony import CeremonyState, KeyCeremony
from console.domain.wallet import Wallet

log = structlog.get_logger(__name__)

Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]


class Epochs:
    """Pending shares become active with the certificate; shares before them are erased.

    Every custodian has sealed its new share before it signs, so a complete certificate proves that
    the new set is complete; without one the old set stays. Exactly one set is in use.
    """

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._clock = clock
        self._publish = publish
        self.pending = asyncio.Lock()
        """Held while pending shares are written or erased, with the look that permits it."""
        self._certifying: set[CeremonyId] = set()
        self._put_off: set[CeremonyId] = set()

    async def activate_if_certified(self, ceremony_id: CeremonyId) -> None:
        """Begin the epoch once all have certified; idempotent."""
        ceremony = self._aggregates.ceremony(ceremony_id)
        if ceremony.state is not CeremonyState.CERTIFIED:
            return
        await self._aggregates.activate_wallet(ceremony, self._clock.now_ms())
        await self._discard_superseded(ceremony.proposal.wallet)
        await self.tidy(ceremony.proposal.wallet)
        await self.hand_on(self._aggregates.ceremony(ceremony_id))

    async def hand_on(self, ceremony: KeyCeremony) -> None:
        """Publish the complete certificate for members who took no part, once.

        Whoever took part does so: the others may be gone for good.
        """
        if ceremony.certified is None:
            statement = key_certificate(ceremony, self._clock.now_ms())
            if statement is not None:
                await self._publish(statement)

    async def on_certificate(self, verified: Verified) -> None:
        """Record a certificate from a peer after verifying every signature of it.

        Raises: StatementRefused, NotYetPossible.
        """
        s = verified.expect(KeyCertificate)
        ceremony_id = CeremonyId(s.ceremony)
        certificate = verified_certificate(
            self._aggregates.ceremony(ceremony_id), s, verified, self._aggregates.certifiers()
        )
        await self._aggregates.record_ceremony(ceremony_id, ceremony_commands.Certify(certificate))
        await self.activate_if_certified(ceremony_id)

    async def on_erasure(self, verified: Verified) -> None:
        """Record that a member signed that its old shares are gone."""
        s = verified.expect(Erasure)
        wallet_id = WalletId(s.wallet)
        erasure = SharesErased(
            wallet=wallet_id,
            epoch=s.epoch,
            member=verified.signer,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        await self._aggregates.record_wallet(wallet_id, wallet.RecordErasure(erasure))

    @asynccontextmanager
    async def certifying(self, ceremony_id: CeremonyId) -> AsyncIterator[None]:
        """Erase nothing of a ceremony while this member certifies it; what is put off comes after.

        Between the look at the sealed shares and the record of the certificate a cancellation may
        arrive, and a complete certificate outweighs it. Raises: AlreadyDecided.
        """
        if ceremony_id in self._certifying:
            raise AlreadyDecided("this member certifies the ceremony already")
        self._certifying.add(ceremony_id)
        known = False
        try:
            try:
                yield
                known = True
            except DomainError:
                known = True
                raise
        finally:
            self._certifying.remove(ceremony_id)
            put_off = ceremony_id in self._put_off
            self._put_off.discard(ceremony_id)
            # After any other end nobody knows whether the certificate is on record.
            if put_off and known:
                await self.discard(self._aggregates.ceremony(ceremony_id))

    async def discard(self, ceremony: KeyCeremony) -> None:
        """Erase the pending shares of a ceremony; never those that this member has certified.

        What counts is the ceremony as it is now: the caller may have waited since it looked.
        """
        async with self.pending:
            await self._discard(self._aggregates.ceremony(ceremony.proposal.ceremony))

    async def _discard(self, ceremony: KeyCeremony) -> None:
        if ceremony.proposal.ceremony in self._certifying:
            self._put_off.add(ceremony.proposal.ceremony)
            return
        if ceremony.state is CeremonyState.CERTIFIED or ceremony.has_confirmed(self._me):
            return
        active = self._aggregates.wallets.get(ceremony.proposal.wallet)
        if active and active.epoch >= ceremony.epoch and self._me in active.quorum.custodians:
            return
        known = self._aggregates.ceremonies.values()
        if competing.holder_of_pending(self._me, ceremony, known) is not None:
            # What lies under this epoch is another change's.
            return
        for kind in ceremony.proposal.kinds:
            await self._shares.erase(ceremony.proposal.wallet, kind, ceremony.epoch)

    async def _discard_superseded(self, wallet_id: WalletId) -> None:
        """Erase the pending shares of changes that another change was faster than."""
        wallet = self._aggregates.wallet(wallet_id)
        for other in tuple(self._aggregates.ceremonies.values()):
            same = other.proposal.wallet == wallet_id
            if same and other.sealed and competing.is_superseded(other, wallet):
                await self.discard(other)

    async def tidy(self, wallet_id: WalletId) -> None:
        """Erase this member's shares of earlier epochs, and sign that they are gone."""
        state = self._aggregates.wallet(wallet_id)
        if state.epoch == key_ceremony.FIRST_EPOCH:
            return
        if self._me in state.quorum.custodians and not await self._holds(state):
            # A machine that waits for its repair has no share, and none to erase.
            return
        # Who holds no share of this epoch may have one of a change that lost against it.
        last = state.epoch if dict(state.former).get(self._me) == state.epoch else state.epoch - 1
        stored = await self._shares.stored(wallet_id)
        old = {(kind, epoch) for kind, epoch in stored if epoch <= last}
        # What cannot be read is not listed, and must not be called erased.
        old |= {(kind, last) for kind in state.kinds}
        try:
            for kind, epoch in sorted(old):
                await self._shares.erase(wallet_id, kind, epoch)
        except HsmError as trouble:
            log.warning("share-not-erased", wallet=wallet_id, why=str(trouble))
            return
        if self._me in state.erasing and not state.has_erased(self._me):
            await self._publish(Erasure(at_ms=self._clock.now_ms(), wallet=wallet_id, epoch=last))

    async def resume(self) -> None:
        """After a start: finish what a crash interrupted."""
        stored = await self._shares.epochs_stored()
        for ceremony in tuple(self._aggregates.ceremonies.values()):
            if ceremony.state is CeremonyState.CERTIFIED:
                await self.activate_if_certified(ceremony.proposal.ceremony)
            elif ceremony.sealed is None and (ceremony.proposal.wallet, ceremony.epoch) in stored:
                await self.discard(ceremony)
        for wallet_id in tuple(self._aggregates.wallets):
            await self.tidy(wallet_id)

    async def _holds(self, state: Wallet) -> bool:
        for kind in state.kinds:
            if not await self._shares.holds(state.wallet, kind, state.epoch):
                return False
        return True
