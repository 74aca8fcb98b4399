"""Previews: what an operator wants signed, built and then decoded from its own bytes."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from console.application.api import (
    PreviewAcceleration,
    PreviewCall,
    PreviewDurable,
    PreviewImport,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
)
from console.application.core import Core
from console.application.errors import AdapterError, ChainUnavailable
from console.application.ports.chain import (
    AccelerateIntent,
    Account,
    Asset,
    BalanceChange,
    BuiltTransaction,
    CallIntent,
    ChainAdapter,
    DurableIntent,
    FeeLevel,
    ImportIntent,
    Intent,
    MessageIntent,
    PublicKeys,
    ReplaceIntent,
    Simulation,
    TransferIntent,
)
from console.application.queries.descriptions import description_view
from console.application.queries.twins import told_of_twins, twins
from console.application.views import FieldView, TransferPreview
from console.domain.errors import Conflict, DomainError, InvalidAmount, NotYetPossible
from console.domain.ids import RequestId, WalletId
from console.domain.policy import evaluate
from console.domain.signing_request import RequestState
from console.domain.transaction import CoinFlow, TransactionDescription
from console.domain.values import Amount, Chain, parse_amount
from console.domain.wallet import Wallet

_SENT = {RequestState.SIGNED, RequestState.BROADCAST, RequestState.REFUSED}
BUILD_S, BALANCE_S, SIMULATION_S = 10.0, 5.0, 4.0
"""The time for each part of a preview: together less than the window's deadline for a reply."""

T = TypeVar("T")


async def preview_transfer(core: Core, query: PreviewTransfer) -> TransferPreview:
    """Build and decode a transfer of coins or of a listed token.

    Raises: InvalidAmount, InvalidAddress, NotYetPossible, ChainUnavailable, TransactionError.
    """
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    asset = find_asset(adapter, query.asset)
    unit, decimals = (asset.unit, asset.decimals) if asset else (adapter.unit, adapter.decimals)
    amount = parse_amount("0" if query.everything else query.amount, unit, decimals)
    intent = TransferIntent(
        account=account,
        to_address=query.to_address,
        amount=amount.base_units,
        memo=query.memo,
        asset=query.asset,
        fee_level=_level(query.fee_level),
        durable=query.durable,
        everything=query.everything,
    )
    return await _preview(core, wallet, adapter, account, intent, amount, query.asset)


async def preview_call(core: Core, query: PreviewCall) -> TransferPreview:
    """Build and decode a call of a contract's function. Raises: as `preview_transfer`."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    amount = parse_amount(query.amount or "0", adapter.unit, adapter.decimals)
    intent = CallIntent(
        account=account,
        to_address=query.to_address,
        function=query.function,
        arguments=query.arguments,
        amount=amount.base_units,
        fee_level=_level(query.fee_level),
    )
    return await _preview(core, wallet, adapter, account, intent)


async def preview_message(core: Core, query: PreviewMessage) -> TransferPreview:
    """Build and decode a message to be signed. Raises: as `preview_transfer`."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, MessageIntent(account, query.text))


async def preview_acceleration(core: Core, query: PreviewAcceleration) -> TransferPreview:
    """Build and decode the child of a waiting transaction. Raises: as `preview_transfer`."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    intent = AccelerateIntent(account, query.transaction_id, _level(query.fee_level))
    return await _preview(core, wallet, adapter, account, intent)


async def preview_import(core: Core, query: PreviewImport) -> TransferPreview:
    """Decode what another program drafted. Raises: as `preview_transfer`."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, ImportIntent(account, query.text))


