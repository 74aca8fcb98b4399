"""SigningCoordinator: invitations to sign judged, shares used, verdicts recorded.

Every custodian decides for itself from the bytes: the description, the policy, the approvals and
the epoch. Nothing that the leader of a session says is taken on trust.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.peers.signed_statements import Verified
from console.application.peers.statements import (
    AnyStatement,
    Invitation,
    SignatureResult,
)
from console.application.ports.chain import Payload
from console.application.ports.clock import Clock
from console.application.ports.threshold import KeyMaterial, ThresholdSigner
from console.application.sessions.host import SUPERSEDED
from console.application.sessions.protocol_session import (
    FailureKind,
    SessionFailed,
    SessionInfo,
    SubProtocol,
    concatenate,
)
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.application.signing.requests import RequestRecords
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain import request_commands
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    Expired,
    NotYetPossible,
    PolicyViolation,
    UnknownMember,
)
from console.domain.ids import MemberId, RequestId, SessionId
from console.domain.signing_request import UNSIGNED
from console.domain.values import SignatureKind
from console.protocols.kernel.party import Party

PURPOSE = "signing"
MAX_SUPERSEDED = 12
"""Sessions of one request that one coordinator may end here by starting others. It is twice what
the saga tries by itself; an operator who tries again and again may do so through another member."""

Signatures = tuple[bytes, ...]
Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]


class SigningCoordinator:
    """This member's side of every signing session."""

    name = PURPOSE
    patience = 1.0

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        schemes: Mapping[SignatureKind, ThresholdSigner],
        transactions: Transactions,
        requests: RequestRecords,
        reservations: Reservations,
        verdicts: Verdicts,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._schemes = schemes
        self._transactions = transactions
        self._requests = requests
        self._reservations = reservations
        self._verdicts = verdicts
        self._clock = clock
        self._publish = publish
        self._in_use: dict[SessionId, dict[SignatureKind, KeyMaterial]] = {}
        self._releasing = asyncio.Lock()
        self.release_round = min((s.release_round for s in schemes.values()), default=1)

    def terms(self, subject: str) -> bytes:
        """Return the digest of the intent that approvals sign, 32 bytes."""
        return self._aggregates.request(RequestId(subject)).proposal.intent_digest

    async def admit(self, invitation: Invitation, coordinator: MemberId) -> None:
        """Judge an invitation by this member's own ledger and decoding. Raises: DomainError."""
        request = self._aggregates.request(RequestId(invitation.subject))
        proposal = request.proposal
        wallet = self._aggregates.wallet(proposal.wallet)
        custodians = set(wallet.quorum.custodians)
        if coordinator not in custodians or not set(invitation.participants) <= custodians:
            raise UnknownMember("only custodians of the wallet sign for it")
        if len(set(invitation.participants)) != wallet.quorum.threshold:
            raise Conflict(f"a signature needs exactly {wallet.quorum.threshold} signers")
        if request.state not in UNSIGNED:
            raise AlreadyDecided(f"the request is {request.state.value}")
        if self._clock.now_ms() >= proposal.expires_at_ms:
            raise Expired("the request has expired; propose it again")
        if not request.has_quorum:
            raise NotYetPossible("the approvals are not complete here")
        ended = sum(
            a.coordinator == coordinator and a.failure == SUPERSEDED for a in request.attempts
        )
        if ended >= MAX_SUPERSEDED:
            raise PolicyViolation(
                f"{coordinator} has ended {ended} sessions of this request by starting others; "
                "another custodian leads it"
            )
        others = frozenset(MemberId(m) for m in invitation.participants) - {self._me}
        self._verdicts.require_usable(wallet.wallet, wallet.epoch, others)
        self._reservations.require_first(request)
        self._transactions.judge(proposal, wallet)
        for kind in self._kinds(self._transactions.payloads(proposal)):
            await self._shares.require(wallet.wallet, kind, wallet.epoch)

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the signers' share indices."""
        request = self._aggregates.request(RequestId(invitation.subject))
        quorum = self._aggregates.wallet(request.proposal.wallet).quorum
        return {MemberId(m): quorum.index_of(MemberId(m)) for m in invitation.participants}

    def parts(self, invitation: Invitation) -> tuple[SubProtocol, ...]:
        """Name the rounds of every payload's kind."""
        request = self._aggregates.request(RequestId(invitation.subject))
        # One signature for each payload, one after the other.
        kinds = [payload.kind for payload in self._transactions.payloads(request.proposal)]
        return concatenate(
            [SubProtocol(kind.label, self._schemes[kind].signing_rounds) for kind in kinds]
        )

    async def open(self, info: SessionInfo) -> Callable[[Party], Coroutine[Any, Any, Signatures]]:
        """Record that this member takes part, open its share, and return the protocol to run."""
        request = self._aggregates.request(RequestId(info.subject))
        proposal = request.proposal
        await self._requests.record(
            proposal.request,
            request_commands.StartSession(
                session=info.session,
                signers=info.participants,
                coordinator=info.coordinator,
                at_ms=self._clock.now_ms(),
            ),
        )
        payloads = self._transactions.payloads(proposal)
        held = self._in_use.setdefault(info.session, {})
        try:
            for kind in self._kinds(payloads):
                held[kind] = await self._shares.unseal(proposal.wallet, kind, proposal.epoch)
        except AdapterError as trouble:
            await self.failed(info, SessionFailed(FailureKind.REFUSED, str(trouble)))
            raise

        async def run(party: Party) -> Signatures:
            # One after the other: a protocol session is not concurrent with itself.
            signatures = [
                await self._schemes[payload.kind].sign(
                    party, held[payload.kind], payload.path, payload.message, secrets.token_bytes
                )
                for payload in payloads
            ]
            return tuple(signatures)

        return run

    async def releasing(self, info: SessionInfo) -> None:
        """Record that this session's nonces are consumed, and with them the coins of its request.

        Raises: AlreadyDecided, Conflict, Expired, NotYetPossible, PolicyViolation,
        UnknownTransaction, LedgerError.
        """
        # Two sessions may have been admitted before either released a share: only one may.
        async with self._releasing:
            request = self._aggregates.request(RequestId(info.subject))
            if request.is_outdated(self._aggregates.wallets[request.proposal.wallet].epoch):
                raise Conflict("the wallet's shares were changed meanwhile")
            self._reservations.require_first(request)
            self._verdicts.require_usable(
                request.proposal.wallet,
                request.proposal.epoch,
                frozenset(info.participants) - {self._me},
            )
            command = request_commands.ReleaseShare(info.session, self._clock.now_ms())
            await self._requests.record(info.subject, command)

    async def succeeded(self, info: SessionInfo, outcome: Signatures) -> None:
        """Wipe the shares; verify and record the signatures, and publish them."""
        self._wipe(info.session)
        await self._publish(
            SignatureResult(
                at_ms=self._clock.now_ms(),
                request=info.subject,
                session=info.session,
                signers=info.participants,
                signatures=outcome,
            )
        )

    async def failed(self, info: SessionInfo, failure: SessionFailed) -> None:
        """Record verdict and failure, and wipe the share; the nonces are burned either way."""
        held = self._in_use.get(info.session, {})
        try:
            await self._hold_to_account(info, failure, held)
        finally:
            self._wipe(info.session)
        await self._requests.record(
            info.subject,
            request_commands.FailSession(
                session=info.session,
                reason=failure.reason,
                unreachable=tuple(sorted(failure.unreachable)),
                blamed=tuple(sorted(failure.blamed)),
                at_ms=self._clock.now_ms(),
            ),
        )

    async def _hold_to_account(
        self, info: SessionInfo, failure: SessionFailed, held: Mapping[SignatureKind, KeyMaterial]
    ) -> None:
        proposal = self._aggregates.request(RequestId(info.subject)).proposal
        await self._verdicts.record(info, failure, proposal.wallet, proposal.epoch)
        wallet = self._aggregates.wallet(proposal.wallet)
        if wallet.epoch == proposal.epoch:
            peers = {info.indices[member] for member in failure.blamed}
            for kind, material in held.items():
                scheme = self._schemes[kind]
                await self._verdicts.destroy(scheme, wallet, material, failure, peers)

    def forget(self) -> None:
        """Wipe every share in use: the node stops and sessions do not end by themselves."""
        for session in tuple(self._in_use):
            self._wipe(session)

    def _wipe(self, session: SessionId) -> None:
        for material in self._in_use.pop(session, {}).values():
            material.wipe()

    @staticmethod
    def _kinds(payloads: Sequence[Payload]) -> tuple[SignatureKind, ...]:
        """Return the kinds of keys that are needed, each once."""
        return tuple(dict.fromkeys(payload.kind for payload in payloads))
