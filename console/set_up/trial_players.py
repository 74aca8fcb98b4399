"""The members of a demonstration that nobody sits at: they agree to what the first member asks.

They use the same client as a window does. Each compares what its own node decodes with what the
first member's node shows, as two people would by telephone, and agrees to nothing else.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog

from console.application.api import (
    CommandRefused,
    Console,
    GetCeremonies,
    GetInbox,
    GetRequest,
    GetSession,
    GetWallets,
    NodeUnreachable,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    ConfirmCeremonyCode,
    FundFromFaucet,
    Unlock,
)
from console.application.views import AccountView, CeremonyView, NodeState, RequestView
from console.client import Profile, connect
from console.protocols.kernel.secret import SecretBytes

log = structlog.get_logger(__name__)

PAUSE_S = 1.0
GIFT = 5
"""Coins, and units of each token, that an empty account of a new wallet gets."""
_ZERO = frozenset({"", "0"})


@dataclass(slots=True)
class Player:
    """Plays one member. With `funds`, it also asks the devnet's faucet for new wallets."""

    profile: Profile
    digits: str = field(repr=False)
    first: Profile
    funds: bool = False
    funded: set[tuple[str, str, str, str]] = field(default_factory=set)
    """What was asked of the faucet: (wallet, chain, account, token)."""

    async def run(self) -> None:
        """Play until cancelled; what cannot be done now is tried again."""
        while True:
            with contextlib.suppress(NodeUnreachable, CommandRefused):
                own, first = await connect(self.profile), await connect(self.first)
                try:
                    while True:
                        await self.play_once(own, first)
                        await asyncio.sleep(PAUSE_S)
                finally:
                    await own.close()
                    await first.close()
            await asyncio.sleep(PAUSE_S)

    async def play_once(self, own: Console, first: Console) -> None:
        """Do what waits for this member. Raises: NodeUnreachable, CommandRefused."""
        session = await own.ask(GetSession())
        if session.state is NodeState.LOCKED:
            await own.execute(Unlock(self._pin()))
        elif session.state is NodeState.READY:
            await self._ceremonies(own, first)
            await self._requests(own, first)
            if self.funds:
                await self._fund(own)

    async def _ceremonies(self, own: Console, first: Console) -> None:
        for ceremony in (await own.ask(GetCeremonies())).ceremonies:
            if ceremony.can_accept and ceremony.proposer == self.first.member:
                await own.execute(AcceptCeremony(ceremony.ceremony))
                log.info("ceremony accepted", member=self.profile.member)
            elif ceremony.can_confirm and await self._same_code(ceremony, first):
                await own.execute(ConfirmCeremonyCode(ceremony.ceremony, ceremony.code))
                log.info("code confirmed", member=self.profile.member)

    async def _requests(self, own: Console, first: Console) -> None:
        for row in (await own.ask(GetInbox())).rows:
            if row.needs_me:
                request = await own.ask(GetRequest(row.request))
                if request.can_approve and await self._is_asked(request, first):
                    await own.execute(
                        ApproveRequest(request.request, request.intent_digest, self._pin())
                    )
                    log.info("request approved", member=self.profile.member)

    async def _same_code(self, ceremony: CeremonyView, first: Console) -> bool:
        """Return whether the first member's node shows the same code."""
        shown = {c.ceremony: c.code for c in (await first.ask(GetCeremonies())).ceremonies}
        return bool(ceremony.code) and shown.get(ceremony.ceremony) == ceremony.code

    async def _is_asked(self, request: RequestView, first: Console) -> bool:
        """Return whether it is what the first member asks: the same bytes, decoded alike."""
        if request.proposer != self.first.member or request.description.red_flags:
            return False
        asked = await first.ask(GetRequest(request.request))
        return (asked.intent_digest, asked.description, asked.short_code) == (
            request.intent_digest,
            request.description,
            request.short_code,
        )

    async def _fund(self, own: Console) -> None:
        for wallet in (await own.ask(GetWallets())).wallets:
            for account in wallet.accounts:
                for asset, base_units in _gifts(account):
                    key = (wallet.wallet, account.chain, account.path, asset)
                    if key in self.funded:
                        continue
                    await own.execute(
                        FundFromFaucet(
                            wallet=wallet.wallet,
                            chain=account.chain,
                            base_units=base_units,
                            account=account.path,
                            asset=asset,
                        )
                    )
                    self.funded.add(key)
                    log.info("account funded", chain=account.chain)

    def _pin(self) -> SecretBytes:
        return SecretBytes(bytearray(self.digits.encode()))


def _gifts(account: AccountView) -> list[tuple[str, int]]:
    """Return what an account lacks: each token's address, "" for coins, and base units."""
    if account.balance_as_of_ms is None:
        return []  # Not known yet: it may hold something.
    coins = [("", GIFT * 10**account.decimals)] if account.balance_base_units in _ZERO else []
    return coins + [
        (token.address, GIFT * 10**token.decimals)
        for token in account.tokens
        if token.balance_base_units in _ZERO
    ]
