"""The coins that leave the wallet's account in a message, and those that come to it."""

from collections.abc import Iterable, Iterator
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana.instructions import stake, system
from console.adapters.chains.solana.instructions.shape import Reading, Shape
from console.domain.transaction import CoinFlow

_FROM_PAYER: Final = (system.TRANSFER, system.CREATE, system.CREATE_WITH_SEED)
_TO_SOMEBODY: Final = (
    system.TRANSFER,
    system.TRANSFER_WITH_SEED,
    system.WITHDRAW_NONCE,
    stake.WITHDRAW,
)


def flow_of(readings: Iterable[Reading], payer: Pubkey) -> CoinFlow:
    """Return the sums of all instructions; deposits for token accounts are no part of the bytes."""
    out = back = 0
    for reading in readings:
        if _is(reading, _FROM_PAYER) and reading.key("From") == payer:
            out += reading.number("Lamports")
        if _is(reading, _TO_SOMEBODY) and reading.key("To") == payer:
            back += reading.number("Lamports")
    return CoinFlow(out=out, back=back)


def payments(readings: Iterable[Reading]) -> Iterator[tuple[Pubkey, int]]:
    """Yield the receiver and the lamports of each instruction that brings coins to an account."""
    for reading in readings:
        if _is(reading, _TO_SOMEBODY):
            yield reading.key("To"), reading.number("Lamports")


def _is(reading: Reading, shapes: tuple[Shape, ...]) -> bool:
    return any(reading.shape is shape for shape in shapes)
