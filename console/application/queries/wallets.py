"""WalletQueryService: wallets with their accounts, and balances with the time they were seen."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console.application.aggregates import Aggregates
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Account, Asset, ChainAdapter
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.ports.network import NetworkPort
from console.application.queries.people import member_views
from console.application.queries.requests import request_stage
from console.application.signing_coordinator import SigningCoordinator
from console.application.views import AccountView, HistoryItemView, TokenView, WalletView
from console.domain.errors import DomainError
from console.domain.events import TransactionConfirmed, WalletActivated
from console.domain.ids import MemberId, WalletId
from console.domain.values import Amount, Chain
from console.domain.wallet import Wallet

MAX_HISTORY = 200
FRESH_MS = 10_000
"""How long a balance is shown without asking the chain again."""


@dataclass(frozen=True, slots=True)
class _Balance:
    amount: Amount | None
    as_of_ms: int | None
    error: str


_Place = tuple[WalletId, Chain, str, str]
"""A wallet, a chain, an account's path, and a token's address or ""."""


class WalletQueryService:
    """Answers for wallets; a chain that does not answer makes a balance stale, never missing."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        coordinator: SigningCoordinator,
        chains: Mapping[Chain, ChainAdapter],
        network: NetworkPort,
        clock: Clock,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._coordinator = coordinator
        self._chains = chains
        self._network = network
        self._clock = clock
        self._balances: dict[_Place, _Balance] = {}
        self._asked_ms: dict[tuple[WalletId, Chain], int] = {}
        self._wake = asyncio.Event()

    def on_event(self, record: RecordedEvent) -> None:
        """Ask the chains at once when funds moved or a wallet came to be."""
        if isinstance(record.event, TransactionConfirmed | WalletActivated):
            self._asked_ms.clear()
            self._wake.set()

    async def keep_fresh(self, changed: Callable[[WalletId], None]) -> None:
        """Keep the balances fresh until cancelled, and tell which wallets changed."""
        while True:
            self._wake.clear()
            for wallet_id in await self.refresh_stale():
                changed(wallet_id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FRESH_MS / 1000):
                    await self._wake.wait()

    async def refresh_stale(self) -> tuple[WalletId, ...]:
        """Ask again for every balance older than `FRESH_MS`; return the wallets that changed."""
        changed: list[WalletId] = []
        for wallet_id in tuple(self._aggregates.wallets):
            before = self._figures(wallet_id)
            if any(self._is_stale(wallet_id, chain) for chain in self._chains):
                await self.refresh(wallet_id)
            if self._figures(wallet_id) != before:
                changed.append(wallet_id)
        return tuple(changed)

    def _is_stale(self, wallet_id: WalletId, chain: Chain) -> bool:
        asked_ms = self._asked_ms.get((wallet_id, chain), 0)
        return self._clock.now_ms() - asked_ms >= FRESH_MS

    def _figures(self, wallet_id: WalletId) -> tuple[_Balance, ...]:
        balances = (b for place, b in sorted(self._balances.items()) if place[0] == wallet_id)
        return tuple(replace(b, as_of_ms=None) for b in balances)

    async def refresh(self, wallet_id: WalletId) -> None:
        """Ask every chain for the wallet's balances; trouble is kept beside the old figure."""
        wallet = self._aggregates.wallet(wallet_id)
        for adapter in self._chains.values():
            for account, _ in self._addresses(wallet, adapter):
                for asset in ("", *(asset.address for asset in adapter.assets)):
                    await self._refresh(wallet, adapter, account, asset)

    async def _refresh(
        self, wallet: Wallet, adapter: ChainAdapter, account: Account, asset: str
    ) -> None:
        place = (wallet.wallet, adapter.chain, account.path, asset)
        known = self._balances.get(place, _Balance(None, None, ""))
        self._asked_ms[wallet.wallet, adapter.chain] = self._clock.now_ms()
        try:
            amount = await adapter.balance(account, self._coordinator.keys(wallet), asset)
        except ChainUnavailable as trouble:
            fresh = _Balance(known.amount, known.as_of_ms, str(trouble))
        else:
            fresh = _Balance(amount, self._clock.now_ms(), "")
        self._balances[place] = fresh

    def view(self, wallet_id: WalletId, own_sequence: int) -> WalletView:
        """Return one wallet. Raises: NotYetPossible."""
        wallet = self._aggregates.wallet(wallet_id)
        people = member_views(self._aggregates, self._me, self._network.health(), own_sequence)
        custodians = {view.member: view for view in people}
        return WalletView(
            wallet=wallet.wallet,
            name=wallet.name,
            kinds=tuple(key.kind.value for key in wallet.keys),
            threshold=wallet.quorum.threshold,
            approvals_needed=wallet.policy.approvals_needed,
            epoch=wallet.epoch,
            custodians=tuple(custodians[m] for m in wallet.quorum.custodians if m in custodians),
            accounts=tuple(
                self._account(wallet, adapter, account, address)
                for adapter in self._chains.values()
                for account, address in self._addresses(wallet, adapter)
            ),
            history=self._history(wallet_id),
            created_ms=wallet.created_at_ms,
            holds_share=self._me in wallet.quorum.custodians,
        )

    def _addresses(self, wallet: Wallet, adapter: ChainAdapter) -> list[tuple[Account, str]]:
        """Return the accounts for which the wallet has a key, with their addresses."""
        keys, found = self._coordinator.keys(wallet), []
        for account in adapter.accounts:
            with contextlib.suppress(DomainError):
                found.append((account, adapter.address(account, keys)))
        return found

    def _account(
        self, wallet: Wallet, adapter: ChainAdapter, account: Account, address: str
    ) -> AccountView:
        place = (wallet.wallet, adapter.chain, account.path, "")
        balance = self._balances.get(place, _Balance(None, None, ""))
        return AccountView(
            chain=adapter.chain.value,
            network=adapter.network.value,
            path=account.path,
            label=account.label,
            address=address,
            unit=adapter.unit,
            decimals=adapter.decimals,
            balance=balance.amount.text() if balance.amount else "",
            balance_base_units=str(balance.amount.base_units) if balance.amount else "",
            balance_as_of_ms=balance.as_of_ms,
            balance_error=balance.error,
            tokens=tuple(self._token(place[:3], asset) for asset in adapter.assets),
            abilities=tuple(sorted(ability.value for ability in adapter.abilities)),
            export=adapter.export_account(account, self._coordinator.keys(wallet)),
        )

    def _token(self, account: tuple[WalletId, Chain, str], asset: Asset) -> TokenView:
        known = self._balances.get((*account, asset.address), _Balance(None, None, "")).amount
        return TokenView(
            address=asset.address,
            unit=asset.unit,
            decimals=asset.decimals,
            balance=known.text() if known else "",
            balance_base_units=str(known.base_units) if known else "",
        )

    def _history(self, wallet_id: WalletId) -> tuple[HistoryItemView, ...]:
        items: list[HistoryItemView] = []
        for request in self._aggregates.requests.values():
            proposal = request.proposal
            if proposal.wallet != wallet_id:
                continue
            description = self._coordinator.describe(proposal)
            items.append(
                HistoryItemView(
                    request=proposal.request,
                    amount=description.amount.text(),
                    unit=description.amount.unit,
                    to_address=description.to_address,
                    state=request_stage(request, self._clock.now_ms()).value,
                    at_ms=proposal.proposed_at_ms,
                    transaction_id=request.signed.transaction_id if request.signed else "",
                )
            )
        return tuple(sorted(items, key=lambda item: -item.at_ms)[:MAX_HISTORY])
