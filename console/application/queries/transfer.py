"""What an operator wants signed before it is asked for: built, then decoded from its own bytes."""

from console.application.api import (
    PreviewCall,
    PreviewDurable,
    PreviewImport,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
)
from console.application.core import Core
from console.application.errors import ChainUnavailable
from console.application.ports.chain import (
    Account,
    Asset,
    CallIntent,
    ChainAdapter,
    DurableIntent,
    FeeLevel,
    ImportIntent,
    Intent,
    MessageIntent,
    ReplaceIntent,
    Simulation,
    TransferIntent,
)
from console.application.queries.requests import description_view
from console.application.views import FieldView, TransferPreview
from console.domain.errors import NotYetPossible
from console.domain.ids import RequestId, WalletId
from console.domain.policy import evaluate
from console.domain.signing_request import RequestState
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, parse_amount
from console.domain.wallet import Wallet

_SENT = {RequestState.SIGNED, RequestState.BROADCAST}


async def preview_transfer(core: Core, query: PreviewTransfer) -> TransferPreview:
    """Build and decode a transfer of coins or of a listed token.

    Raises: InvalidAmount, InvalidAddress, NotYetPossible, ChainUnavailable, TransactionError.
    """
    wallet, adapter, account = _place(core, query.wallet, query.chain, query.account)
    asset = find_asset(adapter, query.asset)
    unit, decimals = (asset.unit, asset.decimals) if asset else (adapter.unit, adapter.decimals)
    amount = parse_amount(query.amount, unit, decimals)
    intent = TransferIntent(
        account,
        query.to_address,
        amount.base_units,
        query.memo,
        query.asset,
        _level(query.fee),
        query.lasting,
    )
    return await _preview(core, wallet, adapter, account, intent, amount, query.asset)


async def preview_call(core: Core, query: PreviewCall) -> TransferPreview:
    """Build and decode a call of a contract's function. Raises: as `preview_transfer`."""
    wallet, adapter, account = _place(core, query.wallet, query.chain, query.account)
    amount = parse_amount(query.amount or "0", adapter.unit, adapter.decimals)
    intent = CallIntent(
        account,
        query.to_address,
        query.function,
        query.arguments,
        amount.base_units,
        _level(query.fee),
    )
    return await _preview(core, wallet, adapter, account, intent)


async def preview_message(core: Core, query: PreviewMessage) -> TransferPreview:
    """Read a text that is to be signed. Raises: as `preview_transfer`."""
    wallet, adapter, account = _place(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, MessageIntent(account, query.text))


async def preview_import(core: Core, query: PreviewImport) -> TransferPreview:
    """Read what another program drafted. Raises: as `preview_transfer`."""
    wallet, adapter, account = _place(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, ImportIntent(account, query.text))


async def preview_durable(core: Core, query: PreviewDurable) -> TransferPreview:
    """Build what lasting transfers need. Raises: as `preview_transfer`."""
    wallet, adapter, account = _place(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, DurableIntent(account))


async def preview_replacement(core: Core, query: PreviewReplacement) -> TransferPreview:
    """Build what takes the place of a request that waits for its chain.

    Raises: NotYetPossible if it does not wait; as `preview_transfer`.
    """
    request = core.aggregates.request(RequestId(query.request))
    if request.state not in _SENT:
        raise NotYetPossible("only what was sent and is in no block yet can be replaced")
    proposal = request.proposal
    wallet = core.aggregates.wallet(proposal.wallet)
    adapter, account = core.signing.chain(proposal.chain), core.signing.account(proposal)
    intent = ReplaceIntent(account, proposal.transaction, query.cancel, _level(query.fee))
    return await _preview(core, wallet, adapter, account, intent)


def find_asset(adapter: ChainAdapter, address: str) -> Asset | None:
    """Return a listed token; None for the coin itself. Raises: NotYetPossible."""
    if not address:
        return None
    for asset in adapter.assets:
        if asset.address == address:
            return asset
    raise NotYetPossible(f"{address[:60]} is not on this node's list of tokens")


async def _preview(
    core: Core,
    wallet: Wallet,
    adapter: ChainAdapter,
    account: Account,
    intent: Intent,
    sent: Amount | None = None,
    asset: str = "",
) -> TransferPreview:
    """Build, decode and judge; `sent` is what leaves the balance of `asset`."""
    keys = core.signing.keys(wallet)
    held = core.reservations.held(wallet.wallet, adapter.chain)
    built = await adapter.build_transaction(intent, keys, held)
    description = adapter.describe(built.transaction, keys)
    own = adapter.address(account, keys)
    rules = evaluate(description, own_address=own, fee_ceiling=built.fee_ceiling)
    problems = [f"{rule.rule}: {rule.explanation}" for rule in rules if not rule.passed]
    if sent is not None and not sent.base_units:
        problems.append("The amount is zero.")
    if sent is not None and description.to_address == own:
        problems.append("The destination is this wallet itself.")
    coins = description.amount.base_units if description.amount.unit == adapter.unit else 0
    costs = coins + built.fee_ceiling
    balance_after = ""
    try:
        coin_left = (await adapter.balance(account, keys)).base_units - costs
        left = Amount(max(coin_left, 0), adapter.unit, adapter.decimals)
        if coin_left < 0 and costs:
            problems.append("The balance does not cover the amount and the fee.")
        elif asset and sent is not None:
            token = await adapter.balance(account, keys, asset)
            if token.base_units < sent.base_units:
                problems.append("The balance does not cover the amount.")
            rest = max(token.base_units - sent.base_units, 0)
            balance_after = Amount(rest, token.unit, token.decimals).text()
        else:
            balance_after = left.text()
        simulation = await adapter.simulate(built.transaction, keys)
    except ChainUnavailable as trouble:
        problems.append(f"The balance is not known: {trouble}")
        simulation = None
    return TransferPreview(
        transaction=built.transaction,
        description=description_view(description),
        fee_ceiling=Amount(built.fee_ceiling, adapter.unit, adapter.decimals).text(),
        balance_after=balance_after,
        problems=tuple(problems),
        valid_for_s=built.valid_for_s,
        warnings=_failure(simulation),
        effects=_effects(simulation, description),
    )


def _failure(simulation: Simulation | None) -> tuple[str, ...]:
    if simulation is None or not simulation.failure:
        return ()
    return (f"The chain's node says that it would fail now: {simulation.failure}",)


def _effects(
    simulation: Simulation | None, description: TransactionDescription
) -> tuple[FieldView, ...]:
    """List the balance changes that a node foresees, the wallet's own first."""
    if simulation is None:
        return ()
    own = description.from_address
    changes = sorted(simulation.changes, key=lambda change: change.address != own)
    return tuple(
        FieldView(
            "This wallet" if change.address == own else change.address,
            f"{'-' if change.amount < 0 else '+'}"
            f"{Amount(abs(change.amount), change.unit, change.decimals).text()} {change.unit}",
        )
        for change in changes
    )


def _place(
    core: Core, wallet_id: str, chain: str, path: str
) -> tuple[Wallet, ChainAdapter, Account]:
    wallet = core.aggregates.wallet(WalletId(wallet_id))
    try:
        adapter = core.signing.chain(Chain(chain))
    except ValueError:
        raise NotYetPossible("this node has no connection to that chain") from None
    return wallet, adapter, core.signing.account_at(adapter.chain, path)


def _level(text: str) -> FeeLevel:
    try:
        return FeeLevel(text)
    except ValueError:
        raise NotYetPossible(f"there is no fee level {text[:20]!r}") from None
