"""What three careful operators do: ceremony, comparison of codes, transfers and approvals."""

import asyncio
import contextlib
from dataclasses import dataclass

from solders.hash import Hash
from solders.keypair import Keypair

from console.application.api import CommandRefused
from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    Command,
    ConfirmCeremonyCode,
    ProposeCeremony,
    ProposeTransfer,
    RetrySigning,
)
from console.domain.ids import CeremonyId, MemberId, RequestId, WalletId
from console.domain.key_ceremony import CeremonyState, KeyCeremony
from console.domain.signing_request import RequestState
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from tests.fakes import solana_messages as codec
from tests.fakes.vault import DEFAULT_PIN
from tests.simulation.cluster import MEMBERS, SimulatedCluster

DESTINATION = str(Keypair.from_seed(bytes(range(32))).pubkey())
KIND = SignatureKind.EDDSA_ED25519


@dataclass(frozen=True)
class Operators:
    cluster: SimulatedCluster

    async def hold_ceremony(self, proposer: MemberId, name: str = "Treasury") -> WalletId:
        """Make a 2-of-3 wallet; returns once it is active everywhere."""
        return await self.carry_out(await self.propose(proposer, name), MEMBERS)

    async def change(
        self, proposer: MemberId, participants: tuple[MemberId, ...], command: Command
    ) -> WalletId:
        """Hold a ceremony that changes shares; returns once the new epoch is everywhere."""
        outcome = await self.cluster.command(proposer, lambda: command)
        return await self.carry_out(CeremonyId(outcome.subject), participants)

    async def carry_out(self, ceremony: CeremonyId, participants: tuple[MemberId, ...]) -> WalletId:
        """Accept, compare and confirm what was proposed."""
        await asyncio.gather(*(self.accept(m, ceremony) for m in participants))
        return await self.certify(ceremony, participants)

    async def certify(self, ceremony: CeremonyId, participants: tuple[MemberId, ...]) -> WalletId:
        """Compare and confirm what was accepted, once all have sealed their shares."""
        cluster = self.cluster
        await cluster.until(
            f"{ceremony} has one code", lambda: self.common_code(ceremony, participants)
        )
        await asyncio.gather(*(self.confirm(m, ceremony) for m in participants))
        return await cluster.until(
            f"{ceremony} is a wallet everywhere", lambda: self._common_wallet(ceremony)
        )

    async def quiet(self, wallet: WalletId) -> None:
        """Wait until what follows a ceremony by itself is over: certificate, drills, erasures."""
        await self.cluster.until(f"{wallet} is quiet", lambda: self._all_proved(wallet))

    async def transfer(
        self,
        proposer: MemberId,
        wallet: WalletId,
        lamports: int,
        approvers: tuple[MemberId, ...] | None = None,
    ) -> RequestId:
        """Ask for a transfer, approve it twice, and wait until all see it confirmed."""
        cluster = self.cluster
        cores = await cluster.until("all are ready", cluster.all_ready)
        key = cores[0].aggregates.wallet(wallet).key(KIND).public_key
        data = codec.build_transfer(key, DESTINATION, lamports, "", str(Hash.default()))
        outcome = await cluster.command(
            proposer,
            lambda: ProposeTransfer(
                wallet=wallet, chain="solana", transaction=data, expires_in_s=7200
            ),
        )
        request = RequestId(outcome.subject)
        others = approvers or tuple(m for m in MEMBERS if m != proposer)
        await asyncio.gather(*(self.approve(m, request) for m in others))
        nudge = asyncio.create_task(self._retry_now_and_then(proposer, request))
        try:
            await cluster.until(f"{request} is confirmed", lambda: self._confirmed(request))
        finally:
            nudge.cancel()
            await asyncio.wait({nudge})
        return request

    async def propose(self, proposer: MemberId, name: str) -> CeremonyId:
        """Propose, or find what was proposed before a crash kept the answer back."""
        command = ProposeCeremony(
            wallet_name=name,
            kinds=(KIND.value,),
            threshold=2,
            custodians=MEMBERS,
            approvals_needed=2,
            expires_in_s=3600,
        )
        try:
            outcome = await self.cluster.command(proposer, lambda: command)
        except CommandRefused as refused:
            if refused.code != "conflict":
                raise
            known = self.cluster.seats[proposer].core.aggregates.ceremonies.values()
            return next(c.proposal.ceremony for c in known if c.proposal.wallet_name == name)
        return CeremonyId(outcome.subject)

    async def accept(self, member: MemberId, ceremony: CeremonyId) -> None:
        await self._see_ceremony(member, ceremony)
        await self.cluster.command(member, lambda: AcceptCeremony(ceremony))

    async def confirm(self, member: MemberId, ceremony: CeremonyId) -> None:
        seen = await self._see_ceremony(member, ceremony)
        assert seen.sealed is not None
        code = seen.sealed.code
        await self.cluster.command(member, lambda: ConfirmCeremonyCode(ceremony, code))

    async def approve(self, member: MemberId, request: RequestId) -> None:
        def digest() -> str | None:
            for core in self.cluster.ready():
                if core.me == member and request in core.aggregates.requests:
                    return core.aggregates.request(request).proposal.intent_digest.hex()
            return None

        shown = await self.cluster.until(f"{member} sees {request}", digest)
        await self.cluster.command(
            member, lambda: ApproveRequest(request, shown, SecretBytes(DEFAULT_PIN))
        )

    async def _retry_now_and_then(self, member: MemberId, request: RequestId) -> None:
        """What an operator does when the automatic attempts are used up."""
        while True:
            await asyncio.sleep(60)
            with contextlib.suppress(CommandRefused):
                await self.cluster.command(member, lambda: RetrySigning(request))

    async def _see_ceremony(self, member: MemberId, ceremony: CeremonyId) -> KeyCeremony:
        def seen() -> KeyCeremony | None:
            for core in self.cluster.ready():
                if core.me == member:
                    return core.aggregates.ceremonies.get(ceremony)
            return None

        return await self.cluster.until(f"{member} sees {ceremony}", seen)

    def common_code(self, ceremony: CeremonyId, participants: tuple[MemberId, ...]) -> str | None:
        cores = [core for core in self.cluster.ready() if core.me in participants]
        if len(cores) != len(participants):
            return None
        states = [core.aggregates.ceremonies.get(ceremony) for core in cores]
        codes = {state.sealed.code if state and state.sealed else "" for state in states}
        return codes.pop() if len(codes) == 1 else None

    def _common_wallet(self, ceremony: CeremonyId) -> WalletId | None:
        cores = self.cluster.all_ready()
        if cores is None:
            return None
        states = [core.aggregates.ceremonies.get(ceremony) for core in cores]
        known = [s for s in states if s and s.state is CeremonyState.CERTIFIED]
        if len(known) != len(states):
            return None
        wallet, epoch = known[0].proposal.wallet, known[0].epoch
        wallets = (core.aggregates.wallets.get(wallet) for core in cores)
        return wallet if all(w and w.epoch >= epoch for w in wallets) else None

    def _all_proved(self, wallet: WalletId) -> bool:
        cores = self.cluster.all_ready()
        if not cores:
            return False
        for core in cores:
            state = core.aggregates.wallets.get(wallet)
            if state is None:
                return False
            proved = {m for d in state.drills if d.epoch == state.epoch for m in d.signers}
            newest = max(
                (c for c in core.aggregates.ceremonies.values() if c.proposal.wallet == wallet),
                key=lambda c: c.epoch,
            )
            erased = all(state.has_erased(m) for m in state.erasing)
            if proved != set(state.quorum.custodians) or not newest.certified or not erased:
                return False
        return True

    def _confirmed(self, request: RequestId) -> bool | None:
        cores = self.cluster.all_ready()
        # Who does not sign may hear of it last.
        known = [core.aggregates.requests.get(request) for core in cores or ()]
        return bool(known) and all(
            state is not None and state.state is RequestState.CONFIRMED for state in known
        )
