"""Red flags of a whole transaction: its fee, its form and locks, the hash types of its inputs."""

from console.adapters.chains.bitcoin.horizon import Horizon
from console.adapters.chains.bitcoin.meaning import Payee
from console.adapters.chains.bitcoin.psbt_fields import LOCKTIME_IS_TIME, In
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.spending import Spending
from console.adapters.chains.bitcoin.text import coins, date_text, rate_text
from console.adapters.chains.bitcoin.transaction import FINAL_SEQUENCE, Transaction, TxOut

MAX_FEE_PERCENT = 25
SMALL_FEE = 20_000
"""Satoshis; a fee up to this is not compared with the payment."""
MAX_FEE_RATE = 500
"""Satoshis per virtual byte."""
TRUC_VERSION = 3
"""Restricted until it is confirmed, and always replaceable (BIP 431); Bitcoin Core 28 relays it."""
_TRUC_VSIZE = 10_000
_STANDARD_VERSIONS = (1, 2, TRUC_VERSION)
_RELATIVE_VERSION = 2
_NO_RELATIVE_LOCK = 1 << 31
_LOCK_BY_TIME = 1 << 22
_LOCK_MASK = 0xFFFF
_LOCK_UNIT_S = 512
"""The parts of a sequence number that lock an input after its coin (BIP 68)."""


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


def standard_flags(transaction: Transaction, vsize: int) -> tuple[str, ...]:
    """Return red flags of a version that nodes do not relay, or not in this size (BIP 431)."""
    if transaction.version not in _STANDARD_VERSIONS:
        return (f"Version {transaction.version} of transactions is not standard",)
    if transaction.version == TRUC_VERSION and vsize > _TRUC_VSIZE:
        return (f"Nodes relay version {TRUC_VERSION} up to {_TRUC_VSIZE} vB; this has {vsize} vB",)
    return ()


def lock_flags(transaction: Transaction, horizon: Horizon) -> tuple[str, ...]:
    """Return red flags of locks that keep a signed transaction waiting for long."""
    flags: tuple[str, ...] = ()
    lock = transaction.locktime
    if not is_unlocked(transaction):
        if lock >= LOCKTIME_IS_TIME and lock > horizon.time_s:
            flags += (f"The transaction is locked until {date_text(lock)}",)
        elif horizon.height < lock < LOCKTIME_IS_TIME:
            flags += (f"The transaction is locked until block {lock}, which is far ahead",)
    for number, each in enumerate(transaction.inputs, start=1):
        wait = relative_lock(transaction.version, each.sequence)
        if wait:
            flags += (f"Input {number} is locked by its sequence number: {wait} after its coin",)
    return flags


def is_unlocked(transaction: Transaction) -> bool:
    """Return whether all sequence numbers are final, which switches the lock time off."""
    return all(each.sequence == FINAL_SEQUENCE for each in transaction.inputs)


def relative_lock(version: int, sequence: int) -> str:
    """Return for how long an input is locked after its coin, "" if it is not (BIP 68).

    From version 2 on, and only the low 16 bits count.
    """
    count = sequence & _LOCK_MASK
    if version < _RELATIVE_VERSION or sequence & _NO_RELATIVE_LOCK or not count:
        return ""
    return f"{count * _LOCK_UNIT_S} s" if sequence & _LOCK_BY_TIME else f"{count} blocks"


def hash_type_flags(spending: Spending) -> tuple[str, ...]:
    """Return red flags of inputs whose signature would not cover the whole transaction."""
    return tuple(
        f"Input {number} asks for a signature over a part of the transaction"
        for number, (fields, output) in enumerate(
            zip(spending.psbt.inputs, spending.spent, strict=True), start=1
        )
        if _odd_hash_type(fields, output)
    )


def signals_replacement(transaction: Transaction) -> bool:
    """Return whether it says that it may be replaced (BIP 125, BIP 431)."""
    says = any(each.sequence < FINAL_SEQUENCE - 1 for each in transaction.inputs)
    return says or transaction.version == TRUC_VERSION


def _odd_hash_type(fields: Fields, spent: TxOut) -> bool:
    value = value_of(fields, In.SIGHASH_TYPE)
    if value is None:
        return False
    allowed = {0, 1} if kind_of(spent.script) is ScriptKind.P2TR else {1}
    return int.from_bytes(value, "little") not in allowed
