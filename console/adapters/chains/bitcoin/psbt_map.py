"""The maps that a PSBT is made of: keys with a type, each once, and values (BIP 174)."""

from collections.abc import Mapping
from typing import TypeAlias

from console.adapters.chains.bitcoin.psbt_fields import Rule
from console.adapters.chains.bitcoin.wire import Reader, compact_size, prefixed
from console.application.errors import UnknownTransaction

Fields: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Keys (type and key data) and values, in the order of the bytes."""


def read_map(reader: Reader, most: int) -> Fields:
    """Read a map with its separator, of at most `most` fields.

    Raises: UnknownTransaction, also for a repeated key.
    """
    fields: dict[bytes, bytes] = {}
    while key := reader.string():
        if len(fields) >= most:
            raise UnknownTransaction("the PSBT has more fields than are read here")
        split_key(key)
        if key in fields:
            raise UnknownTransaction("a key of the PSBT comes twice")
        fields[key] = reader.string()
    return tuple(fields.items())


def write_map(fields: Fields) -> bytes:
    """Return the bytes of the pairs and the separator."""
    return b"".join(prefixed(key) + prefixed(value) for key, value in fields) + b"\0"


def split_key(key: bytes) -> tuple[int, bytes]:
    """Return type and key data. Raises: UnknownTransaction."""
    reader = Reader(key, "key of the PSBT")
    return reader.compact(), reader.take(reader.left)


def field(kind: int, value: bytes, key_data: bytes = b"") -> tuple[bytes, bytes]:
    """Return one pair of key and value."""
    return compact_size(kind) + key_data, value


def value_of(fields: Fields, kind: int) -> bytes | None:
    """Return the value under a type that takes no key data, if it is there."""
    return dict(fields).get(compact_size(kind))


def entries_of(fields: Fields, kind: int) -> Fields:
    """Return key data and value of every entry of a type."""
    split = ((*split_key(key), value) for key, value in fields)
    return tuple((key_data, value) for found, key_data, value in split if found == kind)


def without(fields: Fields, *kinds: int) -> Fields:
    """Return the entries of other types."""
    return tuple(pair for pair in fields if split_key(pair[0])[0] not in kinds)


def only(fields: Fields, *kinds: int) -> Fields:
    """Return the entries of these types."""
    return tuple(pair for pair in fields if split_key(pair[0])[0] in kinds)


def ordered(fields: Fields) -> Fields:
    """Return the entries sorted by key, the order in which this codec writes."""
    return tuple(sorted(fields))


def check_map(fields: Fields, rules: Mapping[int, Rule], version: int) -> None:
    """Check every entry of a known type by its rule. Raises: UnknownTransaction."""
    for key, value in fields:
        kind, key_data = split_key(key)
        rule = rules.get(kind)
        if rule is None:
            continue
        if version not in rule.versions:
            raise UnknownTransaction(f"type {kind:#04x} may not stand in a PSBT of this version")
        rule.check(key_data, value)
    present = {split_key(key)[0] for key, _ in fields}
    for kind, rule in rules.items():
        if version in rule.required and kind not in present:
            raise UnknownTransaction(f"type {kind:#04x} is missing in the PSBT")
