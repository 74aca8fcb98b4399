"""What operators do through the client, as bounded waits on conditions with clear failures."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from solders.keypair import Keypair

from console.application.api import (
    CommandRefused,
    GetCeremony,
    GetInbox,
    GetLedger,
    GetRequest,
    GetSession,
    GetWallet,
    NodeUnreachable,
    PreviewTransfer,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    ConfirmCeremonyCode,
    FundFromFaucet,
    ProposeCeremony,
    ProposeTransfer,
    Unlock,
)
from console.application.views import (
    CeremonyStage,
    CeremonyView,
    LedgerRow,
    NodeState,
    RequestStage,
    RequestView,
    SessionView,
)
from console.client.remote import RemoteConsole
from console.demo.cluster import Cluster
from console.protocols.kernel.secret import SecretBytes

KIND = "eddsa-ed25519"
CHAIN = "solana"
DESTINATION = str(Keypair.from_seed(bytes(range(32))).pubkey())
_POLL_S = 0.1
_PATIENCE_S = 45.0
_LEDGER_PAGE = 500

T = TypeVar("T")


class NotInTime(AssertionError):
    """A condition did not come true; says which, and what was seen last."""


async def until(
    what: str, look: Callable[[], Awaitable[T | None]], patience_s: float = _PATIENCE_S
) -> T:
    """Poll until `look` returns something. A node that is away or locked is polled again."""
    end = time.monotonic() + patience_s
    trouble: Exception | None = None
    while time.monotonic() < end:
        try:
            found = await look()
        except (CommandRefused, NodeUnreachable) as error:
            trouble, found = error, None
        else:
            trouble = None
        if found:
            return found
        await asyncio.sleep(_POLL_S)
    raise NotInTime(f"{what}: not within {patience_s:.0f} s ({trouble!r})")


@dataclass(frozen=True)
class Office:
    """A cluster with its operators; consoles are connected once and kept."""

    cluster: Cluster
    consoles: dict[str, RemoteConsole]

    @classmethod
    async def open(cls, cluster: Cluster) -> "Office":
        """Connect to every member's node, whether it runs or not."""
        return cls(cluster, {m: await cluster.console(m) for m in cluster.members})

    async def close(self) -> None:
        for console in self.consoles.values():
            await console.close()
        await self.cluster.stop()

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.cluster.members)

    async def session(self, member: str) -> SessionView:
        return await self.consoles[member].ask(GetSession())

    async def unlock(self, member: str) -> None:
        """Give the right PIN. Raises: CommandRefused."""
        pin = SecretBytes(self.cluster.members[member].pin.encode())
        await self.consoles[member].execute(Unlock(pin))

    async def start(self, member: str, fail_at: str = "") -> None:
        """Start a node, with a fault point if given, and unlock it."""
        await self.cluster.start_node(member, fail_at=fail_at)

        async def unlocked() -> bool:
            await self.unlock(member)
            return True

        await until(f"{member} unlocks", unlocked)

    async def restart(self, member: str, fail_at: str = "") -> None:
        """Kill a node and start it anew."""
        await self.cluster.kill_node(member)
        await self.start(member, fail_at)

    async def all_ready(self) -> None:
        """Start what is down, unlock what is locked, and wait until all see each other."""
        for member, state in self.cluster.members.items():
            if not state.alive:
                await self.start(member)
            elif (await self.session(member)).state is not NodeState.READY:
                await self.unlock(member)
        for member in self.members:
            await until(f"{member} sees the others", lambda m=member: self._sees_all(m))

    async def _sees_all(self, member: str) -> bool:
        seen = (await self.session(member)).members
        return all(peer.able or peer.is_me for peer in seen)

    async def died(self, member: str, point: str) -> None:
        """Wait until the process of a node with a fault point has ended."""
        process = self.cluster.members[member].process
        assert process is not None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await process.wait()
        except TimeoutError:
            raise NotInTime(f"{member} did not reach {point}") from None

    # Ceremony

    async def propose_ceremony(self, proposer: str, name: str, threshold: int = 2) -> str:
        outcome = await self.consoles[proposer].execute(
            ProposeCeremony(
                wallet_name=name,
                kinds=(KIND,),
                threshold=threshold,
                custodians=self.members,
                approvals_needed=2,
                expires_in_s=3600,
            )
        )
        return outcome.subject

    async def accept_ceremony(self, member: str, ceremony: str) -> None:
        async def accepted() -> bool:
            await self.consoles[member].execute(AcceptCeremony(ceremony))
            return True

        await until(f"{member} accepts {ceremony}", accepted)

    async def ceremony(self, member: str, ceremony: str) -> CeremonyView:
        return await self.consoles[member].ask(GetCeremony(ceremony))

    async def compare_and_confirm(self, ceremony: str) -> str:
        """Wait for one code on all screens and confirm it everywhere; return the wallet."""
        code = await until(f"{ceremony} shows one code", lambda: self.common_code(ceremony))
        for member in self.members:
            await self.consoles[member].execute(ConfirmCeremonyCode(ceremony, code))
        return await self.completed(ceremony)

    async def completed(self, ceremony: str) -> str:
        """Wait until the wallet is there for all; return its id."""
        for member in self.members:
            await until(
                f"{member} has completed {ceremony}",
                lambda m=member: self.in_stage(m, ceremony, CeremonyStage.COMPLETED),
            )
        return (await self.ceremony(self.members[0], ceremony)).wallet

    async def hold_ceremony(self, name: str, threshold: int = 2) -> str:
        """Make a wallet of all members, proposed by the first."""
        proposer, *others = self.members
        ceremony = await self.propose_ceremony(proposer, name, threshold)
        for member in others:
            await self.accept_ceremony(member, ceremony)
        return await self.compare_and_confirm(ceremony)

    async def common_code(self, ceremony: str) -> str | None:
        views = [await self.ceremony(m, ceremony) for m in self.members]
        codes = {view.code for view in views}
        comparing = all(view.stage is CeremonyStage.COMPARING for view in views)
        return codes.pop() if comparing and len(codes) == 1 else None

    async def in_stage(self, member: str, ceremony: str, stage: CeremonyStage) -> bool:
        return (await self.ceremony(member, ceremony)).stage is stage

    # Transfer

    async def fund(self, wallet: str, lamports: int = 5_000_000_000) -> None:
        await self.consoles[self.members[0]].execute(
            FundFromFaucet(wallet=wallet, chain=CHAIN, base_units=lamports)
        )

    async def propose_transfer(self, proposer: str, wallet: str, amount: str) -> str:
        console = self.consoles[proposer]
        preview = await console.ask(
            PreviewTransfer(wallet=wallet, chain=CHAIN, to_address=DESTINATION, amount=amount)
        )
        assert not preview.problems, preview.problems
        outcome = await console.execute(
            ProposeTransfer(wallet=wallet, chain=CHAIN, transaction=preview.transaction)
        )
        return outcome.subject

    async def approve(self, member: str, request: str) -> None:
        shown = await until(f"{member} sees {request}", lambda: self.request(member, request))
        pin = SecretBytes(self.cluster.members[member].pin.encode())
        await self.consoles[member].execute(ApproveRequest(request, shown.intent_digest, pin))

    async def request(self, member: str, request: str) -> RequestView:
        return await self.consoles[member].ask(GetRequest(request))

    async def confirmed(self, request: str) -> None:
        """Wait until every member sees the transfer confirmed."""
        for member in self.members:
            await until(
                f"{member} sees {request} confirmed",
                lambda m=member: self._is_confirmed(m, request),
            )

    async def transfer(self, wallet: str, amount: str = "0.001") -> str:
        """Propose as the first member, approve as the others, wait for the confirmation."""
        proposer, *others = self.members
        request = await self.propose_transfer(proposer, wallet, amount)
        for member in others:
            await self.approve(member, request)
        await self.confirmed(request)
        return request

    async def _is_confirmed(self, member: str, request: str) -> bool:
        return (await self.request(member, request)).stage is RequestStage.CONFIRMED

    async def inbox_size(self, member: str) -> int:
        return len((await self.consoles[member].ask(GetInbox())).rows)

    async def balance(self, member: str, wallet: str) -> int | None:
        view = await self.consoles[member].ask(GetWallet(wallet, refresh=True))
        known = next(a for a in view.accounts if a.chain == CHAIN).balance_base_units
        return int(known) if known else None

    # Ledger

    async def ledger(self, member: str) -> dict[int, LedgerRow]:
        """Return all records that a member's node shows, by sequence."""
        rows: dict[int, LedgerRow] = {}
        before = 0
        while True:
            page = await self.consoles[member].ask(GetLedger(before, _LEDGER_PAGE))
            rows |= {row.sequence: row for row in page.rows}
            if not page.rows or min(rows) == 1:
                return rows
            before = min(rows)


def require_kept(before: dict[int, LedgerRow], after: dict[int, LedgerRow]) -> None:
    """Check that every record which was shown before is there still, unchanged."""
    lost = [s for s, row in before.items() if s not in after or after[s].hash != row.hash]
    assert not lost, f"records {lost} were acknowledged and are gone"
