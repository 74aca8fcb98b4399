"""KeyGenerationService: from a proposal that all accept to keys that all have certified."""

import hashlib
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from console.application.aggregates import Aggregates
from console.application.ports.clock import Clock
from console.application.ports.threshold import KeyGenerationPort
from console.application.ports.vault import IdentityPort
from console.application.runs import RunFailed, RunInfo
from console.application.share_manager import ShareManager
from console.application.statements import (
    AnyStatement,
    CeremonyAcceptance,
    CeremonyCancellation,
    CeremonyProposal,
    CeremonyRefusal,
    CodeConfirmation,
    Invitation,
    RunFailure,
    StatementRefused,
    Verified,
    verify_identity,
)
from console.domain import key_ceremony
from console.domain.errors import AlreadyDecided, Conflict, NotYetPossible, UnknownMember
from console.domain.events import GroupKey
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.key_ceremony import CeremonyState, KeyCeremony
from console.domain.policy import Policy
from console.domain.short_code import short_code
from console.domain.values import MAX_REASON, Quorum, SignatureKind
from console.domain.wallet import FIRST_EPOCH, FIRST_POLICY_VERSION
from console.protocols.kernel.party import Party
from console.protocols.keygen.certificate import certificate_message
from console.protocols.keygen.dkg import KeygenResult
from console.protocols.keygen.share import encode_public

PURPOSE = "key-generation"
_NEVER = 1 << 30

S = TypeVar("S")

Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
Keys = tuple[tuple[SignatureKind, KeygenResult], ...]


