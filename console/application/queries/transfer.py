"""A transfer before it is asked for: built, then decoded again from its own bytes."""

from console.application.api import PreviewTransfer
from console.application.core import Core
from console.application.errors import ChainUnavailable
from console.application.ports.chain import TransferIntent
from console.application.queries.requests import description_view
from console.application.views import TransferPreview
from console.domain.errors import NotYetPossible
from console.domain.ids import WalletId
from console.domain.policy import evaluate
from console.domain.values import Amount, Chain, parse_amount


async def preview_transfer(core: Core, query: PreviewTransfer) -> TransferPreview:
    """Build and decode a transfer.

    Raises: InvalidAmount, InvalidAddress, NotYetPossible, ChainUnavailable, TransactionError.
    """
    wallet = core.aggregates.wallet(WalletId(query.wallet))
    try:
        adapter = core.signing.chain(Chain(query.chain))
    except ValueError:
        raise NotYetPossible("this node has no connection to that chain") from None
    amount = parse_amount(query.amount, adapter.unit, adapter.decimals)
    account, keys = core.signing.account_at(adapter.chain, query.account), core.signing.keys(wallet)
    own = adapter.address(account, keys)
    built = await adapter.build_transaction(
        TransferIntent(account, query.to_address, amount.base_units, query.memo), keys
    )
    description = adapter.describe(built.transaction, keys)
    rules = evaluate(description, own_address=own, fee_ceiling=built.fee_ceiling)
    problems = [f"{rule.rule}: {rule.explanation}" for rule in rules if not rule.passed]
    if not amount.base_units:
        problems.append("The amount is zero.")
    if description.to_address == own:
        problems.append("The destination is this wallet itself.")
    balance_after = ""
    try:
        left = (await adapter.balance(own)).base_units - amount.base_units - built.fee_ceiling
    except ChainUnavailable as trouble:
        problems.append(f"The balance is not known: {trouble}")
    else:
        if left < 0:
            problems.append("The balance does not cover the amount and the fee.")
        else:
            balance_after = Amount(left, adapter.unit, adapter.decimals).text()
    return TransferPreview(
        transaction=built.transaction,
        description=description_view(description),
        fee_ceiling=Amount(built.fee_ceiling, adapter.unit, adapter.decimals).text(),
        balance_after=balance_after,
        problems=tuple(problems),
        valid_for_s=built.valid_for_s,
    )
