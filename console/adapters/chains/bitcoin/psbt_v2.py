"""The transaction that the fields of a version 2 PSBT describe (BIP 370)."""

from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.transaction import (
    FINAL_SEQUENCE,
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    check_amounts,
)
from console.application.errors import UnknownTransaction


def unsigned_transaction(
    fields: Fields, inputs: tuple[Fields, ...], outputs: tuple[Fields, ...]
) -> Transaction:
    """Return the transaction of checked maps. Raises: UnknownTransaction."""
    transaction = Transaction(
        _number(fields, Global.TX_VERSION, 0),
        tuple(_input(each) for each in inputs),
        tuple(_output(each) for each in outputs),
        lock_time(fields, inputs),
    )
    check_amounts(transaction.outputs)
    return transaction


def lock_time(fields: Fields, inputs: tuple[Fields, ...]) -> int:
    """Return the lock time that all inputs accept (BIP 370, determining lock time).

    A height if both kinds are accepted. Raises: UnknownTransaction if neither is.
    """
    heights = [_optional(each, In.REQUIRED_HEIGHT_LOCKTIME) for each in inputs]
    times = [_optional(each, In.REQUIRED_TIME_LOCKTIME) for each in inputs]
    asking = sum(pair != (None, None) for pair in zip(heights, times, strict=True))
    if not asking:
        return _number(fields, Global.FALLBACK_LOCKTIME, 0)
    for wishes in (heights, times):
        known = [wish for wish in wishes if wish is not None]
        if len(known) == asking:
            return max(known)
    raise UnknownTransaction("some inputs ask for a height and others for a time to wait for")


def _input(fields: Fields) -> TxIn:
    outpoint = OutPoint(
        value_of(fields, In.PREVIOUS_TXID) or b"", _number(fields, In.OUTPUT_INDEX, 0)
    )
    return TxIn(outpoint, sequence=_number(fields, In.SEQUENCE, FINAL_SEQUENCE))


def _output(fields: Fields) -> TxOut:
    return TxOut(_number(fields, Out.AMOUNT, 0), value_of(fields, Out.SCRIPT) or b"")


def _number(fields: Fields, kind: int, missing: int) -> int:
    found = _optional(fields, kind)
    return missing if found is None else found


def _optional(fields: Fields, kind: int) -> int | None:
    value = value_of(fields, kind)
    return None if value is None else int.from_bytes(value, "little")
