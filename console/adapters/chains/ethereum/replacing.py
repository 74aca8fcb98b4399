"""Replacing a transaction that waits: by the same at a higher fee, or by a cancellation."""

from dataclasses import replace

from console.adapters.chains.ethereum.fees import Fees, outbids
from console.adapters.chains.ethereum.transaction import (
    Transaction,
    TransactionKind,
    parse_transaction,
)
from console.application.errors import TransactionError

PLAIN_GAS = 21_000
_PRICED = frozenset({TransactionKind.DYNAMIC_FEE})


def is_replaceable(transaction: Transaction) -> bool:
    """Return whether another one may take its nonce for a higher fee."""
    return transaction.kind in _PRICED


def replacement(old: Transaction, fees: Fees, account: bytes, *, cancel: bool) -> Transaction:
    """Return what takes the place of `old` with the same nonce. Raises: TransactionError."""
    if not is_replaceable(old):
        raise TransactionError("only transactions of type 2 (EIP-1559) are replaced here")
    priced = replace(old, max_fee=fees.max_fee, max_tip=fees.max_tip)
    if cancel:
        return replace(priced, to=account, value=0, data=b"", access_list=(), gas_limit=PLAIN_GAS)
    return priced


def why_not_replaced(old: bytes, new: bytes) -> str:
    """Return "" if `new` may be signed beside `old`, which has its nonce, else why not.

    Raises: UnknownTransaction.
    """
    before, after = parse_transaction(old), parse_transaction(new)
    if not is_replaceable(before) or not is_replaceable(after):
        return "only transactions of type 2 (EIP-1559) are replaced"
    if (before.chain_id, before.nonce) != (after.chain_id, after.nonce):
        return "it has another nonce or chain"
    if not outbids(before, after):
        return "both of its fees must be a tenth higher, else nodes do not replace"
    same = replace(before, max_fee=after.max_fee, max_tip=after.max_tip)
    # Whether an empty transfer goes to the account itself, and so cancels, `describe` tells.
    empty = not after.value and not after.data and not after.access_list
    if after == same or empty:
        return ""
    return "it does something else than the transaction whose nonce it has"
