"""What a node says that a transaction would do now: shown to people, never decided on."""

from collections import Counter
from collections.abc import Iterable

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.answers import Log
from console.adapters.chains.ethereum.meaning import Known
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.transaction import Transaction
from console.application.errors import TransactionError
from console.application.ports.chain import BalanceChange, Simulation

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The topic of ERC-20's Transfer event, and of moved coins where a node traces them."""
COIN = bytes.fromhex("ee" * 20)
"""The contract that nodes name in the log of moved coins (eth_simulateV1, `traceTransfers`)."""
MAX_CHANGES = 64


async def simulate(
    node: EthereumNode, transaction: Transaction, sender: bytes, known: Known
) -> Simulation:
    """Ask for the effects; without them only whether it fails. Raises: ChainUnavailable."""
    call = {"from": checksummed(sender), "value": hex(transaction.value)}
    if transaction.to is not None:
        call["to"] = checksummed(transaction.to)
    if transaction.data:
        call["data"] = f"0x{transaction.data.hex()}"
    block = await node.simulated(call)
    if block is None:
        try:
            await node.call(call)
        except TransactionError as refused:
            return Simulation(str(refused))
        return Simulation("")
    if len(block.calls) != 1:
        return Simulation("the node simulated something else")
    (result,) = block.calls
    if result.status != "0x1":
        reason = result.error.message if result.error else ""
        shown = "".join(c for c in reason[:200] if c.isprintable())
        return Simulation(f"it would fail: {shown or 'the node gives no reason'}")
    return Simulation("", _changes(result.logs, known))


def _changes(logs: Iterable[Log], known: Known) -> tuple[BalanceChange, ...]:
    sums: Counter[tuple[bytes, bytes]] = Counter()
    for log in logs:
        contract, amount = bytes.fromhex(log.address[2:]), bytes.fromhex(log.data[2:])
        if len(log.topics) != 3 or log.topics[0] != TRANSFER or len(amount) != 32:
            continue
        source, target = (bytes.fromhex(topic[-40:]) for topic in log.topics[1:])
        moved = int.from_bytes(amount, "big")
        sums[source, contract] -= moved
        sums[target, contract] += moved
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
