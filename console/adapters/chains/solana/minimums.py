"""The least that an account may hold: a cluster executes nothing that leaves one with less.

An account holds nothing at all, or what exempts it from rent. So a payment to a new account has a
least amount, and a payer keeps that amount or sends everything.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator

from solders.pubkey import Pubkey

from console.adapters.chains.solana.fees import UNIT, coins
from console.adapters.chains.solana.flow import payments
from console.adapters.chains.solana.instructions.decode import readings_of
from console.adapters.chains.solana.instructions.shape import Reading
from console.adapters.chains.solana.instructions.system import CREATE, CREATE_WITH_SEED
from console.adapters.chains.solana.instructions.token import CREATE_ASSOCIATED
from console.adapters.chains.solana.message import ParsedMessage
from console.adapters.chains.solana.node import SolanaNode
from console.application.errors import TransactionError
from console.domain.transaction import CoinFlow


async def check_minimums(node: SolanaNode, message: ParsedMessage, flow: CoinFlow) -> None:
    """Check the accounts that a message pays, and the one that pays; `flow` includes the fee.

    Raises: TransactionError, ChainUnavailable.
    """
    readings = readings_of(message)
    paid: Counter[Pubkey] = Counter()
    for to, lamports in payments(readings):
        paid[to] += lamports
    for made in (message.payer, *_made(readings)):
        paid.pop(made, None)
    least, balance = await asyncio.gather(node.deposit(0), node.balance(message.payer))
    found = await asyncio.gather(*map(node.account, paid))
    for (to, lamports), account in zip(paid.items(), found, strict=True):
        if account is None and 0 < lamports < least:
            raise TransactionError(
                f"{to} is a new account, which must be paid a minimum of {_written(least)}"
            )
    left = balance - flow.out + flow.back
    if flow.out <= balance and 0 < left < least:
        raise TransactionError(
            f"{_written(left)} would be left, less than the {_written(least)} that an account must "
            "hold: send less, or everything"
        )


def _made(readings: tuple[Reading, ...]) -> Iterator[Pubkey]:
    """Yield the accounts that the message makes itself, with what they need."""
    for reading in readings:
        if reading.shape is CREATE_ASSOCIATED:
            yield reading.key("Token account")
        elif reading.shape is CREATE or reading.shape is CREATE_WITH_SEED:
            yield reading.key("New account")


def _written(lamports: int) -> str:
    return f"{coins(lamports).text()} {UNIT}"
