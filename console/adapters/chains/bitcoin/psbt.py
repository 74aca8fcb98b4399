"""Partially signed transactions, versions 0 and 2, read strictly (BIP 174, 370, 371)."""

from dataclasses import dataclass

from console.adapters.chains.bitcoin.limits import (
    MAX_FIELDS,
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_PSBT_BYTES,
)
from console.adapters.chains.bitcoin.psbt_fields import GLOBALS, INPUTS, OUTPUTS, Global
from console.adapters.chains.bitcoin.psbt_map import (
    Fields,
    check_map,
    read_map,
    value_of,
    write_map,
)
from console.adapters.chains.bitcoin.psbt_v2 import unsigned_transaction
from console.adapters.chains.bitcoin.transaction import Transaction, parse_stripped
from console.adapters.chains.bitcoin.wire import Reader
from console.application.errors import UnknownTransaction

MAGIC = b"psbt\xff"


@dataclass(frozen=True, slots=True)
class Psbt:
    """The maps in the order of the bytes, and the unsigned transaction that they describe."""

    version: int
    transaction: Transaction
    globals: Fields
    inputs: tuple[Fields, ...]
    outputs: tuple[Fields, ...]

    def encode(self) -> bytes:
        """Return the same bytes that were read."""
        return MAGIC + b"".join(map(write_map, (self.globals, *self.inputs, *self.outputs)))


def parse_psbt(data: bytes, most: int = MAX_PSBT_BYTES, most_fields: int = MAX_FIELDS) -> Psbt:
    """Read a PSBT; unknown types are kept. Raises: UnknownTransaction, and nothing else.

    At most `most` bytes, 100 inputs and 100 outputs, and `most_fields` fields in all maps.
    """
    if not data.startswith(MAGIC):
        raise UnknownTransaction("the bytes are no PSBT")
    if len(data) > most:
        raise UnknownTransaction(f"a PSBT has at most {most} bytes here, and this one {len(data)}")
    reader = Reader(data[len(MAGIC) :], "PSBT")
    fields = read_map(reader, most_fields)
    left = most_fields - len(fields)
    version = _version(fields)
    check_map(fields, GLOBALS, version)
    unsigned = _unsigned(fields) if version == 0 else None
    inputs, outputs = _counts(fields, unsigned)
    input_maps, left = _maps(reader, inputs, left)
    output_maps, _ = _maps(reader, outputs, left)
    reader.end()
    for each in input_maps:
        check_map(each, INPUTS, version)
    for each in output_maps:
        check_map(each, OUTPUTS, version)
    transaction = unsigned or unsigned_transaction(fields, input_maps, output_maps)
    return Psbt(version, transaction, fields, input_maps, output_maps)


def _maps(reader: Reader, count: int, left: int) -> tuple[tuple[Fields, ...], int]:
    """Read maps of `left` fields together; return them, and how many more there may be."""
    maps: list[Fields] = []
    for _ in range(count):
        maps.append(read_map(reader, left))
        left -= len(maps[-1])
    return tuple(maps), left


def _version(fields: Fields) -> int:
    version = value_of(fields, Global.VERSION)
    number = 0 if version is None else int.from_bytes(version, "little")
    if number not in {0, 2}:
        raise UnknownTransaction(f"version {number} of PSBTs is not known")
    return number


def _unsigned(fields: Fields) -> Transaction:
    transaction = parse_stripped(value_of(fields, Global.UNSIGNED_TX) or b"")
    if any(each.script_sig for each in transaction.inputs):
        raise UnknownTransaction("the transaction in the PSBT is signed in part already")
    return transaction


def _counts(fields: Fields, unsigned: Transaction | None) -> tuple[int, int]:
    if unsigned is None:
        inputs, outputs = (
            Reader(value_of(fields, kind) or b"", "count").compact()
            for kind in (Global.INPUT_COUNT, Global.OUTPUT_COUNT)
        )
    else:
        inputs, outputs = len(unsigned.inputs), len(unsigned.outputs)
    if inputs > MAX_INPUTS or outputs > MAX_OUTPUTS:
        raise UnknownTransaction("a PSBT has at most 100 inputs and 100 outputs here")
    return inputs, outputs
