"""The highest fee of a message: signatures and priority fee.

Figures: Solana's documentation, "Fees" (5,000 lamports a signature, also for those that precompiles
check; the priority fee is the price of a compute unit, in millionths of a lamport, times the units
asked for, rounded up). Without a limit, an instruction reserves 3,000 units of a built-in program
and 200,000 of any other (SIMD-170).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.instructions import budget
from console.adapters.chains.solana.instructions.shape import Reading, Shape
from console.adapters.chains.solana.message import Call, ParsedMessage
from console.domain.values import Amount

UNIT, DECIMALS = "SOL", 9
LAMPORTS_PER_SIGNATURE: Final = 5_000
MAX_UNITS: Final = 1_400_000
"""The most compute units that one transaction may use."""
MAX_PRIORITY_FEE: Final = 28_000_000
"""Lamports: MAX_UNIT_PRICE of `node` times MAX_UNITS."""
_UNITS, _BUILTIN_UNITS = 200_000, 3_000
_MICRO = 1_000_000
_MAX_FEE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee in lamports, with its fields and red flags."""

    lamports: int
    fields: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]


def coins(lamports: int) -> Amount:
    """Return an amount of the chain's own coin."""
    return Amount(lamports, UNIT, DECIMALS)


def fee_of(readings: Sequence[Reading], message: ParsedMessage) -> Fee:
    """Return the highest fee that the chain can charge for a message with these readings."""
    price = _only(readings, budget.UNIT_PRICE, "Micro-lamports") or 0
    limit = _only(readings, budget.UNIT_LIMIT, "Units")
    units = min(MAX_UNITS, sum(map(_reserved, message.calls)) if limit is None else limit)
    # The chain's own sum saturates at 2^64 - 1.
    priority = min(-(-price * units // _MICRO), _MAX_FEE)
    fields = [
        (reading.shape.name, str(reading.number(label)))
        for reading in readings
        if reading.shape in budget.SHAPES.values()
        for label in reading.values
    ]
    if price:
        fields.append(("Priority fee", f"{coins(priority).text()} {UNIT}"))
    flags = [
        f"{shape.name} is set more than once: the chain refuses that"
        for shape in budget.SHAPES.values()
        if sum(reading.shape is shape for reading in readings) > 1
    ]
    if priority > MAX_PRIORITY_FEE:
        most = f"{coins(MAX_PRIORITY_FEE).text()} {UNIT}"
        flags.append(f"The priority fee of {coins(priority).text()} {UNIT} is above {most}")
    signatures = len(message.signers) + sum(map(_checked, message.calls))
    return Fee(signatures * LAMPORTS_PER_SIGNATURE + priority, tuple(fields), tuple(flags))


def _reserved(call: Call) -> int:
    """Return the compute units that an instruction reserves where the message sets no limit."""
    return _BUILTIN_UNITS if call.program in programs.BUILTINS else _UNITS


def _checked(call: Call) -> int:
    """Return the number of signatures that an instruction has a precompile check."""
    return call.data[0] if call.program in programs.PRECOMPILES and call.data else 0


def _only(readings: Sequence[Reading], shape: Shape, label: str) -> int | None:
    """Return the highest value, so that what is shown is never too low."""
    values = [reading.number(label) for reading in readings if reading.shape is shape]
    return max(values, default=None)
