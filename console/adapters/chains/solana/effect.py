"""One effect of a message, and the context that it is judged in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from console.adapters.chains.solana.instructions.shape import FIXED, Reading
from console.application.ports.chain import Asset
from console.domain.values import Amount

NOWHERE = "go to a program or a part of the cluster, from which no key can move them"
TO_ITSELF = "Move to own account"
"""The action of a transfer to the wallet itself: nobody is paid."""
PROGRAMS_OWN = ("Payee", "a program's own account, such as a multisig's vault: no key signs for it")


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect; `to` is "" if no amount moves, `transfer` marks a transfer to an address."""

    action: str
    to: str
    amount: Amount
    fields: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    transfer: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The message of an instruction, and what is known beside it.

    `assets` are the listed tokens by mint, `owners` those that addresses prove, and `dangers` are
    the red flags of mints.
    """

    payer: Pubkey
    readings: tuple[Reading, ...]
    assets: Mapping[str, Asset]
    owners: tuple[Pubkey, ...] = ()
    dangers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def shown(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Return an instruction's accounts and values, without accounts that are fixed."""
    accounts = [(k, str(v)) for k, v in reading.accounts.items() if k not in FIXED]
    values = [
        (k, "none" if v is None else str(v) if not isinstance(v, str) else ascii(v)[1:-1])
        for k, v in reading.values.items()
    ]
    return (*accounts, *values)


def strangers(reading: Reading, payer: Pubkey) -> tuple[str, ...]:
    """Return a red flag for each account that should be the wallet and is another."""
    return tuple(
        f"{reading.shape.name}: {label.lower()} is another account than the one that pays"
        for label in reading.shape.own
        if reading.key(label) != payer
    )
