"""What Ethereum's nodes are asked: for each method the answer's shape and whose word counts."""

from collections.abc import Mapping
from typing import Final

from console.adapters.chains.ethereum.answers import (
    Code,
    Data,
    FeeHistory,
    FinalBlock,
    Hash,
    KnownTransaction,
    Quantity,
    Receipt,
    SimulatedBlock,
    final_number,
    next_base_fee,
)
from console.adapters.rpc.rules import Rule, Way

RULES: Final[Mapping[str, Rule]] = {
    "eth_chainId": Rule(Way.AGREED, Quantity),
    "eth_getTransactionCount": Rule(Way.AGREED, Quantity),
    "eth_getBalance": Rule(Way.AGREED, Quantity),
    "eth_getCode": Rule(Way.AGREED, Code),
    "eth_call": Rule(Way.AGREED, Data),
    "eth_getTransactionReceipt": Rule(Way.AGREED, Receipt | None),
    "eth_getTransactionByHash": Rule(Way.AGREED, KnownTransaction | None),
    # One node that lies must not make a transaction dear, nor confirm it early.
    "eth_feeHistory": Rule(Way.LOWEST, FeeHistory, next_base_fee),
    "eth_maxPriorityFeePerGas": Rule(Way.LOWEST, Quantity),
    "eth_blockNumber": Rule(Way.LOWEST, Quantity),
    "eth_getBlockByNumber": Rule(Way.LOWEST, FinalBlock | None, final_number),
    # Too little gas would fail and be paid for.
    "eth_estimateGas": Rule(Way.HIGHEST, Quantity),
    # For show only: what it says differs between implementations.
    "eth_simulateV1": Rule(Way.FIRST, tuple[SimulatedBlock, ...]),
    # One node alone could keep a transaction from the others.
    "eth_sendRawTransaction": Rule(Way.HANDED_OVER, Hash),
    "devnet_fund": Rule(Way.ANY, str),
    "devnet_fundToken": Rule(Way.ANY, str),
}
"""Methods that are not here are not asked, whatever web3 would like to know besides."""
