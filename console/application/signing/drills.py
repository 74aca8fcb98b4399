"""Drills: custodians prove that they can still sign, with a message that is no transaction.

A drill needs no approvals, because nobody chooses what is signed: the text names the wallet, the
kind, the epoch, the session, whose id no single member chooses, and who takes part in it. Each
member signs only the names of those in its own session, so the signatures prove them, whoever
passes them on.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.peers.signed_statements import StatementRefused, Verified
from console.application.peers.statements import (
    AnyStatement,
    DrillResult,
    Invitation,
)
from console.application.ports.clock import Clock
from console.application.ports.threshold import KeyMaterial, SignatureInvalid, ThresholdSigner
from console.application.sessions.protocol_session import (
    FailureKind,
    SessionFailed,
    SessionInfo,
    SubProtocol,
    concatenate,
)
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.domain import wallet
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import DrillPassed
from console.domain.ids import MemberId, SessionId, WalletId
from console.domain.values import SignatureKind
from console.domain.wallet import Wallet
from console.protocols.kernel.party import Party
from console.protocols.keygen.share import decode_public

PURPOSE = "drill"
_MASTER = "m"
_NEVER = 1 << 30

Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
Signatures = tuple[bytes, ...]


def drill_subject(state: Wallet) -> str:
    """Return the subject of a drill: wallet and epoch, so that epochs never mix in a session."""
    return f"{state.wallet}@{state.epoch}"


def drill_message(
    kind: SignatureKind,
    wallet_id: WalletId,
    epoch: int,
    session: SessionId,
    signers: Collection[MemberId],
) -> bytes:
    """Return the 32 bytes that are signed in a drill.

    They hash bytes that no transaction begins with: 0xff is no version of a Solana message, no
    type of an Ethereum transaction, and no BIP 340 tag.
    """
    names = ",".join(sorted(signers))
    text = f"quorate drill/v1 {wallet_id} {kind.value} epoch {epoch} {session} {names}"
    return hashlib.sha256(b"\xff" + text.encode()).digest()


class DrillService:
    """Judges invitations to drills, signs, and records results that verify."""

    name = PURPOSE
    release_round = _NEVER
    patience = 1.0

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        schemes: Mapping[SignatureKind, ThresholdSigner],
        verdicts: Verdicts,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._schemes = schemes
        self._verdicts = verdicts
        self._clock = clock
        self._publish = publish
        self._in_use: dict[SessionId, tuple[Wallet, dict[SignatureKind, KeyMaterial]]] = {}

    async def on_result(self, verified: Verified) -> None:
        """Record a drill whose signatures verify, under the group keys, for these signers.

        Raises: StatementRefused, NotYetPossible, Conflict.
        """
        s = verified.expect(DrillResult)
        state = self._aggregates.wallet(WalletId(s.wallet))
        if len(s.signatures) != len(state.keys):
            raise StatementRefused("a drill has one signature of each key")
        session, signers = SessionId(s.session), tuple(MemberId(m) for m in s.signers)
        for key, signature in zip(state.keys, s.signatures, strict=True):
            scheme = self._schemes[key.kind]
            public_key = scheme.public_key(decode_public(key.package), _MASTER)
            message = drill_message(key.kind, state.wallet, s.epoch, session, signers)
            try:
                scheme.verify(public_key, message, signature)
            except SignatureInvalid:
                raise StatementRefused("a drill's signature does not verify") from None
        drill = DrillPassed(
            wallet=state.wallet,
            epoch=s.epoch,
            session=session,
            signers=signers,
            signatures=s.signatures,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        await self._aggregates.record_wallet(state.wallet, wallet.RecordDrill(drill))

    # A session, as `SessionHandler`

    def terms(self, subject: str) -> bytes:
        """Return a digest of the subject, 32 bytes: it names wallet and epoch, all there is."""
        return hashlib.sha256(subject.encode()).digest()

    async def admit(self, invitation: Invitation, coordinator: MemberId) -> None:
        """Judge an invitation by this member's own ledger. Raises: DomainError."""
        state = self._wallet(invitation.subject)
        custodians, invited = set(state.quorum.custodians), set(invitation.participants)
        if coordinator not in custodians or not invited <= custodians:
            raise UnknownMember("only custodians of the wallet take part in its drills")
        if len(invited) != state.quorum.threshold:
            raise Conflict(f"a drill needs exactly {state.quorum.threshold} custodians")
        participants = frozenset(MemberId(member) for member in invited)
        self._verdicts.require_usable(state.wallet, state.epoch, participants - {self._me})
        for kind in state.kinds:
            await self._shares.require(state.wallet, kind, state.epoch)

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the share indices of the signers."""
        quorum = self._wallet(invitation.subject).quorum
        return {MemberId(m): quorum.index_of(MemberId(m)) for m in invitation.participants}

    def parts(self, invitation: Invitation) -> tuple[SubProtocol, ...]:
        """Name the rounds of all kinds, in order."""
        kinds = self._wallet(invitation.subject).kinds
        return concatenate(
            [SubProtocol(kind.label, self._schemes[kind].signing_rounds) for kind in kinds]
        )

    async def open(self, info: SessionInfo) -> Callable[[Party], Coroutine[Any, Any, Signatures]]:
        """Open this member's shares and return the protocol to run. Raises: HsmError."""
        state = self._wallet(info.subject)
        held: dict[SignatureKind, KeyMaterial] = {}
        self._in_use[info.session] = (state, held)
        try:
            for kind in state.kinds:
                held[kind] = await self._shares.unseal(state.wallet, kind, state.epoch)
        except AdapterError as trouble:
            await self.failed(info, SessionFailed(FailureKind.REFUSED, str(trouble)))
            raise

        async def run(party: Party) -> Signatures:
            signatures = [
                await self._schemes[kind].sign(
                    party,
                    held[kind],
                    _MASTER,
                    drill_message(kind, state.wallet, state.epoch, info.session, info.participants),
                    secrets.token_bytes,
                )
                for kind in state.kinds
            ]
            return tuple(signatures)

        return run

    async def releasing(self, info: SessionInfo) -> None:
        """Not used: a drill's nonces live and die with its session, which is never resumed."""

    async def succeeded(self, info: SessionInfo, outcome: Signatures) -> None:
        """Wipe the shares; the leader publishes the result."""
        state = self._wipe(info.session)
        if state and info.coordinator == self._me:
            await self._publish(
                DrillResult(
                    at_ms=self._clock.now_ms(),
                    wallet=state.wallet,
                    epoch=state.epoch,
                    session=info.session,
                    signers=info.participants,
                    signatures=outcome,
                )
            )

    async def failed(self, info: SessionInfo, failure: SessionFailed) -> None:
        """Record a verdict, and destroy pair states with banned members."""
        state, held = self._in_use.get(info.session, (None, {}))
        try:
            if state:
                await self._verdicts.record(info, failure, state.wallet, state.epoch)
                peers = {info.indices[member] for member in failure.blamed}
                for kind, key in held.items():
                    await self._verdicts.destroy(self._schemes[kind], state, key, failure, peers)
        finally:
            self._wipe(info.session)

    def forget(self) -> None:
        """Wipe every share in use: the node stops and sessions do not end by themselves."""
        for session in tuple(self._in_use):
            self._wipe(session)

    def _wallet(self, subject: str) -> Wallet:
        """Return the wallet of a subject, in the epoch that it names. Raises: NotYetPossible."""
        state = self._aggregates.wallet(WalletId(subject.partition("@")[0]))
        if subject != drill_subject(state):
            raise NotYetPossible("the drill is for another epoch than the one here")
        return state

    def _wipe(self, session: SessionId) -> Wallet | None:
        state, held = self._in_use.pop(session, (None, {}))
        for key in held.values():
            key.wipe()
        return state
