"""Operators' commands: check the input, sign a statement, record and publish it."""

import hashlib
import secrets

from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    CancelCeremony,
    ConfirmCeremonyCode,
    DeclineCeremony,
    DenyRequest,
    ExportLedger,
    FundFromFaucet,
    Lock,
    Outcome,
    ProposeCeremony,
    ProposeTransfer,
    RetrySigning,
    Unlock,
    VerifyLedger,
    WithdrawRequest,
)
from console.application.node import Node
from console.application.peers.statements import (
    MAX_SIGNATURES,
    AnyStatement,
    Approval,
    CeremonyAcceptance,
    CeremonyCancellation,
    CeremonyProposal,
    CeremonyRefusal,
    Denial,
    TransferProposal,
    Withdrawal,
)
from console.application.queries.ceremonies import wallet_names
from console.application.queries.transfer import find_asset
from console.domain import ceremony_decisions, competing, request_decisions
from console.domain.ceremony_decisions import require_open
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    NotYetPossible,
    PolicyViolation,
)
from console.domain.ids import CeremonyId, RequestId, WalletId, ceremony_id, request_id, wallet_id
from console.domain.names import alike, proper_name
from console.domain.policy import may_approve
from console.domain.text import plain_text
from console.domain.times import MAX_LIFETIME_MS
from console.domain.values import MAX_REASON, Chain, Network

MIN_EXPIRY_S, MAX_EXPIRY_S = 300, MAX_LIFETIME_MS // 1000
_FAUCET_UNITS = 1_000
MAX_REQUEST_BYTES = 244 * 1024
"""Bytes that fit into one proposal beside the rest of a request."""
_REFUSALS = CeremonyCancellation | CeremonyRefusal | Denial | Withdrawal
"""What stops something is never held back, whatever a clock shows."""
MAX_FEE = (1 << 63) - 1
"""The largest fee, in base units, that a statement can carry."""


