"""PSBTs of other programs, converted to the form that is signed here."""

from dataclasses import replace

from console.adapters.chains.bitcoin.limits import MAX_IMPORT_BYTES, MAX_PSBT_BYTES
from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import to_v0
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered, value_of, without
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.transaction import (
    Transaction,
    parse_output,
    parse_transaction,
)
from console.application.errors import TransactionError, UnknownTransaction


class ProofsTooLarge(TransactionError):
    """The transactions that made the chosen coins do not fit into one PSBT."""


def parse_foreign(data: bytes) -> Psbt:
    """Return a PSBT of either version, as version 0. Raises: UnknownTransaction."""
    # What other programs noted is dropped, so its number matters as little as its size.
    return to_v0(parse_psbt(data, MAX_IMPORT_BYTES, MAX_IMPORT_BYTES))


def previous_of(psbt: Psbt, number: int) -> Transaction | None:
    """Return the transaction that made an input's coin, if the PSBT has it.

    Raises: UnknownTransaction if its hash is another one.
    """
    told = value_of(psbt.inputs[number], In.NON_WITNESS_UTXO)
    if told is None:
        return None
    previous = parse_transaction(told)
    if previous.hash != psbt.transaction.inputs[number].outpoint.txid:
        raise UnknownTransaction(f"input {number + 1} comes with another transaction than its own")
    return previous


def with_previous(psbt: Psbt, number: int, previous: Transaction, *, proven: bool = False) -> Psbt:
    """Return the PSBT with the previous transaction as proof of an input's amount and script.

    `proven`: an input before it has the same transaction, which proves both.
    Raises: UnknownTransaction if the transaction has no such output.
    """
    index = psbt.transaction.inputs[number].outpoint.index
    if index >= len(previous.outputs):
        raise UnknownTransaction(f"input {number + 1} spends an output that does not exist")
    # Without witnesses: no txid covers them, so they prove nothing.
    whole = () if proven else (field(In.NON_WITNESS_UTXO, previous.encode_stripped()),)
    proof = (*whole, field(In.WITNESS_UTXO, previous.outputs[index].encode()))
    kept = without(psbt.inputs[number], In.NON_WITNESS_UTXO, In.WITNESS_UTXO)
    inputs = list(psbt.inputs)
    inputs[number] = ordered((*proof, *kept))
    return replace(psbt, inputs=tuple(inputs))


def within_limits(psbt: Psbt) -> bytes:
    """Return the bytes, without the proofs of Taproot inputs if they are too many.

    Raises: ProofsTooLarge if they still are.
    """
    data = psbt.encode()
    if len(data) > MAX_PSBT_BYTES:
        data = replace(psbt, inputs=tuple(map(_without_needless, psbt.inputs))).encode()
    if len(data) > MAX_PSBT_BYTES:
        raise ProofsTooLarge(
            "the transactions that made its coins are too large to be sent to the other "
            f"custodians: {len(data):,} bytes, and at most {MAX_PSBT_BYTES:,} fit. Spend fewer "
            "coins at once, or coins of smaller transactions"
        )
    return data


def _without_needless(fields: Fields) -> Fields:
    """Drop the previous transaction of a Taproot input, whose signature covers all amounts."""
    told = value_of(fields, In.WITNESS_UTXO)
    needless = told is not None and kind_of(parse_output(told).script) is ScriptKind.P2TR
    return without(fields, In.NON_WITNESS_UTXO) if needless else fields
