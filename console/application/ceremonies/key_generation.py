"""KeyGenerationService: runs ceremonies, from the invitation to sealed, pending shares.

A key generation, a refresh, a repair and a reshare differ in the protocol only; the rest is
the same: accepted by all, run once, sealed as pending, compared, certified by all.
"""

import hashlib
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import Any

from console.application.aggregates import Aggregates
from console.application.ceremonies.certificates import joined_message
from console.application.ceremonies.epochs import Epochs
from console.application.errors import AdapterError
from console.application.peers.signed_statements import Verified
from console.application.peers.statements import (
    AnyStatement,
    CodeConfirmation,
    Invitation,
    SessionFailure,
)
from console.application.ports.clock import Clock
from console.application.ports.threshold import KeyGenerationPort, KeygenOutput, KeyMaterial
from console.application.ports.vault import IdentityPort
from console.application.sessions.protocol_session import (
    FailureKind,
    SessionFailed,
    SessionInfo,
    SubProtocol,
    concatenate,
)
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.domain import ceremony_commands, competing, key_ceremony
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    Expired,
    NotYetPossible,
    UnknownMember,
)
from console.domain.events import (
    CeremonyProposed,
    CeremonyShareSealed,
    GroupKey,
    KeyChangeProposed,
)
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.key_ceremony import KeyCeremony
from console.domain.short_code import short_code
from console.domain.text import printable
from console.domain.values import MAX_REASON, CeremonyPurpose, SignatureKind
from console.domain.wallet import Wallet
from console.protocols.kernel.party import Party
from console.protocols.keygen.repair import RepairParameters
from console.protocols.keygen.reshare import ReshareParameters
from console.protocols.keygen.share import KeyShare, decode_public, encode_public

PURPOSE = "key-ceremony"
_NEVER = 1 << 30

Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
Keys = tuple[tuple[SignatureKind, KeygenOutput], ...]


