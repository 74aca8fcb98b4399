"""The fields of a PSBT that no signature covers: extended keys, other programs' notes.

They change neither what is signed nor how it is shown, so they are no danger. A PSBT of another
program is imported without them; where they came with a request, they are counted and shown.
"""

import hashlib
from dataclasses import replace

from console.adapters.chains.bitcoin.ownership import (
    INPUT_ORIGIN,
    OUTPUT_ORIGIN,
    restated_input,
    restated_output,
)
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import Global, In
from console.adapters.chains.bitcoin.psbt_map import only, ordered, without, write_map
from console.adapters.chains.bitcoin.transaction import TxOut
from console.application.ports.chain import PublicKeys

_GLOBALS = (Global.UNSIGNED_TX,)
_PROOFS = (In.NON_WITNESS_UTXO, In.WITNESS_UTXO, In.SIGHASH_TYPE)
_INPUTS = (*_PROOFS, *INPUT_ORIGIN)
_OUTPUTS = OUTPUT_ORIGIN


def unsigned_fields(psbt: Psbt) -> tuple[tuple[str, str], ...]:
    """Return how many fields are for other programs, with a hash of them; () if there are none."""
    rest = (
        without(psbt.globals, *_GLOBALS),
        *(without(fields, *_INPUTS) for fields in psbt.inputs),
        *(without(fields, *_OUTPUTS) for fields in psbt.outputs),
    )
    count = sum(map(len, rest))
    if not count:
        return ()
    # The separators keep the maps apart: a field that moves to another map changes the hash.
    digest = hashlib.sha256(b"".join(map(write_map, rest))).hexdigest()
    fields = "1 field" if count == 1 else f"{count} fields"
    return (("Not signed", f"{fields} for other programs, SHA-256 {digest}"),)


def without_unsigned(psbt: Psbt, spent: tuple[TxOut, ...], keys: PublicKeys) -> Psbt:
    """Return a version 0 PSBT with the fields that concern this wallet only.

    `spent` are the outputs that the inputs spend. Origins of the wallet's keys are written as this
    wallet writes them; those of other wallets' outputs are dropped.
    """
    inputs = zip(psbt.inputs, spent, strict=True)
    outputs = zip(psbt.outputs, psbt.transaction.outputs, strict=True)
    return replace(
        psbt,
        globals=only(psbt.globals, *_GLOBALS),
        inputs=tuple(
            ordered((*only(fields, *_PROOFS), *restated_input(fields, output.script, keys)))
            for fields, output in inputs
        ),
        outputs=tuple(
            ordered(restated_output(fields, output.script, keys)) for fields, output in outputs
        ),
    )
