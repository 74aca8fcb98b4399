"""What members sign about ceremonies, judged by this member's own facts and recorded."""

import hashlib
from collections.abc import Collection

from console.application.aggregates import Aggregates
from console.application.ceremonies.epochs import Epochs
from console.application.peers.signed_statements import Verified, verify_identity
from console.application.peers.statements import (
    CeremonyAcceptance,
    CeremonyCancellation,
    CeremonyProposal,
    CeremonyRefusal,
    CodeConfirmation,
    KeyChangeProposal,
    SessionFailure,
)
from console.application.ports.clock import Clock
from console.domain import ceremony_commands, competing, key_ceremony
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import KeyChangeProposed
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.names import proper_name
from console.domain.policy import Policy
from console.domain.quotas import Counted
from console.domain.times import require_lifetime
from console.domain.values import CeremonyPurpose, Quorum, SignatureKind


class CeremonyRecords:
    """Records proposals, answers, failures and confirmations of ceremonies."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        epochs: Epochs,
        kinds: Collection[SignatureKind],
        clock: Clock,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._epochs = epochs
        self._kinds = frozenset(kinds)
        self._clock = clock

    async def on_proposal(self, verified: Verified) -> None:
        """Record a proposed key generation, if this member can take part in it."""
        s = verified.expect(CeremonyProposal)
        if await self._is_known(s.ceremony, verified):
            return
        require_lifetime(s.at_ms, s.expires_at_ms)
        self._aggregates.quotas.require(verified.signer, Counted.CEREMONY, s.at_ms)
        for member in s.custodians:
            self._aggregates.member(MemberId(member))
        kinds = tuple(_kind(kind) for kind in s.kinds)
        if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= self._kinds:
            raise NotYetPossible("the ceremony asks for kinds of keys that this node cannot make")
        is_open = self._clock.now_ms() < s.expires_at_ms
        if is_open and proper_name(s.wallet_name, "a wallet's name") != s.wallet_name:
            # Of one that is history, a machine that joins takes whatever name it was given.
            raise Conflict("a wallet's name has blanks around it, or is not in normal form")
        quorum = Quorum(s.threshold, tuple(MemberId(m) for m in s.custodians))
        Policy(key_ceremony.FIRST_EPOCH + 1, quorum, s.approvals_needed)
        for other in self._aggregates.ceremonies.values():
            if other.proposal.wallet == s.wallet and other.proposal.ceremony != s.ceremony:
                # Shares are stored by wallet: the ceremonies would erase each other's.
                raise Conflict("another ceremony makes the wallet with this id")
        await self._record(
            s.ceremony,
            ceremony_commands.Propose(
                ceremony=CeremonyId(s.ceremony),
                wallet=WalletId(s.wallet),
                wallet_name=s.wallet_name,
                kinds=kinds,
                quorum=quorum,
                approvals_needed=s.approvals_needed,
                proposer=verified.signer,
                proposed_at_ms=s.at_ms,
                expires_at_ms=s.expires_at_ms,
                evidence=verified.evidence,
            ),
        )

    async def on_change(self, verified: Verified) -> None:
        """Record a proposed change of shares that follows from an epoch that was certified.

        Changes that compete, or began with shares out of use, are recorded as well: the others may
        certify them. What this member itself signs is decided in `domain.competing`.
        """
        s = verified.expect(KeyChangeProposal)
        if await self._is_known(s.ceremony, verified):
            return
        require_lifetime(s.at_ms, s.expires_at_ms)
        self._aggregates.quotas.require(verified.signer, Counted.CEREMONY, s.at_ms)
        wallet = self._aggregates.wallet(WalletId(s.wallet))
        known = self._aggregates.ceremonies.values()
        origin = competing.origin_of(wallet.wallet, s.from_epoch, known)
        if origin is None:
            raise NotYetPossible("the ceremony begins with an epoch that is not known here yet")
        competing.require_near(wallet.wallet, s.epoch, known)
        custodians = tuple(MemberId(member) for member in s.custodians)
        for member in custodians:
            self._aggregates.member(member)
        purpose = _purpose(s.purpose)
        previous = origin.quorum
        quorum = previous
        if purpose is CeremonyPurpose.RESHARE:
            quorum = previous.resharing(s.threshold, custodians)
        elif (s.threshold, custodians) != (previous.threshold, previous.custodians):
            raise Conflict("a refresh or a repair changes no custodian")
        Policy(s.epoch + 1, quorum, s.approvals_needed)
        proposal = KeyChangeProposed(
            ceremony=CeremonyId(s.ceremony),
            wallet=wallet.wallet,
            wallet_name=wallet.name,
            kinds=wallet.kinds,
            purpose=purpose,
            from_epoch=s.from_epoch,
            epoch=s.epoch,
            previous=previous,
            quorum=quorum,
            dealers=tuple(MemberId(member) for member in s.dealers),
            repaired=MemberId(s.repaired),
            approvals_needed=s.approvals_needed,
            proposer=verified.signer,
            proposed_at_ms=s.at_ms,
            expires_at_ms=s.expires_at_ms,
            evidence=verified.evidence,
        )
        await self._record(s.ceremony, ceremony_commands.ProposeChange(proposal))

    async def _is_known(self, ceremony: str, verified: Verified) -> bool:
        """Return whether a ceremony has this id; record it if the proposer signed two texts.

        Raises: Conflict if they are two members'.
        """
        known = self._aggregates.ceremonies.get(CeremonyId(ceremony))
        if known is None:
            return False
        dispute = ceremony_commands.Dispute(verified.statement.at_ms, verified.evidence)
        await self._record(ceremony, dispute)
        disputed = self._aggregates.ceremony(CeremonyId(ceremony))
        if disputed.disputed and disputed.sealed:
            await self._epochs.discard(disputed)
        return True

    async def on_acceptance(self, verified: Verified) -> None:
        """Record an acceptance of exactly the proposal that this member has."""
        s = verified.expect(CeremonyAcceptance)
        proposal = self._aggregates.ceremony(CeremonyId(s.ceremony)).proposal
        if hashlib.sha256(proposal.evidence.body).digest() != s.proposal:
            raise Conflict(f"{verified.signer} accepted another text than the one proposed here")
        command = ceremony_commands.Accept(verified.signer, s.at_ms, verified.evidence)
        await self._record(s.ceremony, command)

    async def on_refusal(self, verified: Verified) -> None:
        """Record that a participant declined."""
        s = verified.expect(CeremonyRefusal)
        command = ceremony_commands.Decline(
            member=verified.signer, reason=s.reason, at_ms=s.at_ms, evidence=verified.evidence
        )
        await self._record(s.ceremony, command)

    async def on_cancellation(self, verified: Verified) -> None:
        """Record a cancellation; erase shares that can no longer be certified."""
        s = verified.expect(CeremonyCancellation)
        command = ceremony_commands.Abort(
            member=verified.signer, reason=s.reason, at_ms=s.at_ms, evidence=verified.evidence
        )
        await self._record(s.ceremony, command)
        ceremony = self._aggregates.ceremony(CeremonyId(s.ceremony))
        if ceremony.sealed:
            await self._epochs.discard(ceremony)

    async def on_session_failure(self, verified: Verified) -> None:
        """Record that a participant's session ended without keys: it can never be certified."""
        s = verified.expect(SessionFailure)
        ceremony = self._aggregates.ceremony(CeremonyId(s.subject))
        if verified.signer not in ceremony.indices:
            raise UnknownMember(f"{verified.signer} takes no part in this ceremony")
        ours = ceremony.sealed is not None and ceremony.sealed.session == s.session
        await self._record(
            s.subject,
            ceremony_commands.FailSession(
                session=SessionId(s.session),
                reason=s.reason,
                blamed=tuple(MemberId(m) for m in s.blamed),
                at_ms=s.at_ms,
                evidence=verified.evidence,
                # Also if it has done so while this statement waited for the ledger.
                unless_confirmed_by=self._me,
            ),
        )
        # Only what is on record as failed: a share that is on record must not be missing.
        if ours and self._aggregates.ceremony(ceremony.proposal.ceremony).sealed is None:
            await self._epochs.discard(ceremony)

    async def on_confirmation(self, verified: Verified) -> None:
        """Record a certificate signature; with the last one the keys become active."""
        s = verified.expect(CodeConfirmation)
        ceremony_id = CeremonyId(s.ceremony)
        sealed = self._aggregates.ceremony(ceremony_id).sealed
        if sealed is None or sealed.session != s.session:
            raise NotYetPossible("this member has sealed no share of that session")
        member = self._aggregates.member(verified.signer)
        # Only by the machine of today: one that was replaced may be in other hands.
        verify_identity(member.identity_key, sealed.certificate_message, s.certificate_signature)
        command = ceremony_commands.ConfirmCode(
            session=SessionId(s.session),
            member=verified.signer,
            certificate_signature=s.certificate_signature,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        await self._record(s.ceremony, command)
        await self._epochs.activate_if_certified(ceremony_id)

    async def _record(self, ceremony: str, command: ceremony_commands.CeremonyCommand) -> None:
        await self._aggregates.record_ceremony(CeremonyId(ceremony), command)


def _kind(text: str) -> SignatureKind:
    try:
        return SignatureKind(text)
    except ValueError:
        raise NotYetPossible(f"this node does not know keys of kind {text[:40]!r}") from None


def _purpose(text: str) -> CeremonyPurpose:
    try:
        return CeremonyPurpose(text)
    except ValueError:
        raise NotYetPossible(f"this node knows no ceremony to {text[:40]!r}") from None
