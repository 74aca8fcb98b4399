"""Replacement: the same payments or none, for a higher fee (BIP 125).

Bitcoin Core from version 28 on replaces whatever waits, whether it says so or not (rule 1).
"""

from console.adapters.chains.bitcoin.ownership import is_claimed
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import Spending, parse_spending
from console.adapters.chains.bitcoin.transaction import TxOut

INCREMENTAL_RATE = 1
"""Satoshis per virtual byte that a replacement must add (BIP 125, rule 4)."""


def may_replace_psbt(old: bytes, new: bytes) -> str:
    """Return "" if `new` may replace `old`, else why not. Raises: UnknownTransaction.

    Own outputs are identified by claims alone here: `describe` flags a false claim.
    """
    before, after = parse_spending(old), parse_spending(new)
    reason = _intent_reason(before.psbt, after.psbt)
    return reason or _fee_reason(before, after)


def coins_of(spending: Spending) -> frozenset[str]:
    """Return the names of the spent coins."""
    return frozenset(f"utxo:{each.outpoint.text}" for each in spending.psbt.transaction.inputs)


def lowest_replacing_fee(old: Spending, vsize: int) -> int:
    """Return the least fee in satoshis for a replacement of this size (BIP 125, rules 3 and 4)."""
    return old.fee + INCREMENTAL_RATE * vsize


def _intent_reason(old: Psbt, new: Psbt) -> str:
    needed = {each.outpoint for each in old.transaction.inputs}
    spent = {each.outpoint for each in new.transaction.inputs}
    if needed.isdisjoint(spent):
        return "it spends none of the same coins: both could go through"
    if not needed <= spent:
        # The old one may have replaced another in turn, which has only the left out coin in common.
        return "it leaves out a coin: what the other one replaced could go through beside it"
    payments = _payments(new)
    if payments and payments != _payments(old):
        return "it neither pays the same nor takes everything back"
    return ""


def _fee_reason(old: Spending, new: Spending) -> str:
    size, old_size = signed_vsize(new), signed_vsize(old)
    if new.fee < lowest_replacing_fee(old, size):
        return "its fee is not high enough for nodes to take it instead"
    # Nodes also require a higher rate. Cross-multiplied, because rates are fractions.
    if new.fee * old_size <= old.fee * size:
        return "its fee rate is not higher"
    return ""


def _payments(psbt: Psbt) -> list[TxOut]:
    pairs = zip(psbt.transaction.outputs, psbt.outputs, strict=True)
    foreign = (output for output, fields in pairs if not is_claimed(fields))
    return sorted(foreign, key=TxOut.encode)
