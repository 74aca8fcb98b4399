"""The fields of a PSBT that no signature covers: extended keys, other programs' notes.

They change neither what is signed nor how it is shown, so they are no danger. A PSBT of another
program is imported without them; where they came with a request, they are counted and shown. A
request may have few of them: each description reads them all.
"""

import hashlib
from dataclasses import replace

from console.adapters.chains.bitcoin.limits import (
    MAX_ORIGINS,
    MAX_UNSIGNED_BYTES,
    MAX_UNSIGNED_FIELDS,
)
from console.adapters.chains.bitcoin.ownership import (
    INPUT_ORIGIN,
    OUTPUT_ORIGIN,
    restated_input,
    restated_output,
)
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import Global, In
from console.adapters.chains.bitcoin.psbt_map import Fields, only, ordered, without, write_map
from console.adapters.chains.bitcoin.transaction import TxOut
from console.application.errors import UnknownTransaction
from console.application.ports.chain import PublicKeys

_GLOBALS = (Global.UNSIGNED_TX,)
_PROOFS = (In.NON_WITNESS_UTXO, In.WITNESS_UTXO, In.SIGHASH_TYPE)
_INPUTS = (*_PROOFS, *INPUT_ORIGIN)
_OUTPUTS = OUTPUT_ORIGIN


def check_unsigned(psbt: Psbt) -> None:
    """Check how much of what is to be signed is for other programs. Raises: UnknownTransaction."""
    fields = [pair for part in _unsigned(psbt) for pair in part]
    for maps, kinds in ((psbt.inputs, INPUT_ORIGIN), (psbt.outputs, OUTPUT_ORIGIN)):
        for part in maps:
            fields += only(part, *kinds)[MAX_ORIGINS:]
    size = sum(len(key) + len(value) for key, value in fields)
    if len(fields) > MAX_UNSIGNED_FIELDS or size > MAX_UNSIGNED_BYTES:
        raise UnknownTransaction(
            f"a PSBT that is signed here has at most {MAX_UNSIGNED_FIELDS} fields for other "
            f"programs, of {MAX_UNSIGNED_BYTES} bytes together"
        )


def unsigned_fields(psbt: Psbt) -> tuple[tuple[str, str], ...]:
    """Return how many fields are for other programs, with a hash of them; () if there are none."""
    rest = _unsigned(psbt)
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


def _unsigned(psbt: Psbt) -> tuple[Fields, ...]:
    return (
        without(psbt.globals, *_GLOBALS),
        *(without(fields, *_INPUTS) for fields in psbt.inputs),
        *(without(fields, *_OUTPUTS) for fields in psbt.outputs),
    )