class OperatorActions:
    """One method a command."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def unlock(self, command: Unlock) -> Outcome:
        """Open the vault and the ledger."""
        try:
            await self._node.unlock(command.pin, clock_is_right=command.clock_is_right)
        finally:
            command.pin.wipe()
        return Outcome(self._node.me, "Unlocked")

    async def lock(self, _command: Lock) -> Outcome:
        """Close them."""
        await self._node.lock()
        return Outcome(self._node.me, "Locked")

    async def propose_ceremony(self, command: ProposeCeremony) -> Outcome:
        """Propose a key generation and accept it as its proposer."""
        name = proper_name(command.wallet_name, "a wallet's name")
        aggregates, now = self._node.core.aggregates, self._now_ms()
        taken = alike(name, wallet_names(aggregates, now))
        if taken:
            raise Conflict(f"a wallet or an open ceremony is named {taken!r} already")
        if self._node.me not in command.custodians:
            raise PolicyViolation("you can only propose wallets of which you hold a share")
        ceremony = ceremony_id(secrets.token_bytes(8))
        proposal = CeremonyProposal(
            at_ms=now,
            ceremony=ceremony,
            wallet=wallet_id(secrets.token_bytes(8)),
            wallet_name=name,
            kinds=command.kinds,
            threshold=command.threshold,
            custodians=command.custodians,
            approvals_needed=command.approvals_needed,
            expires_at_ms=now + 1000 * expiry_s(command.expires_in_s),
        )
        self._node.core.exchange.require_clock()
        verified = await self._node.core.exchange.publish(proposal)
        await self._publish(
            CeremonyAcceptance(at_ms=now, ceremony=ceremony, proposal=verified.digest)
        )
        return Outcome(ceremony, "Proposed")

    async def accept_ceremony(self, command: AcceptCeremony) -> Outcome:
        """Accept exactly the proposal on record."""
        aggregates = self._node.core.aggregates
        ceremony = aggregates.ceremony(CeremonyId(command.ceremony))
        require_open(ceremony)
        competing.require_acceptable(
            self._node.me,
            ceremony,
            aggregates.wallets.get(ceremony.proposal.wallet),
            aggregates.ceremonies.values(),
            self._now_ms(),
        )
        digest = hashlib.sha256(ceremony.proposal.evidence.body).digest()
        await self._publish(
            CeremonyAcceptance(
                at_ms=self._now_ms(), ceremony=ceremony.proposal.ceremony, proposal=digest
            )
        )
        return Outcome(command.ceremony, "Accepted")

    async def decline_ceremony(self, command: DeclineCeremony) -> Outcome:
        """Decline it, with a reason."""
        reason = plain_text(command.reason, MAX_REASON, "a reason")
        ceremony = self._node.core.aggregates.ceremony(CeremonyId(command.ceremony))
        ceremony_decisions.require_undecided(ceremony, self._node.me)
        await self._publish(
            CeremonyRefusal(at_ms=self._now_ms(), ceremony=command.ceremony, reason=reason)
        )
        return Outcome(command.ceremony, "Declined")

    async def confirm_code(self, command: ConfirmCeremonyCode) -> Outcome:
        """Certify the keys after comparing the code."""
        core = self._node.core
        await core.key_generation.confirm_code(CeremonyId(command.ceremony), command.code)
        return Outcome(command.ceremony, "Confirmed")

    async def cancel_ceremony(self, command: CancelCeremony) -> Outcome:
        """Cancel it, with a reason."""
        reason = plain_text(command.reason, MAX_REASON, "a reason")
        require_open(self._node.core.aggregates.ceremony(CeremonyId(command.ceremony)))
        await self._publish(
            CeremonyCancellation(at_ms=self._now_ms(), ceremony=command.ceremony, reason=reason)
        )
        return Outcome(command.ceremony, "Cancelled")

    async def propose_transfer(self, command: ProposeTransfer) -> Outcome:
        """Freeze the bytes that the preview showed into a request."""
        core = self._node.core
        wallet = core.aggregates.wallet(WalletId(command.wallet))
        adapter = core.transactions.chain(_chain(command.chain))
        note = plain_text(command.note, MAX_REASON, "a note") if command.note else ""
        account = core.transactions.account_at(adapter.chain, command.account)
        if len(command.transaction) > MAX_REQUEST_BYTES:
            raise PolicyViolation(f"a request has at most {MAX_REQUEST_BYTES} bytes to be signed")
        keys = core.transactions.keys(wallet)
        description = adapter.describe(command.transaction, keys)
        if description.fee.base_units > MAX_FEE:
            raise PolicyViolation("its fee is larger than any that is ever paid")
        if len(adapter.payloads(command.transaction, keys)) > MAX_SIGNATURES:
            raise PolicyViolation(f"a request needs at most {MAX_SIGNATURES} signatures: split it")
        core.reservations.require_unheld(wallet.wallet, adapter.chain, command.transaction)
        request, now = request_id(secrets.token_bytes(8)), self._now_ms()
        await self._publish(
            TransferProposal(
                at_ms=now,
                request=request,
                wallet=wallet.wallet,
                epoch=wallet.epoch,
                kind=account.kind.value,
                chain=adapter.chain.value,
                network=adapter.network.value,
                path=account.path,
                transaction=command.transaction,
                fee_ceiling=description.fee.base_units,
                note=note,
                policy_version=wallet.policy.version,
                nonce=secrets.token_bytes(16),
                expires_at_ms=now + 1000 * expiry_s(command.expires_in_s),
            )
        )
        return Outcome(request, "Approval requested")

    async def approve(self, command: ApproveRequest) -> Outcome:
        """Sign the intent that the operator saw, after the PIN was proven again."""
        try:
            core = self._node.core
            request = core.aggregates.request(RequestId(command.request))
            proposal = request.proposal
            if proposal.intent_digest.hex() != command.digest:
                raise Conflict("the request on the screen is not the one on record; open it again")
            blocked = may_approve(request.policy, self._node.me, proposal.proposer)
            if blocked:
                raise PolicyViolation(blocked)
            request_decisions.require_undecided(request, self._now_ms())
            core.transactions.judge(proposal, core.aggregates.wallet(proposal.wallet))
            core.reservations.require_first(request)
            await self._node.ports.vault.verify_pin(command.pin)
        finally:
            command.pin.wipe()
        await self._publish(
            Approval(
                at_ms=self._now_ms(),
                request=proposal.request,
                intent_digest=proposal.intent_digest,
            )
        )
        return Outcome(command.request, "Approved")

    async def deny(self, command: DenyRequest) -> Outcome:
        """Deny it, with a reason."""
        reason = plain_text(command.reason, MAX_REASON, "a reason")
        self._require_undecided(command.request)
        await self._publish(Denial(at_ms=self._now_ms(), request=command.request, reason=reason))
        return Outcome(command.request, "Denied")

    async def withdraw(self, command: WithdrawRequest) -> Outcome:
        """Withdraw one's own request."""
        self._require_undecided(command.request)
        await self._publish(Withdrawal(at_ms=self._now_ms(), request=command.request))
        return Outcome(command.request, "Withdrawn")

    async def retry(self, command: RetrySigning) -> Outcome:
        """Lead a fresh attempt from this node; of what is signed, ask its chain now."""
        core = self._node.core
        request = core.aggregates.request(RequestId(command.request))
        if request.signatures:
            core.broadcast_saga.try_now(request.proposal.request)
            return Outcome(command.request, "Asking the chain")
        if not request.has_quorum:
            raise NotYetPossible("the approvals are not complete")
        if any(not run.ended.is_set() for run in core.host.of_subject(command.request)):
            raise AlreadyDecided("an attempt is under way")
        await core.signing_saga.retry(request.proposal.request)
        return Outcome(command.request, "Trying again")

    async def fund(self, command: FundFromFaucet) -> Outcome:
        """Ask a devnet's faucet for coins."""
        core = self._node.core
        adapter = core.transactions.chain(_chain(command.chain))
        if adapter.network is not Network.DEVNET:
            raise PolicyViolation("only a devnet has a faucet")
        asset = find_asset(adapter, command.asset)
        decimals = asset.decimals if asset else adapter.decimals
        if not 0 < command.base_units <= _FAUCET_UNITS * 10**decimals:
            raise PolicyViolation("the faucet does not give that much")
        wallet = core.aggregates.wallet(WalletId(command.wallet))
        account = core.transactions.account_at(adapter.chain, command.account)
        address = adapter.address(account, core.transactions.keys(wallet))
        await adapter.request_faucet(address, command.base_units, command.asset)
        await core.balances.refresh(wallet.wallet)
        return Outcome(command.wallet, "Funded")

    async def verify_ledger(self, _command: VerifyLedger) -> Outcome:
        """Recompute the whole chain."""
        report = await self._node.verify_ledger()
        return Outcome(str(report.head.sequence), f"Verified 1 to {report.head.sequence}")

    async def export_ledger(self, command: ExportLedger) -> Outcome:
        """Write the ledger, or some of its records, to a file that anyone can verify."""
        core = self._node.core
        head, chosen = await core.store.head(), tuple(sorted(set(command.records)))
        if chosen and chosen[-1] > head.sequence:
            raise NotYetPossible(f"this ledger has {head.sequence} records so far")
        name = f"ledger-{head.sequence}.jsonl"
        if chosen:
            name = f"{_named(chosen)}-of-{head.sequence}.jsonl"
        path = await core.ports.export_ledger(core.store, name, chosen)
        return Outcome(path, f"Exported to {path}")

    async def _publish(self, statement: AnyStatement) -> None:
        if not isinstance(statement, _REFUSALS):
            self._node.core.exchange.require_clock()
        await self._node.core.exchange.publish(statement)

    def _require_undecided(self, request: str) -> None:
        known = self._node.core.aggregates.request(RequestId(request))
        request_decisions.require_undecided(known, self._now_ms())

    def _now_ms(self) -> int:
        return self._node.ports.clock.now_ms()


def expiry_s(seconds: int) -> int:
    """Check the time that people have to decide. Raises: PolicyViolation."""
    if not MIN_EXPIRY_S <= seconds <= MAX_EXPIRY_S:
        raise PolicyViolation("the time to decide is between 5 minutes and 7 days")
    return seconds


def _chain(text: str) -> Chain:
    try:
        return Chain(text)
    except ValueError:
        raise NotYetPossible(f"this node has no connection to {text[:40]!r}") from None


def _named(records: tuple[int, ...]) -> str:
    """Return a name for these records, and for no others."""
    if len(records) == 1:
        return f"record-{records[0]}"
    digest = hashlib.sha256(",".join(map(str, records)).encode()).hexdigest()[:8]
    return f"records-{records[0]}-to-{records[-1]}-{digest}"
