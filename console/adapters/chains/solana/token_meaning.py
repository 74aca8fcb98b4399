"""The effects of token instructions: which token, from which account, and to which proven owner."""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.effect import (
    NOWHERE,
    PROGRAMS_OWN,
    TO_ITSELF,
    Context,
    Effect,
    shown,
    strangers,
)
from console.adapters.chains.solana.fees import coins
from console.adapters.chains.solana.instructions import system, token
from console.adapters.chains.solana.instructions.shape import Reading
from console.adapters.chains.solana.programs import KEYLESS, TOKEN_2022, TOKEN_PROGRAMS, WRAPPED
from console.domain.values import Amount

NOT_KNOWN = "base units"
"""The unit of a token that this node does not list."""


def token_transfer(reading: Reading, context: Context) -> Effect:
    """Return the effect of a transfer. `to` is the receiver's own address where the bytes prove it.

    The proof is the derivation of the token account from its owner and the mint. The owner is the
    wallet itself, or named by the instruction that creates the account unless it exists, or beside
    the message (`request`). Only that instruction (CreateIdempotent) fails if the account was
    handed to another owner by then; the older creation fails if there is an account at all. An own
    account, and a name beside the message, are what the proposer's node found: nothing fails.
    """
    account = reading.key("To token account")
    seen = _unnamed(reading) if reading.shape is token.TRANSFER else _named(reading, context)
    fields = [("Token account", str(account)), *seen.fields]
    if reading.call.program == TOKEN_2022:
        fields.append(("Token program", "Token-2022"))
    if any(_makes(other, account) for other in context.readings):
        fields.append(("If the token account is missing", "it is made, with a deposit from here"))
    if seen.owner and seen.owner not in KEYLESS and not seen.owner.is_on_curve():
        fields.append(PROGRAMS_OWN)
    if seen.owner and seen.owner in context.owners:
        fields.append(("Token account's owner", "the payee, by the account's address"))
    flags = (*_flags(reading, context.payer), *seen.flags, *_owner_flags(seen.owner))
    to = str(seen.owner or account)
    action = TO_ITSELF if seen.owner == context.payer else "Token transfer"
    return Effect(action, to, seen.amount, tuple(fields), flags, transfer=True)


def token_account_made(reading: Reading, context: Context) -> Effect | None:
    """Return the effect of creating a token account; None if it only serves a transfer."""
    flags = list(strangers(reading, context.payer))
    program, mint = reading.key("Token program"), reading.key("Mint")
    owner, account = reading.key("Owner"), reading.key("Token account")
    if program not in TOKEN_PROGRAMS or token_account(owner, mint, program) != account:
        flags.append("The token account that is made does not belong to its owner and mint")
    if reading.key("Payer") != context.payer:
        flags.append("The deposit of a token account is paid by another account")
    served = any(
        _is_transfer(other)
        and (other.key("To token account"), other.call.program) == (account, program)
        for other in context.readings
    ) or any(
        is_wrapped(other, context) and other.key("To") == account for other in context.readings
    )
    if served and not flags:
        return None
    if owner != context.payer:
        flags.append("It pays for a token account of somebody else, to which nothing is sent")
    return Effect(reading.shape.name, str(owner), coins(0), shown(reading), tuple(flags))


def own_wrapped(payer: Pubkey) -> tuple[Pubkey, ...]:
    """Return the wallet's own accounts for wrapped coins."""
    return tuple(token_account(payer, mint, program) for program, mint in WRAPPED.items())


def is_wrapped(reading: Reading, context: Context) -> bool:
    """Return whether a transfer brings coins to the wallet's account for wrapped ones.

    It does only where a later instruction counts them; else they lie there and are no tokens.
    """
    if reading.shape is not system.TRANSFER or reading.key("From") != context.payer:
        return False
    to = reading.key("To")
    return to in own_wrapped(context.payer) and any(
        other.shape is token.SYNC_NATIVE
        and other.key("Token account") == to
        and other.call.number > reading.call.number
        for other in context.readings
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The token of a transfer, and the proven owner of the receiving account."""

    amount: Amount
    owner: Pubkey | None
    fields: tuple[tuple[str, str], ...]
    flags: tuple[str, ...] = ()


def _unnamed(reading: Reading) -> _Seen:
    """Return what the older transfer shows: it names no mint, so no owner is proven."""
    fields = (("From token account", str(reading.key("Token account"))),)
    return _Seen(Amount(reading.number("Amount"), NOT_KNOWN, 0), None, fields)


def _named(reading: Reading, context: Context) -> _Seen:
    mint, decimals = reading.key("Mint"), reading.number("Decimals")
    fields: list[tuple[str, str]] = [("Mint", str(mint))]
    flags: list[str] = []
    asset = context.assets.get(str(mint))
    flags += context.dangers.get(str(mint), ())
    if asset is None:
        flags.append(f"{mint} is not on the list of tokens: what its transfers do is not known")
    amount = Amount(reading.number("Amount"), NOT_KNOWN, 0)
    if asset and asset.decimals == decimals:
        amount = Amount(reading.number("Amount"), asset.unit, asset.decimals)
    else:
        fields.append(("Decimals", str(decimals)))
    if asset and asset.decimals != decimals:
        flags.append("The token has other decimals than this node lists for it")
    source = reading.key("Token account")
    if source != token_account(context.payer, mint, reading.call.program):
        flags.append(f"Tokens leave {source}, which is not the wallet's own account for this token")
    if reading.shape is token.TRANSFER_WITH_FEE:
        fields.append(("Withheld fee", str(reading.number("Withheld fee"))))
    return _Seen(amount, _owner(reading, mint, context), tuple(fields), tuple(flags))


def _flags(reading: Reading, payer: Pubkey) -> list[str]:
    flags = [reading.shape.danger] if reading.shape.danger else []
    if reading.key("Authority") != payer:
        flags.append("Tokens leave by the word of another account than the one that pays")
    if not reading.number("Amount"):
        flags.append("The transfer moves nothing")
    return flags


def _owner_flags(owner: Pubkey | None) -> tuple[str, ...]:
    if owner is None:
        return ("The message does not prove who owns the token account that receives",)
    if owner in KEYLESS:
        return (f"Tokens {NOWHERE}",)
    return ()


def _is_transfer(reading: Reading) -> bool:
    shapes = (token.TRANSFER, token.TRANSFER_CHECKED, token.TRANSFER_WITH_FEE)
    return any(reading.shape is shape for shape in shapes)


def _makes(reading: Reading, account: Pubkey) -> bool:
    made = reading.shape is token.CREATE_ASSOCIATED
    return made and reading.key("Token account") == account


def _owner(reading: Reading, mint: Pubkey, context: Context) -> Pubkey | None:
    """Return the proven owner of the receiving account, None if there is no proof."""
    account, program = reading.key("To token account"), reading.call.program
    made = (other.key("Owner") for other in context.readings if _makes(other, account))
    for owner in dict.fromkeys((*made, context.payer, *context.owners)):
        if token_account(owner, mint, program) == account:
            return owner
    return None