class KeyGenerationService:
    """Records ceremonies, judges invitations to their runs, and seals what they make."""

    name = PURPOSE
    release_round = _NEVER

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        schemes: Mapping[SignatureKind, KeyGenerationPort],
        identity: IdentityPort,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._schemes = schemes
        self._identity = identity
        self._clock = clock
        self._publish = publish

    # What this member's operator decides

    async def confirm_code(self, ceremony_id: CeremonyId, code: str) -> None:
        """Certify the sealed keys after the operator compared the code.

        Raises: Conflict if the code is not the one on record; NotYetPossible; AlreadyDecided.
        """
        ceremony = self._aggregates.ceremony(ceremony_id)
        sealed = ceremony.sealed
        if ceremony.aborted or sealed is None:
            raise NotYetPossible("there is no code to confirm in this ceremony")
        if code != sealed.code:
            raise Conflict("the code on the screen is not the one of this ceremony")
        signature = await self._identity.sign(sealed.certificate_message)
        await self._publish(
            CodeConfirmation(
                at_ms=self._clock.now_ms(),
                ceremony=ceremony_id,
                session=sealed.session,
                certificate_signature=signature,
            )
        )

    # What members have signed

    async def on_proposal(self, verified: Verified) -> None:
        """Record a proposal, if this member could keep its side of it."""
        s = _of(verified, CeremonyProposal)
        for member in s.custodians:
            self._aggregates.member(MemberId(member))
        kinds = tuple(_kind(kind) for kind in s.kinds)
        if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(self._schemes):
            raise NotYetPossible("the ceremony asks for kinds of keys that this node cannot make")
        quorum = Quorum(s.threshold, tuple(MemberId(m) for m in s.custodians))
        Policy(FIRST_POLICY_VERSION, quorum, s.approvals_needed)
        for other in self._aggregates.ceremonies.values():
            if other.proposal.wallet == s.wallet and other.proposal.ceremony != s.ceremony:
                # Shares are stored by wallet: the ceremonies would erase each other's.
                raise Conflict("another ceremony makes the wallet with this id")
        await self._record(
            s.ceremony,
            key_ceremony.Propose(
                CeremonyId(s.ceremony),
                WalletId(s.wallet),
                s.wallet_name,
                kinds,
                quorum,
                s.approvals_needed,
                verified.signer,
                s.at_ms,
                s.expires_at_ms,
                verified.evidence,
            ),
        )

    async def on_acceptance(self, verified: Verified) -> None:
        """Record an acceptance of exactly the proposal that this member has."""
        s = _of(verified, CeremonyAcceptance)
        proposal = self._aggregates.ceremony(CeremonyId(s.ceremony)).proposal
        if hashlib.sha256(proposal.evidence.body).digest() != s.proposal:
            raise Conflict(f"{verified.signer} accepted another text than the one proposed here")
        command = key_ceremony.Accept(verified.signer, s.at_ms, verified.evidence)
        await self._record(s.ceremony, command)

    async def on_refusal(self, verified: Verified) -> None:
        """Record that a custodian declined."""
        s = _of(verified, CeremonyRefusal)
        command = key_ceremony.Decline(verified.signer, s.reason, s.at_ms, verified.evidence)
        await self._record(s.ceremony, command)

    async def on_cancellation(self, verified: Verified) -> None:
        """Record that a custodian cancelled; shares that nobody can certify any more go."""
        s = _of(verified, CeremonyCancellation)
        command = key_ceremony.Abort(verified.signer, s.reason, s.at_ms, verified.evidence)
        await self._record(s.ceremony, command)
        ceremony = self._aggregates.ceremony(CeremonyId(s.ceremony))
        if ceremony.sealed and not ceremony.has_confirmed(self._me):
            await self._erase(ceremony)

    async def on_run_failure(self, verified: Verified) -> None:
        """Record that a custodian's run ended without keys: its session can never be certified."""
        s = _of(verified, RunFailure)
        ceremony = self._aggregates.ceremony(CeremonyId(s.subject))
        if verified.signer not in ceremony.quorum.custodians:
            raise UnknownMember(f"{verified.signer} is not a custodian of this ceremony")
        sealed = ceremony.sealed
        if sealed and sealed.session == s.session:
            if ceremony.has_confirmed(self._me):
                return
            await self._erase(ceremony)
        await self._record(
            s.subject,
            key_ceremony.FailSession(
                SessionId(s.session),
                s.reason,
                tuple(MemberId(m) for m in s.blamed),
                s.at_ms,
                verified.evidence,
            ),
        )

    async def on_confirmation(self, verified: Verified) -> None:
        """Record a certificate signature; with the last one the wallet becomes active."""
        s = _of(verified, CodeConfirmation)
        ceremony_id = CeremonyId(s.ceremony)
        sealed = self._aggregates.ceremony(ceremony_id).sealed
        if sealed is None or sealed.session != s.session:
            raise NotYetPossible("this member has sealed no share of that session")
        key = self._aggregates.member(verified.signer).identity_key
        verify_identity(key, sealed.certificate_message, s.certificate_signature)
        command = key_ceremony.ConfirmCode(
            SessionId(s.session),
            verified.signer,
            s.certificate_signature,
            s.at_ms,
            verified.evidence,
        )
        await self._record(s.ceremony, command)
        await self.activate_if_certified(ceremony_id)

    async def activate_if_certified(self, ceremony_id: CeremonyId) -> None:
        """Activate the wallet once all have certified; harmless to repeat after a crash."""
        ceremony = self._aggregates.ceremony(ceremony_id)
        if ceremony.state is CeremonyState.CERTIFIED:
            await self._aggregates.activate_wallet(ceremony, self._clock.now_ms())

    # A run, as `RunKind`

    async def admit(self, invitation: Invitation, coordinator: MemberId) -> None:
        """Judge an invitation by this member's own ledger. Raises: DomainError."""
        ceremony = self._aggregates.ceremony(CeremonyId(invitation.subject))
        if coordinator not in ceremony.quorum.custodians:
            raise UnknownMember(f"{coordinator} is not a custodian of this ceremony")
        if set(invitation.participants) != set(ceremony.quorum.custodians):
            raise Conflict("a key ceremony needs exactly its custodians")
        if not ceremony.has_all_acceptances:
            raise NotYetPossible("not every custodian has accepted")
        if ceremony.sealed and ceremony.has_confirmed(self._me):
            raise AlreadyDecided(
                "this member has certified the keys of an earlier session; cancel the ceremony "
                "and propose it again if the others cannot confirm"
            )
        if ceremony.state in key_ceremony.OVER:
            raise AlreadyDecided("the ceremony is over")
        if ceremony.sealed:
            session = ceremony.sealed.session
            await self._report_failure(ceremony, session, "a new session was started instead")

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the share index of each custodian."""
        quorum = self._aggregates.ceremony(CeremonyId(invitation.subject)).quorum
        return {MemberId(m): quorum.index_of(MemberId(m)) for m in invitation.participants}

    def rounds(self, invitation: Invitation) -> tuple[str, ...]:
        """Name the rounds of all kinds, in order."""
        kinds = self._aggregates.ceremony(CeremonyId(invitation.subject)).proposal.kinds
        schemes = [self._schemes[kind] for kind in kinds]
        return tuple(name for scheme in schemes for name in scheme.keygen_rounds)

    async def open(self, info: RunInfo) -> Callable[[Party], Coroutine[Any, Any, Keys]]:
        """Record that this member takes part and return the protocol to run."""
        ceremony_id = CeremonyId(info.subject)
        await self._record(
            ceremony_id, key_ceremony.StartSession(info.session, self._clock.now_ms())
        )
        proposal = self._aggregates.ceremony(ceremony_id).proposal
        digest = hashlib.sha256(proposal.evidence.body).digest()

        async def run(party: Party) -> Keys:
            made: list[tuple[SignatureKind, KeygenResult]] = []
            for kind in proposal.kinds:
                context = digest + kind.value.encode()
                threshold = proposal.quorum.threshold
                result = await self._schemes[kind].generate(
                    party, threshold, context, secrets.token_bytes
                )
                made.append((kind, result))
            return tuple(made)

        return run

    async def releasing(self, info: RunInfo) -> None:
        """Not used: nothing of a key generation can be used up."""

    async def succeeded(self, info: RunInfo, outcome: Keys) -> None:
        """Seal every share, then record what was sealed and the code to compare."""
        ceremony_id = CeremonyId(info.subject)
        wallet = self._aggregates.ceremony(ceremony_id).proposal.wallet
        keys: list[GroupKey] = []
        messages: list[bytes] = []
        transcripts = hashlib.sha256()
        for kind, result in outcome:
            public = result.share.public
            keys.append(GroupKey(kind, public.group_key, encode_public(public)))
            messages.append(
                certificate_message(
                    session_id=bytes.fromhex(info.session),
                    key_id=f"{wallet}/{kind.value}",
                    epoch=FIRST_EPOCH,
                    transcript=result.transcript,
                    public=public,
                )
            )
            transcripts.update(result.transcript)
            await self._shares.seal(wallet, kind, FIRST_EPOCH, result.share)
        message = b"".join(len(m).to_bytes(4, "big") + m for m in messages)
        await self._record(
            ceremony_id,
            key_ceremony.SealShare(
                info.session,
                tuple(keys),
                transcripts.digest(),
                message,
                short_code(hashlib.sha256(message).digest()),
                self._clock.now_ms(),
            ),
        )

    async def failed(self, info: RunInfo, failure: RunFailed) -> None:
        """Record the failure and tell the others, so that nobody waits for our certificate."""
        ceremony = self._aggregates.ceremony(CeremonyId(info.subject))
        blamed = tuple(sorted(failure.blamed))
        await self._report_failure(ceremony, info.session, failure.reason, blamed)

    async def burn_interrupted(self) -> None:
        """After a restart: end the sessions that were under way; their secrets are gone."""
        for ceremony in tuple(self._aggregates.ceremonies.values()):
            await self.activate_if_certified(ceremony.proposal.ceremony)
            if ceremony.running:
                session = ceremony.running.session
                await self._report_failure(ceremony, session, f"{self._me} was restarted")

    async def _report_failure(
        self,
        ceremony: KeyCeremony,
        session: SessionId,
        reason: str,
        blamed: tuple[MemberId, ...] = (),
    ) -> None:
        # The share may be sealed already although the crash came before its event.
        if ceremony.sealed is None or ceremony.sealed.session == session:
            await self._erase(ceremony)
        await self._publish(
            RunFailure(
                at_ms=self._clock.now_ms(),
                subject=ceremony.proposal.ceremony,
                session=session,
                reason=(reason or key_ceremony.UNEXPLAINED)[:MAX_REASON],
                blamed=blamed,
            )
        )

    async def _erase(self, ceremony: KeyCeremony) -> None:
        """Erase pending shares; never those of a wallet that is active."""
        proposal = ceremony.proposal
        if proposal.wallet in self._aggregates.wallets:
            return
        for kind in proposal.kinds:
            await self._shares.erase(proposal.wallet, kind, FIRST_EPOCH)

    async def _record(self, ceremony: str, command: key_ceremony.CeremonyCommand) -> None:
        await self._aggregates.record_ceremony(CeremonyId(ceremony), command)


def _of(verified: Verified, kind: type[S]) -> S:
    if not isinstance(verified.statement, kind):
        raise StatementRefused("a statement of another kind was expected")
    return verified.statement


def _kind(text: str) -> SignatureKind:
    try:
        return SignatureKind(text)
    except ValueError:
        raise NotYetPossible(f"this node does not know keys of kind {text[:40]!r}") from None
