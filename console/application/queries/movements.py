"""An account's history from its chain, with incoming payments, which no request shows."""

from console.application.api import GetMovements
from console.application.core import Core
from console.application.queries.transfer import place_of
from console.application.views import MovementsView, MovementView
from console.domain.values import Amount


async def movements(core: Core, query: GetMovements) -> MovementsView:
    """Return an account's newest movements. Raises: NotYetPossible, ChainUnavailable."""
    wallet, adapter, account = place_of(core, query.wallet, query.chain, query.account)
    lines = await adapter.history(account, core.transactions.keys(wallet))
    return MovementsView(
        tuple(
            MovementView(
                transaction_id=line.transaction_id,
                amount=Amount(abs(line.amount), line.unit, line.decimals).text(),
                unit=line.unit,
                incoming=line.amount > 0,
                block=line.block,
                at_ms=line.at_ms,
            )
            for line in lines
            if line.amount
        )
    )
