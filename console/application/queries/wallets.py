"""WalletQueryService: wallets with their accounts, balances and history."""

from console.application.core import Core
from console.application.ports.chain import Ability, Account, Asset, ChainAdapter
from console.application.queries.descriptions import described
from console.application.queries.people import custodians_of
from console.application.queries.requests import request_stage
from console.application.views import AccountView, HistoryItemView, TokenView, WalletView
from console.domain.ids import WalletId
from console.domain.signing_request import RequestState
from console.domain.values import Chain
from console.domain.wallet import Wallet

MAX_HISTORY = 200
MAKES_DURABLE = "Create durable nonce"
"""The action of a request that makes what durable transfers need, as it is described."""


class WalletQueryService:
    """Returns views of an unlocked node's wallets."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def views(self, own_sequence: int) -> tuple[WalletView, ...]:
        """Return all wallets."""
        return tuple(self.view(w, own_sequence) for w in tuple(self._core.aggregates.wallets))

    def view(self, wallet_id: WalletId, own_sequence: int) -> WalletView:
        """Return one wallet. Raises: NotYetPossible."""
        core = self._core
        wallet = core.aggregates.wallet(wallet_id)
        return WalletView(
            wallet=wallet.wallet,
            name=wallet.name,
            kinds=tuple(key.kind.value for key in wallet.keys),
            threshold=wallet.quorum.threshold,
            approvals_needed=wallet.policy.approvals_needed,
            epoch=wallet.epoch,
            custodians=custodians_of(core, wallet.wallet, wallet.quorum.custodians, own_sequence),
            accounts=tuple(
                self._account(wallet, adapter, account, address)
                for adapter in core.ports.chains.values()
                for account, address in core.transactions.accounts(wallet, adapter)
            ),
            history=self._history(wallet_id),
            created_ms=wallet.created_at_ms,
            holds_share=core.me in wallet.quorum.custodians,
        )

    def _account(
        self, wallet: Wallet, adapter: ChainAdapter, account: Account, address: str
    ) -> AccountView:
        balance = self._core.balances.of(wallet.wallet, adapter.chain, account.path)
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
            tokens=tuple(
                self._token(wallet.wallet, adapter.chain, account.path, asset)
                for asset in adapter.assets
            ),
            abilities=tuple(sorted(ability.value for ability in adapter.abilities)),
            durable=self._made_durable(wallet.wallet, adapter, account),
            import_form=adapter.import_form,
            export=adapter.export_account(account, self._core.transactions.keys(wallet)),
        )

    def _made_durable(self, wallet: WalletId, adapter: ChainAdapter, account: Account) -> bool:
        """Whether a request of this vault has made what durable transfers need, and it stands."""
        if Ability.DURABLE not in adapter.abilities:
            return False
        place = (wallet, adapter.chain, account.path)
        return any(
            described(self._core.transactions, request.proposal).action == MAKES_DURABLE
            for request in self._core.aggregates.requests.values()
            if request.state is RequestState.CONFIRMED
            and (request.proposal.wallet, request.proposal.chain, request.proposal.path) == place
        )

    def _token(self, wallet: WalletId, chain: Chain, path: str, asset: Asset) -> TokenView:
        known = self._core.balances.of(wallet, chain, path, asset.address).amount
        return TokenView(
            address=asset.address,
            unit=asset.unit,
            decimals=asset.decimals,
            balance=known.text() if known else "",
            balance_base_units=str(known.base_units) if known else "",
        )

    def _history(self, wallet_id: WalletId) -> tuple[HistoryItemView, ...]:
        requests = [
            r for r in self._core.aggregates.requests.values() if r.proposal.wallet == wallet_id
        ]
        requests.sort(key=lambda request: -request.proposal.proposed_at_ms)
        items: list[HistoryItemView] = []
        wallet = self._core.aggregates.wallets.get(wallet_id)
        for request in requests[:MAX_HISTORY]:
            proposal = request.proposal
            description = described(self._core.transactions, proposal)
            items.append(
                HistoryItemView(
                    request=proposal.request,
                    account=f"{proposal.chain.value}:{proposal.path}",
                    amount=description.amount.text(),
                    unit=description.amount.unit,
                    to_address=description.to_address,
                    state=request_stage(request, wallet, self._core.ports.clock.now_ms()).value,
                    at_ms=proposal.proposed_at_ms,
                    transaction_id=request.signed.transaction_id if request.signed else "",
                )
            )
        return tuple(items)
