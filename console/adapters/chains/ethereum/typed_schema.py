"""The types of an EIP-712 document: names, fields, and the text that a type's hash is made of."""

import re
from dataclasses import dataclass

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.strict_json import Json, list_of, object_of, text_of
from console.application.errors import UnknownTransaction

DOMAIN = "EIP712Domain"
MAX_TYPES = 64
MAX_FIELDS = 64
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_TYPE = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]{0,63})((?:\[(?:[1-9][0-9]{0,3})?\]){0,4})")
_NUMBER = re.compile(r"(u?)int([1-9][0-9]{0,2})")
_FIXED = re.compile(r"bytes([1-9][0-9]?)")
_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """Struct types by name; each with its fields as (name, type) in order, and `typeHash`."""

    types: dict[str, Fields]
    hashes: dict[str, bytes]


def parse_schema(value: Json) -> Schema:
    """Read the `types` of a document. Raises: UnknownTransaction."""
    found = object_of(value, "types")
    if not found or len(found) > MAX_TYPES:
        raise UnknownTransaction(f"a document has from 1 to {MAX_TYPES} types")
    types = {name: _fields(name, fields) for name, fields in found.items()}
    for name, fields in types.items():
        if not _NAME.fullmatch(name) or is_basic(name):
            raise UnknownTransaction("a type has a name that is none")
        for field, kind in fields:
            base = base_of(kind)
            if base not in types and not is_basic(base):
                raise UnknownTransaction(f"the type of {name}.{field} is not defined")
    _check_domain(types)
    return Schema(types, {name: keccak(encode_type(types, name).encode()) for name in types})


def encode_type(types: dict[str, Fields], name: str) -> str:
    """Return the type as text, followed by those it needs in alphabetical order."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            kinds = (base_of(kind) for _, kind in types[current])
            waiting += [kind for kind in kinds if kind in types]
    return "".join(
        f"{one}({','.join(f'{kind} {field}' for field, kind in types[one])})"
        for one in (name, *sorted(found - {name}))
    )


def base_of(kind: str) -> str:
    """Return a type without the brackets of its arrays."""
    return kind.partition("[")[0]


def element_of(kind: str) -> tuple[str, int | None] | None:
    """Return an array's element type and its fixed length, if any; None if it is no array."""
    if not kind.endswith("]"):
        return None
    element, _, size = kind.rpartition("[")
    return element, int(size[:-1]) if size != "]" else None


def is_basic(kind: str) -> bool:
    """Return whether it is an elementary type of EIP-712."""
    return (
        kind in {"bool", "address", "string", "bytes"}
        or integer_of(kind) is not None
        or fixed_bytes_of(kind) is not None
    )


def integer_of(kind: str) -> tuple[bool, int] | None:
    """Return (signed, bits) of an integer type; None if it is none."""
    match = _NUMBER.fullmatch(kind)
    if not match:
        return None
    bits = int(match[2])
    return (not match[1], bits) if bits % 8 == 0 and bits <= 256 else None


def fixed_bytes_of(kind: str) -> int | None:
    """Return the length of a bytes1 to bytes32 type; None if it is none."""
    match = _FIXED.fullmatch(kind)
    return int(match[1]) if match and int(match[1]) <= 32 else None


def _fields(name: str, value: Json) -> Fields:
    fields: list[tuple[str, str]] = []
    for part in list_of(value, f"the type {name[:64]!a}"):
        entry = object_of(part, "a field of a type")
        if not entry.keys() >= {"name", "type"}:
            raise UnknownTransaction("a field has a name and a type")
        field, kind = text_of(entry["name"], "a name"), text_of(entry["type"], "a type")
        if not _NAME.fullmatch(field) or not _TYPE.fullmatch(kind):
            raise UnknownTransaction("a field has a name or a type that is none")
        fields.append((field, kind))
    if len(fields) > MAX_FIELDS or len({field for field, _ in fields}) != len(fields):
        raise UnknownTransaction("a type has too many fields, or one of them twice")
    return tuple(fields)


def _check_domain(types: dict[str, Fields]) -> None:
    """The domain has some of five fields, in their order and of their types."""
    fields = types.get(DOMAIN)
    if not fields:
        raise UnknownTransaction(f"the document does not define its {DOMAIN}")
    if fields != tuple(field for field in _DOMAIN_FIELDS if field in fields):
        raise UnknownTransaction(f"{DOMAIN} has fields that it should not have")
