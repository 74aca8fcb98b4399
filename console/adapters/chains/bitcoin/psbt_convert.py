"""Conversion of PSBTs between version 0 and version 2 (BIP 370)."""

from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import GLOBALS, INPUTS, OUTPUTS, Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered, without
from console.adapters.chains.bitcoin.transaction import Transaction, TxIn, TxOut
from console.adapters.chains.bitcoin.wire import compact_size

_ONLY_V2_GLOBALS = tuple(kind for kind, rule in GLOBALS.items() if rule.versions == (2,))
_ONLY_V2_INPUTS = tuple(kind for kind, rule in INPUTS.items() if rule.versions == (2,))
_ONLY_V2_OUTPUTS = tuple(kind for kind, rule in OUTPUTS.items() if rule.versions == (2,))


def psbt_of(
    transaction: Transaction,
    inputs: tuple[Fields, ...],
    outputs: tuple[Fields, ...],
    more: Fields = (),
) -> Psbt:
    """Return a version 0 PSBT of an unsigned transaction and a map for each input and output."""
    unsigned = field(Global.UNSIGNED_TX, transaction.encode_stripped())
    return Psbt(
        0,
        transaction,
        ordered((unsigned, *more)),
        tuple(map(ordered, inputs)),
        tuple(map(ordered, outputs)),
    )


def to_v0(psbt: Psbt) -> Psbt:
    """Return it in version 0; the required lock times of inputs become the lock time."""
    if psbt.version == 0:
        return psbt
    return psbt_of(
        psbt.transaction,
        tuple(without(each, *_ONLY_V2_INPUTS) for each in psbt.inputs),
        tuple(without(each, *_ONLY_V2_OUTPUTS) for each in psbt.outputs),
        without(psbt.globals, Global.VERSION, *_ONLY_V2_GLOBALS),
    )


def to_v2(psbt: Psbt) -> Psbt:
    """Return it in version 2, with inputs and outputs that cannot be modified."""
    if psbt.version:
        return psbt
    transaction = psbt.transaction
    head = (
        field(Global.TX_VERSION, transaction.version.to_bytes(4, "little")),
        field(Global.FALLBACK_LOCKTIME, transaction.locktime.to_bytes(4, "little")),
        field(Global.INPUT_COUNT, compact_size(len(psbt.inputs))),
        field(Global.OUTPUT_COUNT, compact_size(len(psbt.outputs))),
        field(Global.VERSION, (2).to_bytes(4, "little")),
    )
    inputs = zip(psbt.inputs, transaction.inputs, strict=True)
    outputs = zip(psbt.outputs, transaction.outputs, strict=True)
    return Psbt(
        2,
        transaction,
        ordered(without(psbt.globals, Global.UNSIGNED_TX, Global.VERSION) + head),
        tuple(ordered(fields + _input(spender)) for fields, spender in inputs),
        tuple(ordered(fields + _output(output)) for fields, output in outputs),
    )


def _input(spender: TxIn) -> Fields:
    return (
        field(In.PREVIOUS_TXID, spender.outpoint.txid),
        field(In.OUTPUT_INDEX, spender.outpoint.index.to_bytes(4, "little")),
        field(In.SEQUENCE, spender.sequence.to_bytes(4, "little")),
    )


def _output(output: TxOut) -> Fields:
    return (
        field(Out.AMOUNT, output.amount.to_bytes(8, "little")),
        field(Out.SCRIPT, output.script),
    )
