"""PSBTs of other programs, converted to the form that is signed here."""

from dataclasses import replace

from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import to_v0
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import field, ordered, value_of, without
from console.adapters.chains.bitcoin.transaction import Transaction, parse_transaction
from console.application.errors import UnknownTransaction


def parse_foreign(data: bytes) -> Psbt:
    """Return a PSBT of either version, as version 0. Raises: UnknownTransaction."""
    return to_v0(parse_psbt(data))


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


def with_previous(psbt: Psbt, number: int, previous: Transaction) -> Psbt:
    """Return the PSBT with the previous transaction as proof of an input's amount and script.

    Raises: UnknownTransaction if the transaction has no such output.
    """
    index = psbt.transaction.inputs[number].outpoint.index
    if index >= len(previous.outputs):
        raise UnknownTransaction(f"input {number + 1} spends an output that does not exist")
    proof = (
        # Without witnesses: no txid covers them, so they prove nothing.
        field(In.NON_WITNESS_UTXO, previous.encode_stripped()),
        field(In.WITNESS_UTXO, previous.outputs[index].encode()),
    )
    kept = without(psbt.inputs[number], In.NON_WITNESS_UTXO, In.WITNESS_UTXO)
    inputs = list(psbt.inputs)
    inputs[number] = ordered((*proof, *kept))
    return replace(psbt, inputs=tuple(inputs))
