"""Fees of past blocks: `eth_feeHistory` as nodes return it, with the next base fee (EIP-1559)."""

from collections.abc import Callable
from typing import Any

MAX_BLOCKS = 1024
MAX_PERCENTILES = 100
_ELASTICITY, _DENOMINATOR = 2, 8

GetBlock = Callable[[int], dict[str, Any]]
"""Returns a block by number, with full transactions, in eth-tester's own names."""


def fee_history(
    get_block: GetBlock, newest: int, count: int, percentiles: list[float]
) -> dict[str, object]:
    """Return fees of `count` blocks up to `newest`. Raises: ValueError for wrong percentiles."""
    if not 0 < count <= MAX_BLOCKS or len(percentiles) > MAX_PERCENTILES:
        raise ValueError("too many")
    if percentiles != sorted(percentiles) or any(not 0 <= each <= 100 for each in percentiles):
        raise ValueError("percentiles rise from 0 to 100")
    oldest = max(0, newest - count + 1)
    blocks = [get_block(number) for number in range(oldest, newest + 1)]
    fees = [int(block["base_fee_per_gas"]) for block in blocks] + [next_base_fee(blocks[-1])]
    history: dict[str, object] = {
        "oldestBlock": hex(oldest),
        "baseFeePerGas": [hex(fee) for fee in fees],
        "gasUsedRatio": [block["gas_used"] / block["gas_limit"] for block in blocks],
    }
    if percentiles:
        history["reward"] = [_rewards(block, percentiles) for block in blocks]
    return history


def next_base_fee(parent: dict[str, Any]) -> int:
    """Return the base fee after a block (EIP-1559, `expected_base_fee_per_gas`)."""
    fee, used = int(parent["base_fee_per_gas"]), int(parent["gas_used"])
    target = int(parent["gas_limit"]) // _ELASTICITY
    change = fee * abs(used - target) // target // _DENOMINATOR
    if used > target:
        return fee + max(1, change)
    return fee - change


def _rewards(block: dict[str, Any], percentiles: list[float]) -> list[str]:
    """Return the tips at those shares of a block's transactions, zeros for an empty block."""
    base = int(block["base_fee_per_gas"])
    tips = sorted(_tip(transaction, base) for transaction in block["transactions"])
    if not tips:
        return ["0x0"] * len(percentiles)
    last = len(tips) - 1
    return [hex(tips[min(last, int(len(tips) * share / 100))]) for share in percentiles]


def _tip(transaction: dict[str, Any], base: int) -> int:
    if "max_fee_per_gas" not in transaction:
        return int(transaction["gas_price"]) - base
    ceiling = int(transaction["max_fee_per_gas"]) - base
    return min(int(transaction["max_priority_fee_per_gas"]), ceiling)
