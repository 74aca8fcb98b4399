"""Red flags of a whole transaction: its fee, its locks, and the hash types of its inputs."""

from console.adapters.chains.bitcoin.meaning import Payee
from console.adapters.chains.bitcoin.psbt_fields import LOCKTIME_IS_TIME, In
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.spending import Spending
from console.adapters.chains.bitcoin.text import coins, rate_text
from console.adapters.chains.bitcoin.transaction import FINAL_SEQUENCE, Transaction, TxOut

MAX_FEE_PERCENT = 25
SMALL_FEE = 20_000
"""Satoshis; a fee up to this is not compared with the payment."""
MAX_FEE_RATE = 500
"""Satoshis per virtual byte."""
_FAR_HEIGHT = 4_000_000
"""A block of about the year 2085; a later lock time cannot be meant."""
_STANDARD_VERSIONS = (1, 2)
_NO_RELATIVE_LOCK = 1 << 31


def fee_flags(spending: Spending, payees: tuple[Payee, ...], vsize: int) -> tuple[str, ...]:
    """Return red flags of a fee that is too high for the amount or for the size."""
    fee = spending.fee
    foreign = sum(each.output.amount for each in payees if each.own is None)
    moved = foreign or sum(each.output.amount for each in payees)
    flags: tuple[str, ...] = ()
    if fee > SMALL_FEE and fee * 100 > MAX_FEE_PERCENT * moved:
        flags += (f"The fee of {coins(fee)} is more than {MAX_FEE_PERCENT} % of what is paid",)
    if fee > MAX_FEE_RATE * vsize:
        flags += (f"The fee rate of {rate_text(fee, vsize)} is above {MAX_FEE_RATE} sat/vB",)
    return flags


def lock_flags(transaction: Transaction) -> tuple[str, ...]:
    """Return red flags of a version that nodes do not relay, and of lock times."""
    flags: tuple[str, ...] = ()
    if transaction.version not in _STANDARD_VERSIONS:
        flags += (f"Version {transaction.version} of transactions is not standard",)
    if transaction.locktime >= LOCKTIME_IS_TIME:
        flags += ("The transaction is locked until a time of day instead of a block",)
    elif transaction.locktime > _FAR_HEIGHT:
        flags += (f"The transaction is locked until block {transaction.locktime}",)
    for number, each in enumerate(transaction.inputs, start=1):
        if not each.sequence & _NO_RELATIVE_LOCK:
            flags += (f"Input {number} is locked for a while by its sequence number",)
    return flags


def hash_type_flags(spending: Spending) -> tuple[str, ...]:
    """Return red flags of inputs whose signature would not cover the whole transaction."""
    return tuple(
        f"Input {number} asks for a signature over a part of the transaction"
        for number, (fields, output) in enumerate(
            zip(spending.psbt.inputs, spending.spent, strict=True), start=1
        )
        if _odd_hash_type(fields, output)
    )


def is_replaceable(transaction: Transaction) -> bool:
    """Return whether it signals replaceability (BIP 125)."""
    return any(each.sequence < FINAL_SEQUENCE - 1 for each in transaction.inputs)


def _odd_hash_type(fields: Fields, spent: TxOut) -> bool:
    value = value_of(fields, In.SIGHASH_TYPE)
    if value is None:
        return False
    allowed = {0, 1} if kind_of(spent.script) is ScriptKind.P2TR else {1}
    return int.from_bytes(value, "little") not in allowed
