"""Ways to alter a PSBT: what an attacker between the builder and the approvers could do."""

from dataclasses import replace
from typing import Any

from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_fields import Global
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered, without
from console.adapters.chains.bitcoin.transaction import TxOut


def with_transaction(data: bytes, **parts: Any) -> bytes:
    """Replace parts of the unsigned transaction."""
    psbt = parse_psbt(data)
    return _rewritten(psbt, replace(psbt.transaction, **parts)).encode()


def with_output(data: bytes, output: TxOut, fields: Fields = ()) -> bytes:
    """Add an output."""
    psbt = parse_psbt(data)
    changed = _rewritten(
        psbt, replace(psbt.transaction, outputs=(*psbt.transaction.outputs, output))
    )
    return replace(changed, outputs=(*psbt.outputs, fields)).encode()


def with_sequence(data: bytes, sequence: int) -> bytes:
    """Give the first input this sequence number."""
    first, *rest = parse_psbt(data).transaction.inputs
    return with_transaction(data, inputs=(replace(first, sequence=sequence), *rest))


def with_input_field(data: bytes, kind: int, value: bytes | None, key_data: bytes = b"") -> bytes:
    """Set a field of the first input, or drop it if there is no value."""
    psbt = parse_psbt(data)
    return replace(
        psbt, inputs=(_changed(psbt.inputs[0], kind, value, key_data), *psbt.inputs[1:])
    ).encode()


def with_output_field(
    data: bytes, index: int, kind: int, value: bytes | None, key_data: bytes = b""
) -> bytes:
    """Set a field of an output, or drop it if there is no value."""
    psbt = parse_psbt(data)
    outputs = list(psbt.outputs)
    outputs[index] = _changed(outputs[index], kind, value, key_data)
    return replace(psbt, outputs=tuple(outputs)).encode()


def with_global_field(data: bytes, kind: int, value: bytes) -> bytes:
    """Add a field of the whole."""
    psbt = parse_psbt(data)
    return replace(psbt, globals=_changed(psbt.globals, kind, value, b"")).encode()


def change_index(data: bytes) -> int:
    """Return which output is claimed as the wallet's own; there must be one."""
    (index,) = [number for number, fields in enumerate(parse_psbt(data).outputs) if fields]
    return index


def _changed(fields: Fields, kind: int, value: bytes | None, key_data: bytes) -> Fields:
    kept = without(fields, kind)
    return kept if value is None else ordered((*kept, field(kind, value, key_data)))


def _rewritten(psbt: Psbt, transaction: Any) -> Psbt:
    unsigned = field(Global.UNSIGNED_TX, transaction.encode_stripped())
    return replace(psbt, transaction=transaction, globals=(unsigned,))
