"""Balances of all wallets, each with when it was read and why nothing newer is known."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError, ChainUnavailable, TransactionError
from console.application.ports.chain import Account, ChainAdapter, PublicKeys
from console.application.ports.clock import Clock
from console.application.ports.event_store import RecordedEvent
from console.application.ports.watching import Watches
from console.application.signing.transactions import Transactions
from console.domain.errors import DomainError
from console.domain.events import TransactionConfirmed, TransactionTakenBack, WalletActivated
from console.domain.ids import RequestId, WalletId
from console.domain.values import Amount, Chain
from console.domain.wallet import Wallet

FRESH_MS = 10_000
"""How long a balance is shown without asking the chain again."""
PATIENCE_S = 15.0
"""How long one balance may take: less than a window waits for its answer."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The last known amount; `error` says why nothing newer is known, "" when it is fresh."""

    amount: Amount | None
    as_of_ms: int | None
    error: str


UNKNOWN = Balance(None, None, "")

_Holding = tuple[WalletId, Chain, str, str]
"""A wallet, a chain, an account's path, and a token's address or ""."""


class Balances:
    """Asks the chains; one that does not answer makes a balance stale, never missing."""

    def __init__(
        self,
        aggregates: Aggregates,
        transactions: Transactions,
        chains: Mapping[Chain, ChainAdapter],
        clock: Clock,
    ) -> None:
        self._aggregates = aggregates
        self._transactions = transactions
        self._chains = chains
        self._clock = clock
        self._balances: dict[_Holding, Balance] = {}
        self._asked_ms: dict[tuple[WalletId, Chain], int] = {}
        self._watched: set[RequestId] = set()
        self._wake = asyncio.Event()

    def of(self, wallet: WalletId, chain: Chain, path: str, asset: str = "") -> Balance:
        """Return what is known of an account's coins, or of a token by its address."""
        return self._balances.get((wallet, chain, path, asset), UNKNOWN)

    def on_event(self, record: RecordedEvent) -> None:
        """Ask the chains again when funds moved or a wallet was made."""
        if isinstance(record.event, TransactionConfirmed | TransactionTakenBack | WalletActivated):
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

    def _figures(self, wallet_id: WalletId) -> tuple[Balance, ...]:
        balances = (b for holding, b in sorted(self._balances.items()) if holding[0] == wallet_id)
        return tuple(replace(b, as_of_ms=None) for b in balances)

    async def refresh(self, wallet_id: WalletId) -> None:
        """Ask all chains for the wallet's balances; an error is kept beside the old figure.

        All are asked at once: a node that hangs delays only its own figures.
        """
        wallet = self._aggregates.wallet(wallet_id)
        await self._watch_what_was_paid(wallet)
        for chain in self._chains:
            self._asked_ms[wallet_id, chain] = self._clock.now_ms()
        await asyncio.gather(
            *(
                self._refresh(wallet, adapter, account, asset)
                for adapter in self._chains.values()
                for account, _ in self._transactions.accounts(wallet, adapter)
                for asset in ("", *(asset.address for asset in adapter.assets))
            )
        )

    async def _watch_what_was_paid(self, wallet: Wallet) -> None:
        """Tell adapters, once, of each signed request: what it pays to the wallet is to be found.

        The ledger keeps this over a restart.
        """
        for request in tuple(self._aggregates.requests.values()):
            proposal = request.proposal
            adapter = self._chains.get(proposal.chain)
            watcher: object = adapter
            if proposal.wallet != wallet.wallet or not request.signatures:
                continue
            if proposal.request in self._watched or not isinstance(watcher, Watches):
                continue
            self._watched.add(proposal.request)
            if adapter is not None and adapter.network is proposal.network:
                with contextlib.suppress(TransactionError, DomainError):
                    watcher.watch(proposal.transaction, self._transactions.keys(wallet))
                # There may be thousands of them after a start.
                await asyncio.sleep(0)

    async def _refresh(
        self, wallet: Wallet, adapter: ChainAdapter, account: Account, asset: str
    ) -> None:
        holding = (wallet.wallet, adapter.chain, account.path, asset)
        known = self._balances.get(holding, UNKNOWN)
        try:
            amount = await _balance(adapter, account, self._transactions.keys(wallet), asset)
        except (AdapterError, DomainError) as trouble:
            fresh = Balance(known.amount, known.as_of_ms, str(trouble))
        else:
            fresh = Balance(amount, self._clock.now_ms(), "")
        self._balances[holding] = fresh


async def _balance(adapter: ChainAdapter, account: Account, keys: PublicKeys, asset: str) -> Amount:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await adapter.balance(account, keys, asset)
    except TimeoutError:
        raise ChainUnavailable("the chain's node did not reply in time") from None
