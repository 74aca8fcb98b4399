"""Allowances: who may take how much until when, and what is dangerous about it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from console.adapters.chains.ethereum.address import ZERO
from console.adapters.chains.ethereum.meaning import Known, Meaning, shown_address, written

UNLIMITED = 1 << 127
"""From here on an allowance is as good as unlimited: no token has so many base units."""
FOR_EVER = 1 << 40
"""Seconds; a time beyond the year 36 000 is none."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Lets `spender` take up to `amount` of a token from `owner`; `deadline` in Unix seconds."""

    token: bytes
    owner: bytes
    spender: bytes
    amount: int
    deadline: int | None = None


def allowance_meaning(action: str, allowance: Allowance, signer: bytes, known: Known) -> Meaning:
    """Describe an allowance that `signer` gives."""
    amount = known.amount(allowance.token, allowance.amount)
    fields = [("Token contract", shown_address(allowance.token))]
    flags: list[str] = []
    if allowance.amount == 0:
        fields.append(("Allowance", "taken back"))
    elif allowance.amount >= UNLIMITED:
        flags.append(f"Unlimited: {shown_address(allowance.spender)} may take all of this token")
        fields.append(("Allowance", f"unlimited: {written(amount)}"))
    else:
        fields.append(("Allowance", written(amount)))
    if allowance.owner != signer:
        fields.append(("Owner", shown_address(allowance.owner)))
        flags.append("The allowance is given for another account than the one that signs")
    if allowance.deadline is not None:
        fields.append(("Valid until", moment(allowance.deadline)))
        if allowance.deadline >= FOR_EVER and allowance.amount:
            flags.append("The allowance never expires")
    if allowance.amount:
        flags += spender_flags(allowance.spender, known)
    flags += token_flags(allowance.token, known)
    return Meaning(action, allowance.spender, amount, tuple(fields), tuple(flags))


def spender_flags(spender: bytes, known: Known) -> tuple[str, ...]:
    """Return a warning of a spender that is not on the wallet's list."""
    if spender == ZERO:
        return ("The rights go to the zero address",)
    if spender not in known.spenders:
        return (f"{shown_address(spender)} is not on the list of contracts that may be trusted",)
    return ()


def token_flags(token: bytes, known: Known) -> tuple[str, ...]:
    """Return a warning of a contract that is not on the wallet's list of tokens."""
    if token in known.tokens:
        return ()
    danger = "its decimals, and whether it is a token at all, are not known"
    return (f"{shown_address(token)} is not on the list of tokens: {danger}",)


def moment(seconds: int) -> str:
    """Return a Unix time as date and time in UTC."""
    if seconds >= FOR_EVER:
        return f"for ever ({seconds})"
    if seconds > 253_402_300_799:
        return f"{seconds} seconds after 1970"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
