"""The shapes of what Ethereum's nodes answer, strict and bounded; other members are ignored."""

from typing import Annotated, Literal

import msgspec

Quantity = Annotated[str, msgspec.Meta(pattern=r"\A0x(0|[1-9a-f][0-9a-f]{0,63})\Z")]
"""A number of up to 256 bits, in hexadecimal without leading zeros."""
Hash = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{64}\Z")]
Data = Annotated[str, msgspec.Meta(pattern=r"\A0x([0-9a-f]{2})*\Z")]


class Block(msgspec.Struct, frozen=True, rename="camel"):
    """A block's head."""

    base_fee_per_gas: Quantity


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a transaction that is in a block."""

    transaction_hash: Hash
    block_number: Quantity
    status: Literal["0x0", "0x1"]


class KnownTransaction(msgspec.Struct, frozen=True):
    """A transaction that a node has, in a block or waiting."""

    hash: Hash


class Log(msgspec.Struct, frozen=True):
    """An event that a contract tells."""

    address: Data
    topics: tuple[Hash, ...]
    data: Data


class CallError(msgspec.Struct, frozen=True):
    """Why a simulated call failed."""

    message: str = ""


class SimulatedCall(msgspec.Struct, frozen=True):
    """One call of a simulated block."""

    status: Quantity
    logs: tuple[Log, ...] = ()
    error: CallError | None = None


class SimulatedBlock(msgspec.Struct, frozen=True):
    """One block of an `eth_simulateV1` answer."""

    calls: tuple[SimulatedCall, ...]
