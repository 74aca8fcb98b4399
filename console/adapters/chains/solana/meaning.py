"""The effects of each instruction on coins and accounts, judged in the context of its message."""

from collections.abc import Callable
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana.address import derived_account
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
from console.adapters.chains.solana.instructions import budget, stake, system, token
from console.adapters.chains.solana.instructions.decode import MEMO
from console.adapters.chains.solana.instructions.shape import Reading, Shape
from console.adapters.chains.solana.nonce import NONCE_BYTES
from console.adapters.chains.solana.programs import KEYLESS, STAKE, SYSTEM
from console.adapters.chains.solana.token_meaning import (
    is_wrapped,
    own_wrapped,
    token_account_made,
    token_transfer,
)

STAKE_BYTES = 200
_NOT_MADE = "It sets up an account that the same message does not make"


def effects_of(context: Context) -> tuple[Effect, ...]:
    """Return the effects of a message in order; instructions that only serve another have none."""
    found = (_effect(reading, context) for reading in context.readings)
    return tuple(effect for effect in found if effect)


def _effect(reading: Reading, context: Context) -> Effect | None:
    if reading.shape is MEMO or _is_budget(reading):
        return None
    for shape, judge in _JUDGES:
        if reading.shape is shape:
            return judge(reading, context)
    return _plain(reading, context)


def _coin_transfer(reading: Reading, context: Context) -> Effect:
    to, lamports = reading.key("To"), reading.number("Lamports")
    flags: list[str] = []
    fields: tuple[tuple[str, str], ...] = ()
    if reading.key("From") != context.payer:
        flags.append("Coins leave another account than the one that pays the fee")
    if not lamports:
        flags.append("The transfer moves nothing")
    if is_wrapped(reading, context):
        fields = (("Token account", str(to)),)
        return Effect("Wrap coins", str(context.payer), coins(lamports), fields, tuple(flags))
    if to in KEYLESS:
        flags.append(f"Coins {NOWHERE}")
    elif not to.is_on_curve():
        fields = (PROGRAMS_OWN,)
    action = TO_ITSELF if to == context.payer else "Transfer"
    return Effect(action, str(to), coins(lamports), fields, tuple(flags), transfer=True)


def _wrapped_counted(reading: Reading, context: Context) -> Effect | None:
    """Return the effect of counting wrapped coins; None if the same message brings them there."""
    if any(is_wrapped(other, context) for other in context.readings):
        served = reading.key("Token account") in own_wrapped(context.payer)
        if served:
            return None
    return _plain(reading, context)


def _coins_back(reading: Reading, context: Context) -> Effect:
    """Return the effect of withdrawing coins from an account that the wallet controls."""
    to, lamports = str(reading.key("To")), coins(reading.number("Lamports"))
    return Effect(reading.shape.name, to, lamports, shown(reading), _flags(reading, context))


def _advance(reading: Reading, context: Context) -> Effect | None:
    """Return the effect of using a durable nonce, which must be the first and the wallet's."""
    flags = []
    if reading.key("Authority") != context.payer:
        flags.append("The durable nonce is in the hands of another account")
    if reading.call.number != 1:
        flags.append("A durable nonce is used up that is not the one this message lasts by")
    if not flags and all(r is reading or _is_budget(r) for r in context.readings):
        # Any other message signed with this nonce becomes invalid.
        return Effect("Cancel", str(context.payer), coins(0))
    if not flags:
        return None
    return Effect(reading.shape.name, "", coins(0), shown(reading), tuple(flags))