async def preview_durable(core: Core, query: PreviewDurable) -> TransferPreview:
    """Build what durable transfers need. Raises: as `preview_transfer`."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    return await _preview(core, wallet, adapter, account, DurableIntent(account))


async def preview_replacement(core: Core, query: PreviewReplacement) -> TransferPreview:
    """Build and decode the replacement of a request that waits for its chain.

    The same for one that ended unsigned here and may be signed: it is made again, or cancelled,
    with the same coins or nonce. Raises: NotYetPossible if it does not wait; as `preview_transfer`.
    """
    request = core.aggregates.request(RequestId(query.request))
    if request.state not in _SENT and not core.reservations.held_in_doubt(request):
        raise NotYetPossible("only a broadcast transaction that is in no block can be replaced")
    proposal = request.proposal
    wallet = core.aggregates.wallet(proposal.wallet)
    adapter, account = core.transactions.chain(proposal.chain), core.transactions.account(proposal)
    intent = ReplaceIntent(
        account=account,
        transaction=proposal.transaction,
        cancel=query.cancel,
        fee_level=_level(query.fee_level),
    )
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
    """Build, decode and check; `sent` is what leaves the balance of `asset`."""
    keys = core.transactions.keys(wallet)
    held = core.reservations.held(wallet.wallet, adapter.chain)
    built = await _within(BUILD_S, adapter.build_transaction(intent, keys, held))
    description = adapter.describe(built.transaction, keys)
    own = adapter.address(account, keys)
    payer = core.transactions.own_address(wallet, adapter, description.from_address, own)
    rules = evaluate(description, own_address=payer, fee_ceiling=built.fee_ceiling)
    problems = [f"{rule.rule}: {rule.explanation}" for rule in rules if not rule.passed]
    try:
        # What another program drafted may consume what an open request reserves.
        core.reservations.require_unheld(wallet.wallet, adapter.chain, built.transaction)
    except Conflict as conflict:
        problems.append(f"Already in use: {conflict}")
    if isinstance(intent, TransferIntent) and intent.everything:
        sent = description.amount
    if sent is not None and not sent.base_units:
        problems.append("The amount is zero.")
    if sent is not None and description.to_address == own:
        problems.append("The destination is this wallet itself.")
    balance_after = ""
    costs = _costs(description, built.fee_ceiling, adapter.unit)
    left = _balance_left(adapter, account, keys, costs, sent if asset else None, asset)
    try:
        balance_after, problem = await _within(BALANCE_S, left)
    except ChainUnavailable as trouble:
        problem = f"The balance is not known: {trouble}"
    problems += [problem] if problem else []
    simulation, warnings = await _foresee(adapter, built, keys)
    second = told_of_twins(
        twins(
            wallet.wallet,
            description,
            built.transaction,
            tuple(core.aggregates.requests.values()),
            core.transactions,
            core.reservations,
        )
    )
    return TransferPreview(
        transaction=built.transaction,
        description=description_view(description),
        fee_ceiling=Amount(built.fee_ceiling, adapter.unit, adapter.decimals).text(),
        balance_after=balance_after,
        problems=tuple(problems),
        valid_for_s=built.valid_for_s,
        warnings=(*((second,) if second else ()), *built.notes, *warnings),
        effects=_effects(simulation, description),
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    """Base units of the coin that the account must hold, and those that return to it."""

    needed: int
    back: int


def _costs(description: TransactionDescription, fee_ceiling: int, unit: str) -> _Costs:
    flow = description.flow
    if flow is None:
        amount = description.amount
        flow = CoinFlow(out=amount.base_units if amount.unit == unit else 0)
    return _Costs(flow.out + (fee_ceiling if flow.pays_fee else 0), flow.back)


async def _balance_left(
    adapter: ChainAdapter,
    account: Account,
    keys: PublicKeys,
    costs: _Costs,
    tokens: Amount | None,
    asset: str,
) -> tuple[str, str]:
    """Return the remaining balance of the token sent, else of the coin, and the problem or ""."""
    coin_left = (await adapter.balance(account, keys)).base_units - costs.needed
    if coin_left < 0:
        return "", "The balance does not cover the amount and the fee."
    if tokens is None:
        return Amount(coin_left + costs.back, adapter.unit, adapter.decimals).text(), ""
    held = await adapter.balance(account, keys, asset)
    rest = Amount(max(held.base_units - tokens.base_units, 0), held.unit, held.decimals)
    short = held.base_units < tokens.base_units
    return rest.text(), "The balance does not cover the amount." if short else ""


async def _foresee(
    adapter: ChainAdapter, built: BuiltTransaction, keys: PublicKeys
) -> tuple[Simulation | None, tuple[str, ...]]:
    """Return the effects that the chain's node predicts, and warnings; they decide nothing."""
    try:
        simulation = await _within(SIMULATION_S, adapter.simulate(built.transaction, keys))
    except (AdapterError, DomainError) as trouble:
        return None, (f"The chain's node could not simulate the transaction: {trouble}",)
    if simulation is None or not simulation.failure:
        return simulation, ()
    failure = f"The chain's node predicts that it would fail now: {simulation.failure}"
    return simulation, (failure,)


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return a chain's reply in time. Raises: ChainUnavailable when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise ChainUnavailable("the chain's node did not reply in time") from None


def _effects(
    simulation: Simulation | None, description: TransactionDescription
) -> tuple[FieldView, ...]:
    """Return the balance changes that a node predicts, the wallet's own first."""
    if simulation is None:
        return ()
    own = description.from_address
    changes = sorted(simulation.changes, key=lambda change: change.address != own)
    return tuple(
        FieldView(
            "This wallet" if change.address == own else change.address,
            _moved(change),
        )
        for change in changes
    )


def _moved(change: BalanceChange) -> str:
    try:
        amount = Amount(abs(change.amount), change.unit, change.decimals)
    except InvalidAmount:
        return "more than there can be"
    return f"{'-' if change.amount < 0 else '+'}{amount.text()} {change.unit}"


def place_of(
    core: Core, wallet_id: str, chain: str, path: str
) -> tuple[Wallet, ChainAdapter, Account]:
    """Return the account of a query; "" is the chain's first account. Raises: NotYetPossible."""
    wallet = core.aggregates.wallet(WalletId(wallet_id))
    try:
        adapter = core.transactions.chain(Chain(chain))
    except ValueError:
        raise NotYetPossible("this node has no connection to that chain") from None
    return wallet, adapter, core.transactions.account_at(adapter.chain, path)


def _level(text: str) -> FeeLevel:
    try:
        return FeeLevel(text)
    except ValueError:
        raise NotYetPossible(f"there is no fee level {text[:20]!r}") from None
