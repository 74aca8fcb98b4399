"""SigningCoordinator: approvals on record, invitations judged, shares used, signatures verified.

Every custodian decides for itself from the bytes: the description, the policy, the approvals and
the epoch. Nothing that a coordinator says is taken on trust.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError
from console.application.peers.statements import (
    AnyStatement,
    Approval,
    Denial,
    Invitation,
    SignatureResult,
    StatementRefused,
    TransferProposal,
    Verified,
    Withdrawal,
)
from console.application.ports.chain import Account, ChainAdapter, Payload
from console.application.ports.clock import MAX_CLOCK_SKEW_MS, Clock
from console.application.ports.threshold import HeldKey, SignatureInvalid, ThresholdSigner
from console.application.sessions.protocol_session import (
    Outage,
    Part,
    RunFailed,
    RunInfo,
    one_after_the_other,
)
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.application.signing.reservations import Reservations
from console.application.signing.wallet_keys import WalletKeys
from console.domain import request_commands
from console.domain.errors import AlreadyDecided, Conflict, Expired, NotYetPossible, UnknownMember
from console.domain.events import RequestProposed
from console.domain.ids import MemberId, RequestId, SessionId, WalletId
from console.domain.policy import RuleResult, enforce, evaluate
from console.domain.signing_request import UNSIGNED
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network, SignatureKind
from console.domain.wallet import Wallet
from console.protocols.kernel.party import Party

PURPOSE = "signing"

Signatures = tuple[bytes, ...]
Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
E = TypeVar("E", bound=StrEnum)


class SigningCoordinator:
    """This member's side of every signing request."""

    name = PURPOSE
    patience = 1.0

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        shares: ShareManager,
        schemes: Mapping[SignatureKind, ThresholdSigner],
        chains: Mapping[Chain, ChainAdapter],
        reservations: Reservations,
        verdicts: Verdicts,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._schemes = schemes
        self._chains = chains
        self._reservations = reservations
        self._verdicts = verdicts
        self._clock = clock
        self._publish = publish
        self._in_use: dict[SessionId, HeldKey] = {}
        self._keys: dict[WalletId, tuple[int, WalletKeys]] = {}
        self._releasing = asyncio.Lock()
        self.release_round = min((s.release_round for s in schemes.values()), default=1)

    # What members have signed

    async def on_proposal(self, verified: Verified) -> None:
        """Record a request whose bytes this member can decode and whose facts are right."""
        s = verified.expect(TransferProposal)
        wallet = self._aggregates.wallet(WalletId(s.wallet))
        proposal = RequestProposed(
            RequestId(s.request),
            wallet.wallet,
            s.epoch,
            _one_of(SignatureKind, s.signature_kind),
            _one_of(Chain, s.chain),
            _one_of(Network, s.network),
            s.path,
            s.transaction,
            s.fee_ceiling,
            s.note,
            s.policy_version,
            verified.signer,
            s.at_ms,
            s.expires_at_ms,
            verified.digest,
            verified.evidence,
        )
        self.judge(proposal, wallet)
        await self._record(proposal.request, request_commands.Propose(proposal))

    async def on_approval(self, verified: Verified) -> None:
        """Record an approval of exactly the intent that this member has."""
        s = verified.expect(Approval)
        if s.at_ms > self._clock.now_ms() + MAX_CLOCK_SKEW_MS:
            raise NotYetPossible("an approval from the future: somebody's clock is wrong")
        await self._record(
            s.request,
            request_commands.Approve(verified.signer, s.intent_digest, s.at_ms, verified.evidence),
        )

    async def on_denial(self, verified: Verified) -> None:
        """Record that a custodian denied the request."""
        s = verified.expect(Denial)
        command = request_commands.Deny(verified.signer, s.reason, s.at_ms, verified.evidence)
        await self._record(s.request, command)

    async def on_withdrawal(self, verified: Verified) -> None:
        """Record that the proposer withdrew the request."""
        s = verified.expect(Withdrawal)
        command = request_commands.Withdraw(verified.signer, s.at_ms, verified.evidence)
        await self._record(s.request, command)

    async def on_signature(self, verified: Verified) -> None:
        """Take finished signatures from any custodian: verified here, by the group key, or refused.

        Raises: StatementRefused, NotYetPossible, TransactionError.
        """
        s = verified.expect(SignatureResult)
        proposal = self._aggregates.request(RequestId(s.request)).proposal
        payloads = self.payloads(proposal)
        if len(s.signatures) != len(payloads):
            raise StatementRefused("a signature is missing or one too many")
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        try:
            for payload, signature in zip(payloads, s.signatures, strict=True):
                public_key = keys.public_key(payload.kind, payload.path)
                self._schemes[payload.kind].verify(public_key, payload.message, signature)
        except SignatureInvalid:
            raise StatementRefused("a signature does not verify under the group key") from None
        signed = self.chain(proposal.chain).attach(proposal.transaction, s.signatures, keys)
        await self._record(
            proposal.request,
            request_commands.RecordSignature(
                SessionId(s.session),
                tuple(MemberId(m) for m in s.signers),
                s.signatures,
                signed.transaction,
                signed.transaction_id,
                self._clock.now_ms(),
                verified.evidence,
            ),
        )

    # What the bytes say

    def describe(self, proposal: RequestProposed) -> TransactionDescription:
        """Decode a request's bytes. Raises: UnknownTransaction, NotYetPossible."""
        adapter = self.chain(proposal.chain)
        if proposal.network is not adapter.network:
            # Bytes may not name their network: they would be shown as this node's.
            place = f"{proposal.chain.value} {proposal.network.value}"
            raise NotYetPossible(f"this node has no connection to {place}")
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        return adapter.describe(proposal.transaction, keys)

    def rules(self, proposal: RequestProposed, wallet: Wallet) -> tuple[RuleResult, ...]:
        """Evaluate this member's own copy of the policy on the decoded bytes."""
        account = self.account(proposal)
        address = self.chain(proposal.chain).address(account, self.keys(wallet))
        return evaluate(
            self.describe(proposal), own_address=address, fee_ceiling=proposal.fee_ceiling
        )

    def judge(self, proposal: RequestProposed, wallet: Wallet) -> None:
        """Check a proposal's facts against the bytes and this member's view of the wallet.

        Raises: Conflict, NotYetPossible, PolicyViolation, UnknownTransaction.
        """
        adapter = self.chain(proposal.chain)
        if proposal.network is not adapter.network:
            raise Conflict(
                f"the request is for {proposal.network.value}, this node is on "
                f"{adapter.network.value}"
            )
        if proposal.epoch != wallet.epoch:
            raise Conflict("the request was made for another epoch of the wallet's keys")
        self.account(proposal)
        keys = self.keys(wallet)
        for payload in adapter.payloads(proposal.transaction, keys):
            if payload.kind is not proposal.kind:
                raise Conflict("the request names another key than its bytes need")
            keys.public_key(payload.kind, payload.path)
            if self._schemes[payload.kind].message_size not in {None, len(payload.message)}:
                raise Conflict("what is to be signed has the wrong size for this kind of key")
        enforce(self.rules(proposal, wallet))

    def account_at(self, chain: Chain, path: str) -> Account:
        """Return a chain's account by its path, the first one for "". Raises: NotYetPossible."""
        for account in self.chain(chain).accounts:
            if path in {"", account.path}:
                return account
        raise NotYetPossible(f"{chain.value} has no account at {path[:80]!r}")

    def chain(self, chain: Chain) -> ChainAdapter:
        """Raises: NotYetPossible."""
        try:
            return self._chains[chain]
        except KeyError:
            raise NotYetPossible(f"this node has no connection to {chain.value}") from None

    def payloads(self, proposal: RequestProposed) -> tuple[Payload, ...]:
        """Return what must be signed, derived from the bytes."""
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        return self.chain(proposal.chain).payloads(proposal.transaction, keys)

    def keys(self, wallet: Wallet) -> WalletKeys:
        """Return a wallet's public keys at any path; the same object for one epoch."""
        known = self._keys.get(wallet.wallet)
        if known is None or known[0] != wallet.epoch:
            known = self._keys[wallet.wallet] = (wallet.epoch, WalletKeys(wallet, self._schemes))
        return known[1]

    def account(self, proposal: RequestProposed) -> Account:
        """Return the account that a request pays from. Raises: Conflict."""
        for account in self.chain(proposal.chain).accounts:
            if (account.kind, account.path) == (proposal.kind, proposal.path):
                return account
        raise Conflict("the request names an account that its chain does not have")

    # A run, as `RunKind`

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
            raise Expired("the request has expired; make it again")
        if not request.has_quorum:
            raise NotYetPossible("the approvals are not complete here")
        others = frozenset(MemberId(m) for m in invitation.participants) - {self._me}
        self._verdicts.require_usable(wallet.wallet, wallet.epoch, others)
        self._reservations.require_first(request)
        await self._shares.require(wallet.wallet, proposal.kind, wallet.epoch)
        self.judge(proposal, wallet)

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        """Return the signers' share indices."""
        request = self._aggregates.request(RequestId(invitation.subject))
        quorum = self._aggregates.wallet(request.proposal.wallet).quorum
        return {MemberId(m): quorum.index_of(MemberId(m)) for m in invitation.participants}

    def parts(self, invitation: Invitation) -> tuple[Part, ...]:
        """Name the rounds of the request's kind."""
        request = self._aggregates.request(RequestId(invitation.subject))
        kind = request.proposal.kind
        rounds = self._schemes[kind].signing_rounds
        # One signature for each payload, one after the other.
        many = len(self.payloads(request.proposal))
        return one_after_the_other([Part(kind.label, rounds)] * many)

    async def open(self, info: RunInfo) -> Callable[[Party], Coroutine[Any, Any, Signatures]]:
        """Record that this member takes part, open its share, and return the protocol to run."""
        request = self._aggregates.request(RequestId(info.subject))
        proposal = request.proposal
        await self._record(
            proposal.request,
            request_commands.StartSession(
                info.session, info.participants, info.coordinator, self._clock.now_ms()
            ),
        )
        scheme = self._schemes[proposal.kind]
        payloads = self.payloads(proposal)
        try:
            held = await self._shares.unseal(proposal.wallet, proposal.kind, proposal.epoch)
        except AdapterError as trouble:
            await self.failed(info, RunFailed(Outage.REFUSED, str(trouble)))
            raise
        self._in_use[info.session] = held

        async def run(party: Party) -> Signatures:
            # One after the other: a protocol run is not concurrent with itself.
            signatures = [
                await scheme.sign(party, held, payload.path, payload.message, secrets.token_bytes)
                for payload in payloads
            ]
            return tuple(signatures)

        return run

    async def releasing(self, info: RunInfo) -> None:
        """Record that this run's nonces are used up, and with them the coins of its request.

        Raises: AlreadyDecided, Conflict, NotYetPossible, UnknownTransaction, LedgerError.
        """
        # Two runs may have been admitted before either gave a share: only one of them may.
        async with self._releasing:
            self._reservations.require_first(self._aggregates.request(RequestId(info.subject)))
            command = request_commands.ReleaseShare(info.session, self._clock.now_ms())
            await self._record(info.subject, command)

    async def succeeded(self, info: RunInfo, outcome: Signatures) -> None:
        """Wipe the share; verify and record the signatures, and give them to the others."""
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

    async def failed(self, info: RunInfo, failure: RunFailed) -> None:
        """Record verdict and failure, and wipe the share; the nonces are burned either way."""
        held = self._in_use.get(info.session)
        try:
            await self._hold_to_account(info, failure, held)
        finally:
            self._wipe(info.session)
        await self._record(
            info.subject,
            request_commands.FailSession(
                info.session,
                failure.reason,
                tuple(sorted(failure.unreachable)),
                tuple(sorted(failure.blamed)),
                self._clock.now_ms(),
            ),
        )

    async def _hold_to_account(
        self, info: RunInfo, failure: RunFailed, held: HeldKey | None
    ) -> None:
        proposal = self._aggregates.request(RequestId(info.subject)).proposal
        await self._verdicts.record(info, failure, proposal.wallet, proposal.epoch)
        wallet = self._aggregates.wallet(proposal.wallet)
        if held is not None and wallet.epoch == proposal.epoch:
            peers = {info.indices[member] for member in failure.blamed}
            scheme = self._schemes[proposal.kind]
            await self._verdicts.destroy(scheme, wallet, held, failure, peers)

    async def burn_interrupted(self) -> None:
        """After a restart: end the sessions that were under way; their nonces are gone."""
        for request in tuple(self._aggregates.requests.values()):
            if request.running:
                await self._record(
                    request.proposal.request,
                    request_commands.FailSession(
                        request.running.session,
                        f"{self._me} was restarted",
                        (),
                        (),
                        self._clock.now_ms(),
                    ),
                )

    def forget(self) -> None:
        """Wipe every share in use: the node stops without the runs' own endings."""
        for session in tuple(self._in_use):
            self._wipe(session)

    def _wipe(self, session: SessionId) -> None:
        held = self._in_use.pop(session, None)
        if held:
            held.wipe()

    async def _record(self, request: str, command: request_commands.RequestCommand) -> None:
        match command:
            case request_commands.Propose(proposal):
                wallet_id = proposal.wallet
            case _:
                wallet_id = self._aggregates.request(RequestId(request)).proposal.wallet
        await self._aggregates.record_request(RequestId(request), wallet_id, command)


def _one_of(known: type[E], text: str) -> E:
    try:
        return known(text)
    except ValueError:
        raise NotYetPossible(f"this node does not know {text!r}") from None