def _account_made(reading: Reading, context: Context) -> Effect:
    """Return the effect of creating an account: for a durable nonce, a stake, or another use."""
    account, program = reading.key("New account"), reading.key("Program")
    base, seed = reading.key("Base key"), reading.text("Seed")
    flags = []
    if reading.key("From") != context.payer or base != context.payer:
        flags.append("The new account is made by another account than the one that pays")
    if account != derived_account(base, seed, program):
        flags.append("The new account's address does not follow from its seed")
    action, size = reading.shape.name, 0
    if program == SYSTEM and _sets_up(context, system.INITIALIZE_NONCE, "Nonce account", account):
        action, size = system.INITIALIZE_NONCE.name, NONCE_BYTES
    elif program == STAKE and _sets_up(context, stake.INITIALIZE, "Stake account", account):
        action, size = stake.INITIALIZE.name, STAKE_BYTES
    else:
        flags.append(f"It makes an account for {program} and leaves it as it is")
    if size != reading.number("Space"):
        flags.append("The new account's size is not what its use needs")
    lamports = coins(reading.number("Lamports"))
    fields = (*shown(reading), *_validators(context, account))
    return Effect(action, str(account), lamports, fields, tuple(flags))


def _nonce_set_up(reading: Reading, context: Context) -> Effect | None:
    flags = []
    if reading.key("Authority") != context.payer:
        flags.append("The durable nonce that is made is in the hands of another key")
    if not _made(context, reading.key("Nonce account")):
        flags.append(_NOT_MADE)
    if not flags:
        return None
    return Effect(reading.shape.name, "", coins(0), shown(reading), tuple(flags))


def _stake_set_up(reading: Reading, context: Context) -> Effect | None:
    flags = list(strangers(reading, context.payer))
    if any(reading.number(label) for label in ("Locked until", "Locked until epoch")):
        flags.append("The stake is locked: it cannot be taken back before its time")
    if reading.key("Custodian of the lock") not in {SYSTEM, context.payer}:
        flags.append("Stake: another account than the one that pays may lock it")
    if not _made(context, reading.key("Stake account")):
        flags.append(_NOT_MADE)
    if not flags:
        return None
    return Effect(reading.shape.name, "", coins(0), shown(reading), tuple(flags))


def _delegated(reading: Reading, context: Context) -> Effect | None:
    """Return the effect of a delegation; None if it belongs to a stake that the message creates."""
    if _made(context, reading.key("Stake account")) and not strangers(reading, context.payer):
        return None
    return _plain(reading, context)


def _validators(context: Context, account: Pubkey) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("Validator", str(reading.key("Validator")))
        for reading in context.readings
        if reading.shape is stake.DELEGATE and reading.key("Stake account") == account
    )


def _plain(reading: Reading, context: Context) -> Effect:
    """Return an effect that shows the whole instruction, with its red flags."""
    return Effect(reading.shape.name, "", coins(0), shown(reading), _flags(reading, context))


def _flags(reading: Reading, context: Context) -> tuple[str, ...]:
    danger = (reading.shape.danger,) if reading.shape.danger else ()
    return (*danger, *strangers(reading, context.payer))


def _is_budget(reading: Reading) -> bool:
    return reading.shape in budget.SHAPES.values()


def _sets_up(context: Context, shape: Shape, label: str, account: Pubkey) -> bool:
    return any(r.shape is shape and r.key(label) == account for r in context.readings)


def _made(context: Context, account: Pubkey) -> bool:
    return _sets_up(context, system.CREATE_WITH_SEED, "New account", account)


_JUDGES: Final[tuple[tuple[Shape, Callable[[Reading, Context], Effect | None]], ...]] = (
    (system.TRANSFER, _coin_transfer),
    (system.TRANSFER_WITH_SEED, _coins_back),
    (system.WITHDRAW_NONCE, _coins_back),
    (system.ADVANCE_NONCE, _advance),
    (system.CREATE_WITH_SEED, _account_made),
    (system.INITIALIZE_NONCE, _nonce_set_up),
    (stake.INITIALIZE, _stake_set_up),
    (stake.DELEGATE, _delegated),
    (stake.WITHDRAW, _coins_back),
    (token.TRANSFER, token_transfer),
    (token.TRANSFER_CHECKED, token_transfer),
    (token.TRANSFER_WITH_FEE, token_transfer),
    (token.CREATE_ASSOCIATED, token_account_made),
    (token.SYNC_NATIVE, _wrapped_counted),
)
