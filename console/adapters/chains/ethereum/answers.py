"""The shapes of what Ethereum's nodes answer, strict and bounded; other members are ignored."""

from typing import Annotated, Literal

import msgspec

Quantity = Annotated[str, msgspec.Meta(pattern=r"\A0x(0|[1-9a-f][0-9a-f]{0,63})\Z")]
"""A number of up to 256 bits, in hexadecimal without leading zeros."""
Hash = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{64}\Z")]
Address = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{40}\Z")]
Code = Annotated[str, msgspec.Meta(pattern=r"\A(0x([0-9a-fA-F]{2})*)?\Z")]
Data = Annotated[str, msgspec.Meta(pattern=r"\A0x([0-9a-f]{2})*\Z")]


class FeeHistory(msgspec.Struct, frozen=True, rename="camel"):
    """What blocks cost; the last base fee is the one of the block that comes next."""

    base_fee_per_gas: Annotated[tuple[Quantity, ...], msgspec.Meta(min_length=1, max_length=1025)]


def next_base_fee(history: FeeHistory) -> int:
    """Return the base fee of the next block in wei per gas."""
    return int(history.base_fee_per_gas[-1], 16)


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a transaction that is in a block."""

    transaction_hash: Hash
    block_number: Quantity
    status: Literal["0x0", "0x1"]


class FinalBlock(msgspec.Struct, frozen=True):
    """The newest block that the chain's own rules call final."""

    number: Quantity


def final_number(block: FinalBlock | None) -> int:
    """Return its number; -1 where a node tells none."""
    return -1 if block is None else int(block.number, 16)


class KnownTransaction(msgspec.Struct, frozen=True):
    """A transaction that a node has, in a block or waiting."""

    hash: Hash


MAX_LOGS = 512
"""Of one simulated call; decoding more would hold the event loop up."""


class Log(msgspec.Struct, frozen=True):
    """A contract's event."""

    address: Address
    topics: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=4)]
    data: Data


class CallError(msgspec.Struct, frozen=True):
    """Why a simulated call failed."""

    message: str = ""


class SimulatedCall(msgspec.Struct, frozen=True):
    """One call of a simulated block."""

    status: Quantity
    logs: Annotated[tuple[Log, ...], msgspec.Meta(max_length=MAX_LOGS)] = ()
    error: CallError | None = None


class SimulatedBlock(msgspec.Struct, frozen=True):
    """One block of an `eth_simulateV1` answer."""

    calls: tuple[SimulatedCall, ...]
