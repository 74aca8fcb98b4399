"""Keys of an EIP-712 document that no type declares: encoders ignore them, and so are they shown.

Programs put hints for other programs there. What they say is not signed.
"""

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from console.adapters.chains.ethereum.meaning import shown_text
from console.adapters.chains.ethereum.strict_json import Json
from console.adapters.chains.ethereum.typed_schema import Schema, element_of

PARTS = frozenset({"types", "primaryType", "domain", "message"})
FIELD_PARTS = frozenset({"name", "type"})
_MAX_NAME = 64
_MAX_TEXT = 512


def undeclared(
    document: dict[str, Json], schema: Schema, primary: str
) -> Iterator[tuple[str, str]]:
    """Yield the place and the value of each undeclared key of a document that fits its types."""
    yield from _beside(document, PARTS, "")
    types = document["types"]
    for name, fields in types.items() if isinstance(types, dict) else ():
        for field in fields if isinstance(fields, list) else ():
            yield from _beside(field, FIELD_PARTS, f"types.{name}")
    yield from _within(document["message"], schema, primary, "")


def _within(value: Json, schema: Schema, kind: str, place: str) -> Iterator[tuple[str, str]]:
    array = element_of(kind)
    if array and isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _within(item, schema, array[0], f"{place} {number}")
    elif isinstance(value, dict):
        fields = dict(schema.types[kind])
        yield from _beside(value, fields.keys(), place)
        for name, part in fields.items():
            yield from _within(value[name], schema, part, _path(place, name))


def _beside(value: Json, declared: AbstractSet[str], place: str) -> Iterator[tuple[str, str]]:
    for name, part in value.items() if isinstance(value, dict) else ():
        if name not in declared:
            yield _path(place, shown_text(name[:_MAX_NAME])), _shown(part)


def _path(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown(value: Json) -> str:
    text = shown_text(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} (shortened)"
