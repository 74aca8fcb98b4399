"""The fields of a PSBT that no signature covers: extended keys, other programs' notes.

They change neither what is signed nor how it is shown, so they are no danger. A PSBT of another
program is imported without them; where they came with a request, they are counted and shown.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from console.adapters.chains.bitcoin.ownership import INPUT_ORIGIN, OUTPUT_ORIGIN
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, entries_of, only, without, write_map
from console.adapters.chains.bitcoin.wire import Reader

_GLOBALS = (Global.UNSIGNED_TX,)
_INPUTS = (In.NON_WITNESS_UTXO, In.WITNESS_UTXO, In.SIGHASH_TYPE, *INPUT_ORIGIN)
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


def without_unsigned(psbt: Psbt, fingerprints: Iterable[bytes]) -> Psbt:
    """Return a version 0 PSBT with the fields that concern this wallet only.

    `fingerprints` are those of its master keys (BIP 32). Of outputs, the origins of other wallets'
    keys are dropped: they claim nothing for this one.
    """
    own = frozenset(fingerprints)
    return replace(
        psbt,
        globals=only(psbt.globals, *_GLOBALS),
        inputs=tuple(only(fields, *_INPUTS) for fields in psbt.inputs),
        outputs=tuple(_claims(only(fields, *_OUTPUTS), own) for fields in psbt.outputs),
    )


def _claims(fields: Fields, own: frozenset[bytes]) -> Fields:
    """Return the fields if an origin among them has one of the fingerprints, else none."""
    marks = {value[:4] for _, value in entries_of(fields, Out.BIP32_DERIVATION)}
    marks |= {_mark(value) for _, value in entries_of(fields, Out.TAP_BIP32_DERIVATION)}
    return () if marks.isdisjoint(own) else fields


def _mark(value: bytes) -> bytes:
    """Return the fingerprint of a Taproot origin, which follows the hashes of leaves (BIP 371)."""
    reader = Reader(value, "origin of a key")
    reader.take(32 * reader.compact())
    return reader.take(4)