class KeyGenerationService:
    """Judges invitations to ceremonies, runs the protocols, and seals what they make."""

    name = PURPOSE
    release_round = _NEVER
    # A setup of DKLs23 computes for about a second a round with five parties.
    patience = 4.0

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        epochs: Epochs,
        schemes: Mapping[SignatureKind, KeyGenerationPort],
        identity: IdentityPort,
        verdicts: Verdicts,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._epochs = epochs
        self._schemes = schemes
        self._identity = identity
        self._verdicts = verdicts
        self._clock = clock
        self._publish = publish
        self._in_use: dict[SessionId, dict[SignatureKind, KeyMaterial]] = {}

    async def confirm_code(self, ceremony_id: CeremonyId, code: str) -> None:
        """Certify the sealed keys after the operator compared the code.

        Raises: Conflict if the code is not the one on record; NotYetPossible; Expired.
        """
        async with self._epochs.certifying(ceremony_id):
            sealed = self._confirmable(ceremony_id, code)
            await self._require_sealed(self._aggregates.ceremony(ceremony_id))
            signature = await self._identity.sign(sealed.certificate_message)
            # Others may have cancelled it meanwhile.
            self._confirmable(ceremony_id, code)
            await self._publish(
                CodeConfirmation(
                    at_ms=self._clock.now_ms(),
                    ceremony=ceremony_id,
                    session=sealed.session,
                    certificate_signature=signature,
                )
            )

    def _confirmable(self, ceremony_id: CeremonyId, code: str) -> CeremonyShareSealed:
        """Return what is certified by this code. Raises: NotYetPossible, Conflict, Expired."""
        ceremony = self._aggregates.ceremony(ceremony_id)
        if ceremony.aborts or ceremony.disputed or ceremony.sealed is None:
            raise NotYetPossible("there is no code to confirm in this ceremony")
        if code != ceremony.sealed.code:
            raise Conflict("the code on the screen is not the one of this ceremony")
        competing.require_certifiable(self._me, ceremony, self._wallet(ceremony), self._known())
        if self._clock.now_ms() >= ceremony.proposal.expires_at_ms:
            raise Expired("the ceremony's time is over; close it and propose it again")
        return ceremony.sealed

    # A session, as `SessionHandler`

    def terms(self, subject: str) -> bytes:
        """Return the digest of the proposal that participants accept, 32 bytes."""
        proposal = self._aggregates.ceremony(CeremonyId(subject)).proposal
        return hashlib.sha256(proposal.evidence.body).digest()

    async def admit(self, invitation: Invitation, coordinator: MemberId) -> None:
        """Judge an invitation by this member's own ledger. Raises: DomainError."""
        ceremony = self._aggregates.ceremony(CeremonyId(invitation.subject))
        if coordinator != ceremony.proposal.proposer:
            raise UnknownMember("a ceremony's sessions are led by the member who proposed it")
        if set(invitation.participants) != set(ceremony.participants):
            raise Conflict("a ceremony needs exactly those who take part in it")
        if not ceremony.has_all_acceptances:
            raise NotYetPossible("not everybody who takes part has accepted")
        if ceremony.sealed and ceremony.has_confirmed(self._me):
            raise AlreadyDecided(
                "this member has certified the keys of an earlier session; cancel the ceremony "
                "and propose it again if the others cannot confirm"
            )
        if ceremony.state in key_ceremony.OVER:
            raise AlreadyDecided("the ceremony is over")
        competing.require_current(ceremony, self._wallet(ceremony))
        competing.require_alone(self._me, ceremony, self._known())
        proposal = ceremony.proposal
        if not isinstance(proposal, CeremonyProposed) and self._brings(proposal):
            for kind in proposal.kinds:
                await self._shares.require(proposal.wallet, kind, proposal.from_epoch)
        if ceremony.sealed:
            session = ceremony.sealed.session
            await self._report_failure(ceremony, session, "a new session was started instead")

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the participants' share indices."""
        return self._aggregates.ceremony(CeremonyId(invitation.subject)).indices

    def parts(self, invitation: Invitation) -> tuple[SubProtocol, ...]:
        """Name the rounds of all kinds, in order."""
        ceremony = self._aggregates.ceremony(CeremonyId(invitation.subject))
        return concatenate(
            [
                SubProtocol(kind.label, self._schemes[kind].ceremony_rounds(ceremony.purpose))
                for kind in ceremony.proposal.kinds
            ]
        )

    async def open(self, info: SessionInfo) -> Callable[[Party], Coroutine[Any, Any, Keys]]:
        """Record that this member takes part, open its shares, and return the protocol to run."""
        ceremony_id = CeremonyId(info.subject)
        await self._record(
            ceremony_id, ceremony_commands.StartSession(info.session, self._clock.now_ms())
        )
        ceremony = self._aggregates.ceremony(ceremony_id)
        proposal = ceremony.proposal
        digest = hashlib.sha256(proposal.evidence.body).digest()
        try:
            held = await self._unseal(ceremony)
        except AdapterError as trouble:
            await self.failed(info, SessionFailed(FailureKind.REFUSED, str(trouble)))
            raise
        self._in_use[info.session] = held
        wallet = self._aggregates.wallets.get(proposal.wallet)

        async def run(party: Party) -> Keys:
            # One after the other: a protocol session is not concurrent with itself.
            made: list[tuple[SignatureKind, KeygenOutput]] = []
            with ExitStack() as dropped:
                for kind in proposal.kinds:
                    context = digest + kind.value.encode()
                    ours = held[kind].share if kind in held else None
                    key = await self._make(party, ceremony, wallet, kind, ours, context)
                    if key.held is not None:
                        dropped.callback(key.held.wipe)
                    made.append((kind, key))
                dropped.pop_all()
            return tuple(made)

        return run

    async def releasing(self, info: SessionInfo) -> None:
        """Not used: nothing of a ceremony can be used up."""

    async def succeeded(self, info: SessionInfo, outcome: Keys) -> None:
        """Seal every share, then record what was sealed and the code to compare."""
        self._wipe(info.session)
        ceremony = self._aggregates.ceremony(CeremonyId(info.subject))
        wallet, epoch = ceremony.proposal.wallet, ceremony.epoch
        with ExitStack() as dropped:
            for _, made in outcome:
                if made.held is not None:
                    dropped.callback(made.held.wipe)
            async with self._epochs.pending:
                # Another change may have been faster than this session.
                ceremony = self._aggregates.ceremony(CeremonyId(info.subject))
                competing.require_current(ceremony, self._wallet(ceremony))
                competing.require_alone(self._me, ceremony, self._known())
                for kind, made in outcome:
                    if made.held is not None:
                        # A share that a crash left under this label was never certified.
                        await self._shares.erase(wallet, kind, epoch)
                        await self._shares.seal(wallet, kind, epoch, made.held)
        keys = tuple((kind, made.public, made.transcript) for kind, made in outcome)
        message = joined_message(wallet, info.session, epoch, keys)
        await self._record(
            info.subject,
            ceremony_commands.SealShare(
                session=info.session,
                keys=tuple(
                    GroupKey(kind, public.group_key, encode_public(public))
                    for kind, public, _ in keys
                ),
                transcript=b"".join(transcript for _, _, transcript in keys),
                certificate_message=message,
                code=short_code(hashlib.sha256(message).digest()),
                at_ms=self._clock.now_ms(),
            ),
        )

    async def failed(self, info: SessionInfo, failure: SessionFailed) -> None:
        """Record the failure and tell the others, so that nobody waits for our certificate."""
        self._wipe(info.session)
        ceremony = self._aggregates.ceremony(CeremonyId(info.subject))
        # Pair states that a setup was making are gone with it: a ban has nothing to bind.
        await self._verdicts.record(info, failure)
        blamed = tuple(sorted(failure.blamed))
        await self._report_failure(ceremony, info.session, failure.reason, blamed)

    async def burn_interrupted(self) -> None:
        """After a restart: end the sessions that were under way; their secrets are gone."""
        for ceremony in tuple(self._aggregates.ceremonies.values()):
            if ceremony.running:
                session = ceremony.running.session
                await self._report_failure(ceremony, session, f"{self._me} was restarted")

    def forget(self) -> None:
        """Wipe every share in use: the node stops without the sessions' own endings."""
        for session in tuple(self._in_use):
            self._wipe(session)

    async def _make(
        self,
        party: Party,
        ceremony: KeyCeremony,
        wallet: Wallet | None,
        kind: SignatureKind,
        share: KeyShare | None,
        context: bytes,
    ) -> KeygenOutput:
        """Run the ceremony's protocol for one kind of key."""
        scheme, proposal, random = self._schemes[kind], ceremony.proposal, secrets.token_bytes
        if isinstance(proposal, CeremonyProposed):
            return await scheme.generate(party, proposal.quorum.threshold, context, random)
        if wallet is None:
            raise NotYetPossible("this wallet is not known here yet")
        public = decode_public(wallet.key(kind).package)
        match proposal.purpose:
            case CeremonyPurpose.REFRESH:
                if share is None:
                    raise NotYetPossible("this member has no share to refresh")
                return await scheme.refresh(party, share, context, random)
            case CeremonyPurpose.REPAIR:
                lost = proposal.quorum.index_of(proposal.repaired)
                helpers = tuple(i for i, _ in proposal.quorum.shares if i != lost)
                repairing = RepairParameters(public, lost, helpers, context)
                return await scheme.repair(party, repairing, share, random)
            case CeremonyPurpose.RESHARE | CeremonyPurpose.GENERATE:
                dealers = tuple(sorted(proposal.previous.index_of(m) for m in proposal.dealers))
                members = tuple(i for i, _ in proposal.quorum.shares)
                resharing = ReshareParameters(
                    public, dealers, members, proposal.quorum.threshold, context
                )
                return await scheme.reshare(party, resharing, share, random)

    async def _unseal(self, ceremony: KeyCeremony) -> dict[SignatureKind, KeyMaterial]:
        """Open the shares that this member brings; empty if it brings none."""
        proposal = ceremony.proposal
        if isinstance(proposal, CeremonyProposed) or not self._brings(proposal):
            return {}
        held: dict[SignatureKind, KeyMaterial] = {}
        try:
            for kind in proposal.kinds:
                held[kind] = await self._shares.unseal(proposal.wallet, kind, proposal.from_epoch)
        except AdapterError:
            for key in held.values():
                key.wipe()
            raise
        return held

    def _brings(self, proposal: KeyChangeProposed) -> bool:
        if proposal.purpose is CeremonyPurpose.RESHARE:
            return self._me in proposal.dealers
        return self._me != proposal.repaired

    async def _require_sealed(self, ceremony: KeyCeremony) -> None:
        """Check that every share can be opened before it is certified. Raises: NotYetPossible."""
        if self._me not in ceremony.quorum.custodians:
            return
        wallet: WalletId = ceremony.proposal.wallet
        for kind in ceremony.proposal.kinds:
            if not await self._shares.holds(wallet, kind, ceremony.epoch):
                raise NotYetPossible("this member's share is not in its vault; cancel the ceremony")

    async def _report_failure(
        self,
        ceremony: KeyCeremony,
        session: SessionId,
        reason: str,
        blamed: tuple[MemberId, ...] = (),
    ) -> None:
        await self._publish(
            SessionFailure(
                at_ms=self._clock.now_ms(),
                subject=ceremony.proposal.ceremony,
                session=session,
                # It may quote a peer, and others refuse what cannot be shown plainly.
                reason=printable(reason or key_ceremony.UNEXPLAINED, MAX_REASON),
                blamed=blamed,
            )
        )
        # Only now: whether an event of ours was recorded is not known when the ledger fails, and a
        # share that is on record must not be missing. It may also be sealed without its event.
        if self._aggregates.ceremony(ceremony.proposal.ceremony).sealed is None:
            await self._epochs.discard(ceremony)

    def _wipe(self, session: SessionId) -> None:
        for key in self._in_use.pop(session, {}).values():
            key.wipe()

    def _wallet(self, ceremony: KeyCeremony) -> Wallet | None:
        return self._aggregates.wallets.get(ceremony.proposal.wallet)

    def _known(self) -> tuple[KeyCeremony, ...]:
        return tuple(self._aggregates.ceremonies.values())

    async def _record(self, ceremony: str, command: ceremony_commands.CeremonyCommand) -> None:
        await self._aggregates.record_ceremony(CeremonyId(ceremony), command)
