"""Decoding of an instruction by its program's table."""

from contextlib import suppress

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.instructions import budget, stake, system
from console.adapters.chains.solana.instructions.shape import (
    Kind,
    NotUnderstood,
    Reading,
    Shape,
    read_tagged,
)
from console.adapters.chains.solana.instructions.token import read_associated, read_token
from console.adapters.chains.solana.message import Call, ParsedMessage

MEMO = Shape("Memo")
"""A memo: its accounts are the signers that it names, its data is the text."""


def decode(call: Call) -> Reading:
    """Return one decoded instruction. Raises: NotUnderstood."""
    match call.program:
        case programs.SYSTEM:
            return read_tagged(call, system.SHAPES, Kind.U32, system.NAMES)
        case programs.TOKEN | programs.TOKEN_2022:
            return read_token(call)
        case programs.ASSOCIATED_TOKEN:
            return read_associated(call)
        case programs.STAKE:
            return read_tagged(call, stake.SHAPES, Kind.U32, stake.NAMES)
        case programs.COMPUTE_BUDGET:
            return read_tagged(call, budget.SHAPES, Kind.U8, budget.NAMES)
        case programs.MEMO | programs.MEMO_V1 if call.complete:
            return Reading(call, MEMO, {}, {})
        case _:
            raise NotUnderstood


def readings_of(message: ParsedMessage) -> tuple[Reading, ...]:
    """Return the instructions of a message that are understood, in order."""
    readings = []
    for call in message.calls:
        with suppress(NotUnderstood):
            readings.append(decode(call))
    return tuple(readings)
