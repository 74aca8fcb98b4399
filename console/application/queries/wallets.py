"""WalletQueryService: wallets with their accounts, and balances with the time they were seen."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError, ChainUnavailable
from console.application.ports.chain import Account, Asset, ChainAdapter, PublicKeys
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.ports.network import NetworkPort
from console.application.queries.people import member_views
from console.application.queries.requests import described, request_stage
from console.application.signing.coordinator import SigningCoordinator
from console.application.views import AccountView, HistoryItemView, TokenView, WalletView
from console.domain.errors import DomainError
from console.domain.events import TransactionConfirmed, WalletActivated
from console.domain.ids import MemberId, WalletId
from console.domain.values import Amount, Chain
from console.domain.wallet import Wallet

MAX_HISTORY = 200
FRESH_MS = 10_000
"""How long a balance is shown without asking the chain again."""
PATIENCE_S = 15.0
"""How long one balance may take: less than a window waits for its answer."""


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
        stale = [
            wallet_id
            for wallet_id in self._aggregates.wallets
            if any(self._is_stale(wallet_id, chain) for chain in self._chains)
        ]
        before = [self._figures(wallet_id) for wallet_id in stale]
        await asyncio.gather(*map(self.refresh, stale))
        return tuple(
            wallet_id
            for wallet_id, figures in zip(stale, before, strict=True)
            if self._figures(wallet_id) != figures
        )

    def _is_stale(self, wallet_id: WalletId, chain: Chain) -> bool:
        asked_ms = self._asked_ms.get((wallet_id, chain), 0)
        return self._clock.now_ms() - asked_ms >= FRESH_MS

    def _figures(self, wallet_id: WalletId) -> tuple[_Balance, ...]:
        balances = (b for place, b in sorted(self._balances.items()) if place[0] == wallet_id)
        return tuple(replace(b, as_of_ms=None) for b in balances)

    async def refresh(self, wallet_id: WalletId) -> None:
        """Ask all chains for the wallet's balances; trouble is kept beside the old figure.

        All are asked at once: a node that hangs holds up nothing but its own figures.
        """
        wallet = self._aggregates.wallet(wallet_id)
        for chain in self._chains:
            self._asked_ms[wallet_id, chain] = self._clock.now_ms()
        await asyncio.gather(
            *(
                self._refresh(wallet, adapter, account, asset)
                for adapter in self._chains.values()
                for account, _ in self._addresses(wallet, adapter)
                for asset in ("", *(asset.address for asset in adapter.assets))
            )
        )

    async def _refresh(
        self, wallet: Wallet, adapter: ChainAdapter, account: Account, asset: str
    ) -> None:
        place = (wallet.wallet, adapter.chain, account.path, asset)
        known = self._balances.get(place, _Balance(None, None, ""))
        try:
            amount = await _balance(adapter, account, self._coordinator.keys(wallet), asset)
        except (AdapterError, DomainError) as trouble:
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
        requests = [r for r in self._aggregates.requests.values() if r.proposal.wallet == wallet_id]
        requests.sort(key=lambda request: -request.proposal.proposed_at_ms)
        items: list[HistoryItemView] = []
        for request in requests[:MAX_HISTORY]:
            proposal = request.proposal
            description = described(self._coordinator, proposal)
            items.append(
                HistoryItemView(
                    request=proposal.request,
                    account=f"{proposal.chain.value}:{proposal.path}",
                    amount=description.amount.text(),
                    unit=description.amount.unit,
                    to_address=description.to_address,
                    state=request_stage(request, self._clock.now_ms()).value,
                    at_ms=proposal.proposed_at_ms,
                    transaction_id=request.signed.transaction_id if request.signed else "",
                )
            )
        return tuple(items)


async def _balance(adapter: ChainAdapter, account: Account, keys: PublicKeys, asset: str) -> Amount:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await adapter.balance(account, keys, asset)
    except TimeoutError:
        raise ChainUnavailable("the chain's node answers too slowly") from None
