"""From a PSBT with signatures to the transaction that goes out (BIP 174, finalizer, extractor)."""

from dataclasses import replace

from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered, value_of, without
from console.adapters.chains.bitcoin.transaction import Transaction, TxIn
from console.adapters.chains.bitcoin.wire import Reader, stacked
from console.application.errors import TransactionError

_CONSUMED = (
    In.PARTIAL_SIG,
    In.SIGHASH_TYPE,
    In.REDEEM_SCRIPT,
    In.WITNESS_SCRIPT,
    In.BIP32_DERIVATION,
    In.TAP_KEY_SIG,
    In.TAP_BIP32_DERIVATION,
    In.TAP_INTERNAL_KEY,
    In.TAP_MERKLE_ROOT,
)
"""Fields that a final input does not have."""


def finalize(psbt: Psbt, witnesses: tuple[tuple[bytes, ...], ...]) -> Psbt:
    """Return the PSBT with a witness for each input, without the fields that made it.

    Raises: TransactionError if there is not one witness for each input.
    """
    if len(witnesses) != len(psbt.inputs):
        raise TransactionError("there must be one witness for each input")
    pairs = zip(psbt.inputs, witnesses, strict=True)
    return replace(psbt, inputs=tuple(_final(fields, witness) for fields, witness in pairs))


def extract(psbt: Psbt) -> Transaction:
    """Return the signed transaction. Raises: TransactionError if an input is not final."""
    pairs = zip(psbt.transaction.inputs, psbt.inputs, strict=True)
    return replace(
        psbt.transaction, inputs=tuple(_unlocked(spender, fields) for spender, fields in pairs)
    )


def _final(fields: Fields, witness: tuple[bytes, ...]) -> Fields:
    final = field(In.FINAL_SCRIPTWITNESS, stacked(witness))
    # A script signature of another program would be in the transaction, and change its id.
    kept = without(fields, In.FINAL_SCRIPTSIG, In.FINAL_SCRIPTWITNESS, *_CONSUMED)
    return ordered((*kept, final))


def _unlocked(spender: TxIn, fields: Fields) -> TxIn:
    script_sig = value_of(fields, In.FINAL_SCRIPTSIG)
    witness = value_of(fields, In.FINAL_SCRIPTWITNESS)
    if script_sig is None and witness is None:
        raise TransactionError(f"the input {spender.outpoint.text} is not signed yet")
    stack = () if witness is None else Reader(witness, "witness").stack()
    return replace(spender, script_sig=script_sig or b"", witness=stack)
