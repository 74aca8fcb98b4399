"""Commands about shares and machines, turned into statements and sessions."""

import secrets

from console.application.actions.operators import expiry_s
from console.application.commands import (
    ApproveMachine,
    Outcome,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    RunDrill,
)
from console.application.node import Node
from console.application.peers.machines import Machine, read_entry, waiting
from console.application.peers.statements import CeremonyAcceptance, KeyChangeProposal
from console.domain import competing
from console.domain.errors import Conflict, NotYetPossible, PolicyViolation
from console.domain.ids import MemberId, WalletId, ceremony_id
from console.domain.values import CeremonyPurpose, Quorum
from console.domain.wallet import Wallet
from console.protocols.kernel.secret import SecretBytes

_NOBODY = MemberId("")


class LifecycleActions:
    """Carries out the commands of the Recovery screen."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def propose_refresh(self, command: ProposeRefresh) -> Outcome:
        """Propose new shares for the same custodians."""
        wallet = self._wallet(command.wallet)
        return await self._propose(
            wallet, CeremonyPurpose.REFRESH, wallet.quorum, command.expires_in_s
        )

    async def propose_repair(self, command: ProposeRepair) -> Outcome:
        """Propose to give a custodian its share again."""
        wallet = self._wallet(command.wallet)
        repaired = MemberId(command.member)
        wallet.quorum.index_of(repaired)
        return await self._propose(
            wallet, CeremonyPurpose.REPAIR, wallet.quorum, command.expires_in_s, repaired=repaired
        )

    async def propose_reshare(self, command: ProposeReshare) -> Outcome:
        """Propose to reshare the keys to other custodians."""
        wallet = self._wallet(command.wallet)
        members = self._node.core.aggregates.members
        custodians = tuple(MemberId(m) for m in command.custodians)
        unknown = [m for m in custodians if m not in members]
        if unknown:
            raise NotYetPossible(f"{', '.join(unknown)} must be admitted as members first")
        dealers = tuple(MemberId(m) for m in command.dealers or wallet.quorum.custodians)
        return await self._propose(
            wallet,
            CeremonyPurpose.RESHARE,
            wallet.quorum.resharing(command.threshold, custodians),
            command.expires_in_s,
            dealers=dealers,
            approvals_needed=command.approvals_needed,
        )

    async def run_drill(self, command: RunDrill) -> Outcome:
        """Run drills until every custodian has proved its share."""
        wallet = self._wallet(command.wallet)
        await self._node.core.drill_saga.run(wallet.wallet)
        return Outcome(command.wallet, "All custodians proved their shares")

    async def propose_machine(self, command: ProposeMachine) -> Outcome:
        """Endorse a machine as the first to do so."""
        try:
            machine = read_entry(command.entry)
            self._node.core.machines.judge(machine)
            await self._endorse(machine, command.pin)
        finally:
            command.pin.wipe()
        return Outcome(machine.member, "Endorsed")

    async def approve_machine(self, command: ApproveMachine) -> Outcome:
        """Endorse exactly the machine on the screen."""
        try:
            found = [
                v
                for v in waiting(self._node.core.aggregates, MemberId(command.member))
                if v.digest.hex() == command.digest
            ]
            if not found:
                raise Conflict("the machine on the screen is not the one on record; look again")
            endorsed = found[0]
            machine = Machine(
                endorsed.member,
                endorsed.display_name,
                endorsed.address,
                endorsed.identity_key,
                endorsed.certificate,
            )
            await self._endorse(machine, command.pin)
        finally:
            command.pin.wipe()
        return Outcome(command.member, "Endorsed")

    async def _endorse(self, machine: Machine, pin: SecretBytes) -> None:
        await self._node.ports.vault.verify_pin(pin)
        await self._node.core.machines.endorse(machine, self._node.ports.clock.now_ms())

    async def _propose(
        self,
        wallet: Wallet,
        purpose: CeremonyPurpose,
        quorum: Quorum,
        expires_in_s: int,
        *,
        dealers: tuple[MemberId, ...] = (),
        repaired: MemberId = _NOBODY,
        approvals_needed: int | None = None,
    ) -> Outcome:
        """Propose a change of shares, and accept it as its proposer."""
        core, now = self._node.core, self._node.ports.clock.now_ms()
        if self._node.me not in {*quorum.custodians, *dealers}:
            raise PolicyViolation("you can only propose ceremonies in which you take part")
        others = [
            c for c in core.aggregates.ceremonies.values() if c.proposal.wallet == wallet.wallet
        ]
        if any(competing.is_open(c, wallet, now) for c in others):
            raise Conflict("another ceremony of this wallet is open; finish or cancel it first")
        ceremony = ceremony_id(secrets.token_bytes(8))
        proposal = KeyChangeProposal(
            at_ms=now,
            ceremony=ceremony,
            wallet=wallet.wallet,
            purpose=purpose.value,
            from_epoch=wallet.epoch,
            # A failed ceremony has used its epoch up.
            epoch=max(wallet.epoch, *(c.epoch for c in others)) + 1,
            threshold=quorum.threshold,
            custodians=quorum.custodians,
            dealers=dealers,
            repaired=repaired,
            approvals_needed=(
                wallet.policy.approvals_needed if approvals_needed is None else approvals_needed
            ),
            expires_at_ms=now + 1000 * expiry_s(expires_in_s),
        )
        verified = await core.exchange.publish(proposal)
        await core.exchange.publish(
            CeremonyAcceptance(at_ms=now, ceremony=ceremony, proposal=verified.digest)
        )
        return Outcome(ceremony, "Proposed")

    def _wallet(self, text: str) -> Wallet:
        return self._node.core.aggregates.wallet(WalletId(text))
