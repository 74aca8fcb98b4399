"""Operators without a window: what they do in a ceremony and a signing, through the client."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from solders.keypair import Keypair

from console.application.api import (
    CommandRefused,
    GetCeremony,
    GetLedger,
    GetRequest,
    GetWallets,
    PreviewTransfer,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    ConfirmCeremonyCode,
    FundFromFaucet,
    Pin,
    ProposeCeremony,
    ProposeTransfer,
    Unlock,
)
from console.application.views import CeremonyStage, LedgerRow, RequestStage
from console.client.remote import RemoteConsole
from console.demo.cluster import Cluster

KIND, CHAIN = "eddsa-ed25519", "solana"
FUNDS = 100_000_000_000
PATIENCE_S = 60
_POLL_S = 0.02
_SIGNED = {RequestStage.SIGNED, RequestStage.BROADCAST, RequestStage.CONFIRMED}

T = TypeVar("T")


@dataclass
class Operators:
    """Everybody of a running cluster, signed in."""

    cluster: Cluster
    consoles: dict[str, RemoteConsole] = field(default_factory=dict)

    async def sign_in(self) -> None:
        for member, state in self.cluster.members.items():
            console = await self.cluster.console(member)
            await console.execute(Unlock(pin=Pin(bytearray(state.pin.encode()))))
            self.consoles[member] = console

    async def close(self) -> None:
        for console in self.consoles.values():
            await console.close()

    @property
    def first(self) -> RemoteConsole:
        return next(iter(self.consoles.values()))

    async def make_wallet(self, name: str, threshold: int) -> str:
        """Run a ceremony from proposal to the active wallet; return the wallet."""
        proposal = ProposeCeremony(
            wallet_name=name,
            kinds=(KIND,),
            threshold=threshold,
            custodians=tuple(self.consoles),
            approvals_needed=threshold,
        )
        ceremony = (await self.first.execute(proposal)).subject
        for member, console in self.consoles.items():
            view = await self.until(lambda c=console: _known(c, ceremony))
            mine = next(c for c in view.custodians if c.member == member)
            if mine.accepted_ms is None:
                await console.execute(AcceptCeremony(ceremony=ceremony))
        for console in self.consoles.values():
            view = await self.until(
                lambda c=console: _known(c, ceremony, lambda v: v.can_confirm and v.code)
            )
            await console.execute(ConfirmCeremonyCode(ceremony=ceremony, code=view.code))
        view = await self.until(
            lambda: _known(self.first, ceremony, lambda v: v.stage is CeremonyStage.COMPLETED)
        )
        for console in self.consoles.values():
            await self.until(lambda c=console: _lists(c, view.wallet))
        return view.wallet

    async def fund(self, wallet: str) -> None:
        """Fill the wallet's account."""
        await self.first.execute(FundFromFaucet(wallet=wallet, chain=CHAIN, base_units=FUNDS))

    async def propose(self, wallet: str) -> str:
        """Ask for a transfer to somebody new; return the request."""
        preview = await self.first.ask(
            PreviewTransfer(
                wallet=wallet, chain=CHAIN, to_address=str(Keypair().pubkey()), amount="0.01"
            )
        )
        proposal = ProposeTransfer(wallet=wallet, chain=CHAIN, transaction=preview.transaction)
        return (await self.first.execute(proposal)).subject

    async def approve(self, request: str) -> None:
        """Let as many as are needed approve, one after the other."""
        for member, console in list(self.consoles.items())[1:]:
            view = await self.until(lambda c=console: _request(c, request))
            if view.approvals_done >= view.approvals_needed or view.stage in _SIGNED:
                return
            if not view.can_approve:
                continue
            pin = self.cluster.members[member].pin
            await console.execute(
                ApproveRequest(
                    request=request,
                    digest=view.intent_digest,
                    pin=Pin(bytearray(pin.encode())),
                )
            )

    async def signed(self, request: str) -> None:
        """Wait until the signature is on record with the first member."""
        await self.until(lambda: _request(self.first, request, lambda v: v.stage in _SIGNED))

    async def ledgers(self, request: str) -> list[LedgerRow]:
        """Return what all ledgers say of a request."""
        rows: list[LedgerRow] = []
        for console in self.consoles.values():
            page = await console.ask(GetLedger(limit=500))
            rows += [row for row in page.rows if request in row.stream]
        return rows

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """Look until there is something to see."""
        async with asyncio.timeout(PATIENCE_S):
            while (seen := await look()) is None:  # noqa: ASYNC110  the node is another process
                await asyncio.sleep(_POLL_S)
        return seen


async def _known(console, ceremony, fits=lambda _view: True):
    try:
        view = await console.ask(GetCeremony(ceremony=ceremony))
    except CommandRefused:
        return None
    return view if fits(view) else None


async def _request(console, request, fits=lambda _view: True):
    try:
        view = await console.ask(GetRequest(request=request))
    except CommandRefused:
        return None
    return view if fits(view) else None


async def _lists(console: RemoteConsole, wallet: str) -> bool | None:
    wallets = (await console.ask(GetWallets())).wallets
    return any(w.wallet == wallet for w in wallets) or None
