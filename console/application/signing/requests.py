"""The records of requests: what members have signed, judged before it enters the ledger."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from console.application.aggregates import Aggregates
from console.application.peers.signed_statements import StatementRefused, Verified
from console.application.peers.statements import (
    Approval,
    Denial,
    SignatureResult,
    TransferProposal,
    Withdrawal,
)
from console.application.ports.clock import Clock
from console.application.ports.threshold import SignatureInvalid, ThresholdSigner
from console.application.signing.transactions import Transactions
from console.domain import request_commands
from console.domain.errors import NotYetPossible
from console.domain.events import RequestProposed
from console.domain.ids import MemberId, RequestId, SessionId, WalletId
from console.domain.key_ceremony import CeremonyState
from console.domain.quotas import Counted
from console.domain.times import require_lifetime
from console.domain.values import Chain, Network, SignatureKind

E = TypeVar("E", bound=StrEnum)


class RequestRecords:
    """Turns members' statements about requests into events of this member's ledger."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        transactions: Transactions,
        schemes: Mapping[SignatureKind, ThresholdSigner],
        clock: Clock,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._transactions = transactions
        self._schemes = schemes
        self._clock = clock

    async def on_proposal(self, verified: Verified) -> None:
        """Record a request whose bytes this member can decode and whose fields agree with them.

        A second text under the same id, signed by the same member, is kept as proof against it.
        """
        s = verified.expect(TransferProposal)
        if RequestId(s.request) in self._aggregates.requests:
            dispute = request_commands.Dispute(s.at_ms, verified.evidence)
            await self.record(s.request, dispute)
            return
        require_lifetime(s.at_ms, s.expires_at_ms)
        self._aggregates.quotas.require(verified.signer, Counted.REQUEST, s.at_ms)
        wallet = self._aggregates.wallet(WalletId(s.wallet))
        proposal = RequestProposed(
            request=RequestId(s.request),
            wallet=wallet.wallet,
            epoch=s.epoch,
            kind=_one_of(SignatureKind, s.kind),
            chain=_one_of(Chain, s.chain),
            network=_one_of(Network, s.network),
            path=s.path,
            transaction=s.transaction,
            fee_ceiling=s.fee_ceiling,
            note=s.note,
            policy_version=s.policy_version,
            proposer=verified.signer,
            proposed_at_ms=s.at_ms,
            expires_at_ms=s.expires_at_ms,
            intent_digest=verified.digest,
            evidence=verified.evidence,
        )
        self._transactions.judge_record(proposal, wallet)
        await self.record(proposal.request, request_commands.Propose(proposal))

    async def on_approval(self, verified: Verified) -> None:
        """Record an approval of exactly the intent that this member has."""
        s = verified.expect(Approval)
        await self.record(
            s.request,
            request_commands.Approve(
                member=verified.signer,
                intent_digest=s.intent_digest,
                at_ms=s.at_ms,
                evidence=verified.evidence,
            ),
        )

    async def on_denial(self, verified: Verified) -> None:
        """Record that a custodian denied the request: of its epoch, or of a later one.

        Raises: NotYetPossible if no certificate known here makes the member a custodian.
        """
        s = verified.expect(Denial)
        request = self._aggregates.request(RequestId(s.request))
        later = verified.signer in self._later_custodians(request.proposal)
        if not later and verified.signer not in request.policy.quorum.custodians:
            # It may have become one: ledgers learn of epochs and of denials in any order.
            raise NotYetPossible(f"{verified.signer} is not known here as a custodian")
        command = request_commands.Deny(
            member=verified.signer,
            reason=s.reason,
            at_ms=s.at_ms,
            evidence=verified.evidence,
            is_later_custodian=later,
        )
        await self.record(s.request, command)

    async def on_withdrawal(self, verified: Verified) -> None:
        """Record that the proposer withdrew the request."""
        s = verified.expect(Withdrawal)
        command = request_commands.Withdraw(verified.signer, s.at_ms, verified.evidence)
        await self.record(s.request, command)

    async def on_signature(self, verified: Verified) -> None:
        """Record finished signatures from any custodian, verified here under the group keys.

        Raises: StatementRefused, NotYetPossible, TransactionError.
        """
        s = verified.expect(SignatureResult)
        proposal = self._aggregates.request(RequestId(s.request)).proposal
        payloads = self._transactions.payloads(proposal)
        if len(s.signatures) != len(payloads):
            raise StatementRefused("a signature is missing or one too many")
        keys = self._transactions.keys(self._aggregates.wallet(proposal.wallet))
        try:
            for payload, signature in zip(payloads, s.signatures, strict=True):
                public_key = keys.public_key(payload.kind, payload.path)
                self._schemes[payload.kind].verify(public_key, payload.message, signature)
        except SignatureInvalid:
            raise StatementRefused("a signature does not verify under the group key") from None
        signed = self._transactions.chain(proposal.chain).attach(
            proposal.transaction, s.signatures, keys
        )
        await self.record(
            proposal.request,
            request_commands.RecordSignature(
                session=SessionId(s.session),
                signers=tuple(MemberId(m) for m in s.signers),
                signatures=s.signatures,
                signed_transaction=signed.transaction,
                transaction_id=signed.transaction_id,
                at_ms=self._clock.now_ms(),
                evidence=verified.evidence,
            ),
        )

    async def burn_interrupted(self) -> None:
        """After a restart: end the sessions that were under way; their nonces are gone."""
        for request in tuple(self._aggregates.requests.values()):
            if request.running:
                await self.record(
                    request.proposal.request,
                    request_commands.FailSession(
                        session=request.running.session,
                        reason=f"{self._me} was restarted",
                        unreachable=(),
                        blamed=(),
                        at_ms=self._clock.now_ms(),
                    ),
                )

    def _later_custodians(self, proposal: RequestProposed) -> frozenset[MemberId]:
        """Return the custodians of all epochs that were certified after a request's."""
        return frozenset(
            member
            for ceremony in self._aggregates.ceremonies.values()
            if ceremony.proposal.wallet == proposal.wallet
            and ceremony.epoch > proposal.epoch
            and ceremony.state is CeremonyState.CERTIFIED
            for member in ceremony.quorum.custodians
        )

    async def record(self, request: str, command: request_commands.RequestCommand) -> None:
        """Decide a command and append its events. Raises: DomainError, LedgerError."""
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
