"""What a node foresees of a transaction: shown to people, never decided on."""

from collections import Counter
from collections.abc import Iterable

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.meaning import Known
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.transaction import Transaction
from console.adapters.chains.ethereum.trials import Moved, Trial
from console.application.errors import TransactionError
from console.application.ports.chain import BalanceChange, Simulation

COIN = bytes.fromhex("ee" * 20)
"""The contract that nodes name in the log of moved coins (eth_simulateV1, `traceTransfers`)."""
MAX_CHANGES = 64


async def simulate(
    node: EthereumNode, transaction: Transaction, sender: bytes, known: Known
) -> Simulation:
    """Return the effects; without them only whether it fails. Raises: ChainUnavailable."""
    trial = Trial(
        sender, transaction.to, transaction.value, transaction.data, transaction.gas_limit
    )
    calls = await node.simulated(trial)
    if calls is None:
        try:
            await node.call(trial)
        except TransactionError as refused:
            return Simulation(str(refused))
        return Simulation("")
    if len(calls) != 1:
        return Simulation("the node simulated something else")
    (tried,) = calls
    if tried.fails:
        shown = "".join(c for c in tried.reason[:200] if c.isprintable())
        return Simulation(f"it would fail: {shown or 'the node gives no reason'}")
    return Simulation("", _changes(tried.moved, known))


def _changes(moved: Iterable[Moved], known: Known) -> tuple[BalanceChange, ...]:
    sums: Counter[tuple[bytes, bytes]] = Counter()
    for each in moved:
        sums[each.source, each.contract] -= each.amount
        sums[each.target, each.contract] += each.amount
    changes = []
    for (address, contract), base_units in list(sums.items())[:MAX_CHANGES]:
        unit, decimals = _unit(contract, known)
        if base_units:
            changes.append(
                BalanceChange(
                    address=checksummed(address), amount=base_units, unit=unit, decimals=decimals
                )
            )
    return tuple(changes)


def _unit(contract: bytes, known: Known) -> tuple[str, int]:
    amount = known.coins(0) if contract == COIN else known.amount(contract, 0)
    return amount.unit, amount.decimals
